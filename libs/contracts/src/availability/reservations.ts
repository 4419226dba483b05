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

export const HoldRequest = closed({
  id: ClientChosenId,
  owner: Type.Optional(Owner),
  channel: ChannelCode,
  lines: Type.Array(closed({ sku: SkuCode, quantity: Quantity }), {
    minItems: 1,
    maxItems: LINES_MAX,
    description: 'Lines of one SKU are summed and decided together.',
  }),
  allowPartial: Type.Optional(
    Type.Boolean({ default: false, description: 'Grant what there is instead of all or nothing.' }),
  ),
  expiresInSeconds: Type.Optional(ExpiresInSeconds),
  nodes: Type.Optional(
    Type.Array(NodeCode, {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'Only these nodes may back it, as for a pickup.',
    }),
  ),
  destination: Type.Optional(closed({ lat: Latitude, lng: Longitude }, { description: 'Nearer nodes are preferred.' })),
});
export type HoldRequest = Static<typeof HoldRequest>;

const command = { commandId: ClientChosenId, owner: Type.Optional(Owner) };
const PartLines = Type.Array(closed({ sku: SkuCode, node: NodeCode, quantity: Quantity }), {
  minItems: 1,
  maxItems: LINES_MAX,
});

export const ExtendRequest = closed({ ...command, expiresInSeconds: ExpiresInSeconds });
export type ExtendRequest = Static<typeof ExtendRequest>;

export const ConfirmRequest = closed({
  ...command,
  reacquire: Type.Optional(
    Type.Boolean({ default: false, description: 'After expiry, take the units anew if they are there.' }),
  ),
});
export type ConfirmRequest = Static<typeof ConfirmRequest>;

export const RebackRequest = closed({
  ...command,
  expectedVersion: Type.Integer({ minimum: 1, description: 'The reservation version the moves were decided on.' }),
  moves: Type.Array(
    closed({
      sku: SkuCode,
      from: NodeCode,
      to: NodeCode,
      quantity: Quantity,
      unpin: Type.Optional(
        Type.Boolean({ default: false, description: 'The node has rejected or acknowledged a cancellation.' }),
      ),
    }),
    { minItems: 1, maxItems: LINES_MAX },
  ),
  pin: Type.Optional(closed({ fulfilmentId: ClientChosenId, orderVersion: Type.Integer({ minimum: 0 }) })),
});
export type RebackRequest = Static<typeof RebackRequest>;

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

export const BACKING_KINDS = ['stock', 'incoming', 'allowance'] as const;

/** The quantity one supply row stands for, by state. */
export const Backing = closed({
  node: NodeCode,
  kind: oneOf(BACKING_KINDS),
  held: UnitCount,
  confirmed: UnitCount,
  fulfilled: UnitCount,
  released: UnitCount,
  expired: UnitCount,
  cancelled: UnitCount,
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
      sku: SkuCode,
      requested: PositiveUnits,
      granted: UnitCount,
      skuVersion: Type.Optional(Version),
      backings: Type.Array(Backing),
    }),
  ),
});
export type Reservation = Static<typeof Reservation>;
