/** A reservation from cart to shipment: the requests of its verbs and the one view that all of them answer. */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import {
  ChannelCode,
  ClientChosenId,
  EXPIRES_IN_SECONDS_DEFAULT,
  EXPIRES_IN_SECONDS_MAX,
  LINES_MAX,
  QUANTITY_UNITS_MAX,
  Latitude,
  Longitude,
  NodeCode,
  PrincipalId,
  Quantity,
  SkuCode,
  Timestamp,
  UnitCount,
  Version,
  closed,
  oneOf,
  problemInAnswer,
} from '../shared/primitives.ts';

const Owner = Type.String({
  ...PrincipalId,
  description: 'Whose reservation it is: the caller’s unless given. Another’s needs the scope `reservations:any`.',
});
export { Owner as ReservationOwner };

/** Of a question about a reservation. */
export const OwnerQuery = closed({ owner: Type.Optional(Owner) });

const ExpiresInSeconds = Type.Integer({
  minimum: 1,
  maximum: EXPIRES_IN_SECONDS_MAX,
  default: EXPIRES_IN_SECONDS_DEFAULT,
});

const nodesOf = (description: string) => ({ minItems: 1, maxItems: 100, uniqueItems: true, description });
export const LineId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$',
  maxLength: 64,
  description: 'Names a line within its reservation: chosen by the client, or its place, from 1.',
});
export const FulfilmentId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$',
  maxLength: 64,
  description: 'The fulfilment that a node works on. Its units move only when the node has let go.',
});

const Destination = closed({ lat: Latitude, lng: Longitude }, { description: 'Nearer nodes are preferred.' });
const Priority = Type.Integer({
  minimum: -100,
  maximum: 100,
  default: 0,
  description: 'Whose units are mended first when some come free: higher goes first.',
});

const MayWait = Type.Boolean({
  default: false,
  description:
    'What is not there may be promised of what is to come: of announced receipts in the order in which they are due, then of allowances up to their caps.',
});

export const HoldRequest = closed({
  id: ClientChosenId,
  owner: Type.Optional(Owner),
  channel: ChannelCode,
  lines: Type.Array(
    closed({
      id: Type.Optional(LineId),
      sku: SkuCode,
      quantity: Quantity,
      nodes: Type.Optional(Type.Array(NodeCode, nodesOf('Only these nodes may back the line, as for a pickup.'))),
      mayWait: Type.Optional(MayWait),
    }),
    {
      minItems: 1,
      maxItems: LINES_MAX,
      description: 'Lines are not summed: one SKU may be picked up in one of them and shipped in another.',
    },
  ),
  allowPartial: Type.Optional(
    Type.Boolean({ default: false, description: 'Grant what there is instead of all or nothing.' }),
  ),
  expiresInSeconds: Type.Optional(ExpiresInSeconds),
  nodes: Type.Optional(Type.Array(NodeCode, nodesOf('Only these nodes may back lines that name none themselves.'))),
  destination: Type.Optional(Destination),
  priority: Type.Optional(Priority),
  customerReference: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'Opaque: a name for the customer that says nothing of the person.',
    }),
  ),
  override: Type.Optional(
    oneOf(
      ['sold'],
      'The units are sold already: thresholds do not count, and what is not there is promised all the same, unbacked. Needs the scope `stock:override`.',
    ),
  ),
});
export type HoldRequest = Static<typeof HoldRequest>;

const command = { commandId: ClientChosenId, owner: Type.Optional(Owner) };
const PartLines = Type.Array(
  closed(
    {
      line: Type.Optional(LineId),
      sku: Type.Optional(SkuCode),
      node: Type.Optional(NodeCode),
      fulfilment: Type.Optional(FulfilmentId),
      quantity: Quantity,
    },
    { minProperties: 2, description: 'Units by what is named of them: line, SKU, node, fulfilment.' },
  ),
  { minItems: 1, maxItems: LINES_MAX },
);

export const ExtendRequest = closed({ ...command, expiresInSeconds: ExpiresInSeconds });
export type ExtendRequest = Static<typeof ExtendRequest>;

export const ConfirmRequest = closed({
  ...command,
  reacquire: Type.Optional(
    Type.Boolean({ default: false, description: 'After expiry, take the units anew if they are there.' }),
  ),
});
export type ConfirmRequest = Static<typeof ConfirmRequest>;

export const FulfilRequest = closed({
  ...command,
  lines: Type.Optional(PartLines),
  occurredAt: Type.Optional(Timestamp),
});
export type FulfilRequest = Static<typeof FulfilRequest>;
export const ReleaseRequest = closed({ ...command, lines: Type.Optional(PartLines) });
export type ReleaseRequest = Static<typeof ReleaseRequest>;
export const CancelRequest = closed({ ...command, lines: Type.Optional(PartLines) });
export type CancelRequest = Static<typeof CancelRequest>;

