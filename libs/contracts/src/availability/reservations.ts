/** A reservation from cart to shipment: the requests of its verbs and the one view that all of them answer. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ChannelCode,
  ClientChosenId,
  EXPIRES_IN_SECONDS_DEFAULT,
  EXPIRES_IN_SECONDS_MAX,
  LINES_MAX,
  Latitude,
  Longitude,
  NodeCode,
  PositiveUnits,
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
  destination: Type.Optional(closed({ lat: Latitude, lng: Longitude }, { description: 'Nearer nodes are preferred.' })),
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
  'Units that are physically available are promised whatever thresholds keep back. `by_hand` also leaves the lines’ nodes and the channel’s. Needs the scope `stock:override`.',
);

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
  expectedVersion: Type.Integer({
    minimum: 1,
    description: 'The reservation’s version that the moves were decided on.',
  }),
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
  channel: ChannelCode,
  status: oneOf(RESERVATION_STATUSES, 'Derived: held or confirmed while units are, else closed.'),
  version: Type.Integer({ minimum: 1, description: 'Counts the changes of this reservation.' }),
  createdAt: Timestamp,
  expiresAt: Type.Union([Timestamp, Type.Null()], { description: 'When held units expire; null once none are held.' }),
  lines: Type.Array(
    closed({
      id: LineId,
      sku: SkuCode,
      nodes: Type.Optional(Type.Array(NodeCode)),
      requested: PositiveUnits,
      granted: UnitCount,
      skuVersion: Type.Optional(Version),
      backings: Type.Array(Backing),
    }),
  ),
});
export type Reservation = Static<typeof Reservation>;