/** What a person has sold already, or has decided: only units that are there count, not what is kept back from the channel. */
export const Override = oneOf(
  ['sold', 'by_hand'],
  'Only what is physically available counts, whatever thresholds, fences, the lines’ nodes or the channel’s keep back. `sold`: it is sold already; `by_hand`: a person has decided so. Needs the scope `stock:override`.',
);

const ExpectedVersion = Type.Integer({
  minimum: 1,
  description: 'The reservation’s version that this was decided on.',
});
const OrderId = Type.String({ minLength: 1, maxLength: 64, description: 'The order’s id, as its owner names it.' });

export const AttachRequest = closed({
  ...command,
  order: Type.Union([OrderId, Type.Null()], {
    description: 'The order that decides about the reservation from now on, through the caller alone; null lets it go.',
  }),
  expectedOrder: Type.Optional(
    Type.Union([OrderId, Type.Null()], {
      default: null,
      description: 'What is attached now, as far as the caller knows.',
    }),
  ),
  orderedAt: Type.Optional(Timestamp),
  priority: Type.Optional(Priority),
  confirm: Type.Optional(
    Type.Boolean({ default: false, description: 'Confirm the held units with it, or do neither.' }),
  ),
  reacquire: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'With `confirm`: after expiry, take the units anew if they are there.',
    }),
  ),
});
export type AttachRequest = Static<typeof AttachRequest>;

export const AmendRequest = closed({
  ...command,
  expectedVersion: ExpectedVersion,
  lines: Type.Array(
    closed({
      id: LineId,
      sku: SkuCode,
      quantity: Type.Integer({
        minimum: 0,
        maximum: QUANTITY_UNITS_MAX,
        description: 'Units in all, what was fulfilled included.',
      }),
      nodes: Type.Optional(Type.Array(NodeCode, nodesOf('Only these nodes may back the line. Left out: any.'))),
      mayWait: Type.Optional(MayWait),
    }),
    {
      maxItems: LINES_MAX,
      description: 'Lines as they are to be from now on, new ones among them; others stay as they are.',
    },
  ),
  channel: Type.Optional(ChannelCode),
  destination: Type.Optional(Type.Union([Destination, Type.Null()])),
  priority: Type.Optional(Priority),
  override: Type.Optional(Override),
});
export type AmendRequest = Static<typeof AmendRequest>;

const FulfilmentPart = {
  fulfilment: FulfilmentId,
  line: Type.Optional(LineId),
  sku: Type.Optional(SkuCode),
  quantity: Quantity,
};
export const STAGES_OF_WORK = ['accepted', 'picked', 'shipped'] as const;

export const AcknowledgeRequest = closed({
  ...command,
  ...FulfilmentPart,
  stage: oneOf(STAGES_OF_WORK, 'How far the node has come with these units, besides those that it told of before.'),
  occurredAt: Type.Optional(Timestamp),
});
export type AcknowledgeRequest = Static<typeof AcknowledgeRequest>;

export const REJECT_EFFECTS = ['none', 'quantity', 'sellable_only', 'all'] as const;
export const RejectRequest = closed({
  ...command,
  ...FulfilmentPart,
  effect: oneOf(
    REJECT_EFFECTS,
    'What the node says of its stock: nothing; that these units are not there; that what nobody was promised has to be looked at; that nothing sellable is there.',
  ),
  moveTo: Type.Optional(closed({ node: NodeCode, fulfilment: Type.Optional(FulfilmentId) })),
  override: Type.Optional(Override),
  occurredAt: Type.Optional(Timestamp),
});
export type RejectRequest = Static<typeof RejectRequest>;

export const GiveUpRequest = closed({ ...command, lines: PartLines });
export type GiveUpRequest = Static<typeof GiveUpRequest>;

export const UnfulfilRequest = closed({ ...command, lines: PartLines, occurredAt: Type.Optional(Timestamp) });
export type UnfulfilRequest = Static<typeof UnfulfilRequest>;

const AllocationMove = closed({
  line: Type.Optional(LineId),
  sku: Type.Optional(SkuCode),
  quantity: Quantity,
  from: closed({
    node: Type.Union([NodeCode, Type.Null()], { description: 'Null: units that stand at no node.' }),
    fulfilment: Type.Optional(FulfilmentId),
  }),
  to: closed({ node: NodeCode, fulfilment: Type.Optional(FulfilmentId) }),
});
const ReservationMoves = closed({
  id: ClientChosenId,
  owner: Type.Optional(Owner),
  expectedVersion: ExpectedVersion,
  moves: Type.Array(AllocationMove, { minItems: 1, maxItems: LINES_MAX }),
});
/** Reservations and moves that one request may name, in all its groups. */
export const ALLOCATED_RESERVATIONS_MAX = 500;
export const ALLOCATION_MOVES_MAX = 4_000;

export const AllocateRequest = closed({
  commandId: ClientChosenId,
  override: Type.Optional(Override),
  groups: Type.Array(
    closed({ reservations: Type.Array(ReservationMoves, { minItems: 1, maxItems: ALLOCATED_RESERVATIONS_MAX }) }),
    {
      minItems: 1,
      maxItems: ALLOCATED_RESERVATIONS_MAX,
      description:
        'The moves of a group happen together or not at all, and need units only for what they take together from a node beyond what they give up there. Groups do not depend on each other.',
    },
  ),
});
export type AllocateRequest = Static<typeof AllocateRequest>;

export const AllocatedReservation = closed({ id: ClientChosenId, owner: Type.String(), version: Version });
export type AllocatedReservation = Static<typeof AllocatedReservation>;
export const AllocatedGroup = closed({ reservations: Type.Array(AllocatedReservation) });
export type AllocatedGroup = Static<typeof AllocatedGroup>;

/** Why nothing of a group happened. */
export const ALLOCATION_PROBLEMS = [
  'stock.insufficient',
  'reservation.conflict',
  'reservation.units_missing',
  'reservation.unknown',
  'reservation.duplicate',
  'reservation.attached',
  'node.forbidden',
  'node.unknown',
  'sku.unknown',
] as const;

export const AllocateResult = closed({
  commandId: ClientChosenId,
  groups: Type.Array(Type.Union([AllocatedGroup, closed({ problem: problemInAnswer(ALLOCATION_PROBLEMS) })]), {
    description: 'In the order of the request: the new versions, or why nothing of the group happened.',
  }),
});
export type AllocateResult = Static<typeof AllocateResult>;

export const BACKING_KINDS = ['stock', 'incoming', 'allowance', 'unbacked'] as const;

/** Units of a line that stand on one row of the book, or on none yet, by what became of them. */
export const Backing = closed({
  node: Type.Union([NodeCode, Type.Null()], { description: 'Null where units stand at no node in particular.' }),
  kind: oneOf(BACKING_KINDS),
  fulfilment: Type.Optional(FulfilmentId),
  held: UnitCount,
  confirmed: UnitCount,
  fulfilled: UnitCount,
  released: UnitCount,
  expired: UnitCount,
  cancelled: UnitCount,
  broken: UnitCount,
  accepted: Type.Optional(UnitCount),
  picked: Type.Optional(UnitCount),
  shipped: Type.Optional(UnitCount),
});
export type Backing = Static<typeof Backing>;

export const RESERVATION_STATUSES = ['held', 'confirmed', 'closed'] as const;

export const Reservation = closed({
  id: ClientChosenId,
  owner: Type.String({ description: 'Whose it is: a principal. Ids are unique to their owner.' }),
  order: Type.Optional(
    Type.String({ description: 'The order that it is attached to: only who attached it may act on it.' }),
  ),
  channel: ChannelCode,
  priority: Type.Optional(Type.Integer({ description: 'Left out where it is 0.' })),
  customerReference: Type.Optional(Type.String()),
  status: oneOf(RESERVATION_STATUSES, 'Derived: held or confirmed while units are, else closed.'),
  version: Type.Integer({ minimum: 1, description: 'Counts the changes of this reservation.' }),
  createdAt: Timestamp,
  expiresAt: Type.Union([Timestamp, Type.Null()], { description: 'When held units expire; null once none are held.' }),
  lines: Type.Array(
    closed({
      id: LineId,
      sku: SkuCode,
      nodes: Type.Optional(Type.Array(NodeCode)),
      requested: UnitCount,
      granted: UnitCount,
      wanted: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Units that are wanted of it since it was amended.' }),
      ),
      skuVersion: Type.Optional(Version),
      backings: Type.Array(Backing),
    }),
  ),
});
export type Reservation = Static<typeof Reservation>;

/** Items of one bulk request. */
export const BULK_ITEMS_MAX = 500;

const itemsOf = <T extends TSchema>(item: T) =>
  closed({
    items: Type.Array(item, { minItems: 1, maxItems: BULK_ITEMS_MAX, description: 'Each is decided by itself.' }),
  });
const resultsOf = <T extends TSchema>(result: T, problems: readonly string[]) =>
  closed({
    results: Type.Array(Type.Union([result, closed({ problem: problemInAnswer(problems) })]), {
      description: 'In the order of the items.',
    }),
  });

/** Why units were not held. */
export const HOLD_PROBLEMS = [
  'stock.insufficient',
  'sku.unknown',
  'node.unknown',
  'channel.unknown',
  'channel.forbidden',
  'line.duplicate',
  'reservation.taken',
  'reservation.tombstoned',
  'idempotency.mismatch',
] as const;

export const HoldManyRequest = itemsOf(HoldRequest);
export const HoldManyResult = resultsOf(Reservation, [...HOLD_PROBLEMS, 'auth.forbidden']);

/** Verbs on many reservations: what one of them is asked with, and whose it is. */
export const verbItems = <T extends TObject>(body: T) =>
  itemsOf(Type.Composite([closed({ id: ClientChosenId }), body], { additionalProperties: false }));

export const ReservationState = closed({
  id: ClientChosenId,
  owner: Type.String(),
  status: oneOf(RESERVATION_STATUSES),
  version: Version,
});
export const verbResults = (problems: readonly string[]) =>
  resultsOf(ReservationState, [...problems, 'auth.forbidden']);
