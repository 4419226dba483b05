/** Facts on JetStream: CloudEvents 1.0 in NATS binary mode; the subject is also the `ce-type`. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ClientChosenId,
  ChannelCode,
  NodeCode,
  PositiveUnits,
  SkuCode,
  Timestamp,
  Version,
  closed,
  oneOf,
} from '../shared/primitives.ts';
import { FEED_MEASURES } from './feeds.ts';
import { FulfilmentId, LineId } from './reservations.ts';
import type { FactDefinition } from '../shared/fact-definition.ts';
import { factStream } from '../shared/module-contract.ts';
import { COUNTED_STATES, InboundLineName, StockException, StockRow } from './stock.ts';
import { StopOfSku } from './stops.ts';

/** The subject scope of stock and its promises. */
export const STOCK_SCOPE = 'stock';
/** The JetStream stream of its facts. */
export const STOCK_STREAM = factStream(STOCK_SCOPE);

export const CAUSE_KINDS = ['promise', 'stock', 'incoming', 'state', 'stop', 'fence', 'inbound_line'] as const;
/** Why stock of a SKU is another than before, summed by node, source and reason. */
export const Cause = closed({
  kind: oneOf(
    CAUSE_KINDS,
    '`promise`: units were promised, given back or moved; told without more. `stock`: units came or went. `incoming`: more units are on their way to the node, or fewer. `state`: units changed their state. Told without more, where no unit was moved: `stop`: stops that name the SKU were set, changed or lifted; `fence`: fences pay for other units than before; `inbound_line`: something else is said of a line that is to come.',
  ),
  node: Type.Optional(NodeCode),
  source: Type.Optional(Type.String({ description: 'The name under which a system told it.' })),
  reason: Type.Optional(Type.String({ description: 'As in the ledger: a kind of movement, a count, a verb.' })),
  quantity: Type.Optional(
    Type.Integer({ description: 'Units; of stock that went, and of units that are on their way no longer, below 0.' }),
  ),
  occurredFrom: Type.Optional(Timestamp),
  occurredTo: Type.Optional(Timestamp),
});
export type Cause = Static<typeof Cause>;

export const SKU_CHANGED = 'onepool.stock.sku.changed.v1';
/** Coalesced per SKU and commit; key `sku/<code>`. Versions chain: `fromVersion` equals the previous fact's `toVersion`. */
export const SkuChanged = closed({
  sku: SkuCode,
  fromVersion: Version,
  toVersion: Version,
  recordedAt: Timestamp,
  rows: Type.Array(StockRow, { description: 'The rows that changed, with their new absolute values.' }),
  stops: Type.Optional(
    Type.Array(StopOfSku, { description: 'Where they have changed: all stops that name the SKU now.' }),
  ),
  causes: Type.Array(Cause),
});
export type SkuChanged = Static<typeof SkuChanged>;

export const RESERVATION_FACTS = [
  'attached',
  'amended',
  'confirmed',
  'moved',
  'acknowledged',
  'rejected',
  'given_up',
  'fulfilled',
  'unfulfilled',
  'released',
  'cancelled',
  'expired',
] as const;
export type ReservationFact = (typeof RESERVATION_FACTS)[number];
export const reservationSubject = (fact: ReservationFact): string => `onepool.stock.reservation.${fact}.v1`;

const Ahead = oneOf(
  ['incoming', 'allowance'],
  'Only of units that are not there yet: on their way to the node with a receipt or transfer, or promised ahead.',
);

/**
 * One verb's effect on one reservation; key `reservation/<owner>/<id>`. A hold publishes none: its caller has the answer. It names
 * principals, so who may read it is for NATS permissions to say: see docs/access.md.
 */
export const ReservationChanged = closed({
  reservation: ClientChosenId,
  owner: Type.String({ description: 'Whose reservation it is: a principal.' }),
  actor: Type.String({ description: 'Who did it: a principal, or `onepool` for what the engine does by itself.' }),
  person: Type.Optional(
    Type.String({
      description: 'The person that did it, or on whose behalf the actor did; absent where nobody in particular did.',
    }),
  ),
  order: Type.Optional(Type.String({ description: 'The order that the reservation is attached to.' })),
  channel: ChannelCode,
  fact: oneOf(RESERVATION_FACTS),
  version: Type.Integer({ minimum: 1 }),
  recordedAt: Timestamp,
  changes: Type.Array(
    closed({
      line: LineId,
      sku: SkuCode,
      node: Type.Union([NodeCode, Type.Null()]),
      fulfilment: Type.Optional(FulfilmentId),
      kind: Type.Optional(Ahead),
      quantity: PositiveUnits,
      to: Type.Optional(Type.Union([NodeCode, Type.Null()])),
      toFulfilment: Type.Optional(FulfilmentId),
      toKind: Type.Optional(Ahead),
    }),
    {
      description:
        'Units by backing; of units that moved, `to`, `toFulfilment` and `toKind` say where they stand now. Null is no node in particular.',
    },
  ),
});
export type ReservationChanged = Static<typeof ReservationChanged>;

/** Units of a line of a reservation that cannot be kept as promised. */
export const PromiseInTrouble = closed({
  reservation: ClientChosenId,
  owner: Type.String({ description: 'Whose reservation it is: a principal.' }),
  order: Type.Optional(
    Type.String({
      description: 'The order that decides about it. Without one the engine moves the units, once some node has units.',
    }),
  ),
  line: LineId,
  fulfilment: Type.Optional(FulfilmentId),
  quantity: PositiveUnits,
  dueAt: Type.Optional({
    ...Timestamp,
    description: 'Until when the order has to decide; then the engine gives the units up.',
  }),
  candidates: Type.Optional(
    Type.Array(closed({ node: NodeCode, units: PositiveUnits }), {
      maxItems: 10,
      description:
        'Nodes that could take units of the line now, those with the most first. Several promises may have the same units in mind.',
    }),
  ),
});
export type PromiseInTrouble = Static<typeof PromiseInTrouble>;

const PROMISES_MAX = 200;
const MORE = `At most ${PROMISES_MAX}; of more promises several facts tell.`;
const troubleMembers = (quantity: string, promises: string) => ({
  sku: SkuCode,
  node: NodeCode,
  inbound: Type.Optional({
    ...InboundLineName,
    description: 'Of which receipt or transfer the units are promised; absent where it is about what is there.',
  }),
  quantity: Type.Integer({ minimum: 1, description: quantity }),
  promises: Type.Array(PromiseInTrouble, { minItems: 1, maxItems: PROMISES_MAX, description: `${promises} ${MORE}` }),
  recordedAt: Timestamp,
});

export const PROMISE_SHORT = 'onepool.stock.promise.short.v1';
/** Promised units that the book no longer covers where they stand, and that found no other node; key `sku/<code>`. */
export const PromiseShort = closed(
  troubleMembers(
    'Units that are short there in all, those of promises told before included.',
    'Promises that are short and were not told, or of which another quantity or another order was told: each with all its units that are short there now.',
  ),
);
export type PromiseShort = Static<typeof PromiseShort>;

export const PROMISE_MENDED = 'onepool.stock.promise.mended.v1';
/** Promises that were told short and are covered again; key `sku/<code>`. */
export const PromiseMended = closed(
  troubleMembers('Units that are covered again.', 'Of these promises no unit is short there any more.'),
);
export type PromiseMended = Static<typeof PromiseMended>;

export const PROMISE_STRANDED = 'onepool.stock.promise.stranded.v1';
/** Promised units that may not stay where they are, and are not moved by the engine; key `sku/<code>`. */
export const PromiseStranded = closed(
  troubleMembers(
    'Units that may not stay there in all, those of promises told before included.',
    'Promises that may not stay there and were not told, or of which another quantity or another order was told.',
  ),
);
export type PromiseStranded = Static<typeof PromiseStranded>;

export const BROKEN_REASONS = ['given_up', 'deadline'] as const;
export const PROMISE_BROKEN = 'onepool.stock.promise.broken.v1';
/** Promised units that were given up; key `sku/<code>`. */
export const PromiseBroken = closed({
  sku: SkuCode,
  node: Type.Union([NodeCode, Type.Null()], { description: 'Where they stood; null of units that stood on nothing.' }),
  quantity: PositiveUnits,
  reason: oneOf(
    BROKEN_REASONS,
    '`given_up`: whoever decides about them gave them up. `deadline`: nobody had decided about them in time.',
  ),
  promises: Type.Array(PromiseInTrouble, {
    minItems: 1,
    maxItems: PROMISES_MAX,
    description: `Whose they were. ${MORE}`,
  }),
  recordedAt: Timestamp,
});
export type PromiseBroken = Static<typeof PromiseBroken>;

export const EXCEPTION_CLOSED = 'onepool.stock.exception.closed.v1';
/** Nobody has to look at it any more; key `sku/<code>`. */
export const ExceptionClosed = closed({
  exception: Type.String({ description: 'Its id in the list of exceptions.' }),
  code: StockException.properties.code,
  subject: StockException.properties.subject,
  sku: SkuCode,
  node: NodeCode,
  inbound: Type.Optional(InboundLineName),
  openedAt: Timestamp,
  closedAt: Timestamp,
});
export type ExceptionClosed = Static<typeof ExceptionClosed>;

export const ROWS_COUNTED = 'onepool.stock.rows.counted.v1';
/** SKUs that one fact names at most; fewer where their codes are long, so that it stays below 512 kB. */
export const COUNTED_SKUS_MAX = 2_000;
/** Rows of a node that a feed has counted, whether or not the number was right; key `count/<source>/<node>`. */
export const RowsCounted = closed({
  source: Type.String({ description: 'The name under which the feed was told.' }),
  node: NodeCode,
  measure: oneOf(
    FEED_MEASURES,
    'What was counted: units that are there, or those that the source has not yet promised.',
  ),
  state: Type.Optional(
    oneOf(COUNTED_STATES, 'Of which state it counted units; absent where it counted all that the measure says.'),
  ),
  capturedAt: Type.String({
    ...Timestamp,
    description: 'When they were counted; of rows with times of their own, the earliest.',
  }),
  recordedAt: Timestamp,
  skus: Type.Array(SkuCode, {
    minItems: 1,
    maxItems: COUNTED_SKUS_MAX,
    description: 'Those of which a row was counted at the node. Rows that were refused are not among them.',
  }),
});
export type RowsCounted = Static<typeof RowsCounted>;

const SUMMARIES: Readonly<Record<ReservationFact, string>> = {
  attached: 'An order was attached to a reservation, or let it go.',
  amended: 'A reservation was amended.',
  confirmed: 'Units of a reservation were confirmed.',
  moved: 'Units of a reservation were moved to another node or fulfilment.',
  acknowledged: 'A node has told how far it has come with units.',
  rejected: 'A node will not fulfil units that it was given.',
  given_up: 'Units were given up: the promise is broken.',
  fulfilled: 'Units of a reservation were fulfilled.',
  unfulfilled: 'A shipment was undone.',
  released: 'Units of a reservation were released.',
  cancelled: 'Units of a reservation were cancelled.',
  expired: 'Units of a reservation expired.',
};

const reservationFact = <const F extends ReservationFact>(fact: F) => ({
  id: `reservation_${fact}` as const,
  subject: reservationSubject(fact),
  data: ReservationChanged,
  summary: SUMMARIES[fact],
  description: 'Key: `reservation/<owner>/<id>`. A hold publishes no fact: its caller has the answer.',
});

/** Every fact of the stream {@link STOCK_STREAM}. */
export const STOCK_FACTS = [
  {
    id: 'skuChanged',
    subject: SKU_CHANGED,
    data: SkuChanged,
    summary: 'Stock of a SKU has changed.',
    description:
      'Coalesced by SKU and commit. Key: `sku/<code>`. `fromVersion` is the `toVersion` of the fact before, so a consumer sees any gap.',
  },
  {
    id: 'promiseShort',
    subject: PROMISE_SHORT,
    data: PromiseShort,
    summary: 'Promised units are not covered where they stand, and found no other node.',
    description:
      'Key: `sku/<code>`. Each promise is told once for each change of what is short of it. An order that has one moves its units (`POST /v1/allocations`) or gives them up (`give-up`) until `dueAt`. The row stands in the list of exceptions until it is covered.',
  },
  {
    id: 'promiseMended',
    subject: PROMISE_MENDED,
    data: PromiseMended,
    summary: 'Promises that were told short are covered again.',
    description: 'Key: `sku/<code>`. Promises that ended, or that stand on nothing since, are not among them.',
  },
  {
    id: 'promiseBroken',
    subject: PROMISE_BROKEN,
    data: PromiseBroken,
    summary: 'Promised units were given up.',
    description:
      'Key: `sku/<code>`. By whoever decides about them, or by the engine when nobody had by the deadline. The reservation tells the same as `given_up`.',
  },
  {
    id: 'promiseStranded',
    subject: PROMISE_STRANDED,
    data: PromiseStranded,
    summary: 'Promised units may not stay at their node, and the engine cannot move them.',
    description:
      'An order controls them, the node works on them, or no other has units. Key: `sku/<code>`. Each promise is told once for each change of it; the SKU and node stand in the list of exceptions until none is left.',
  },
  {
    id: 'exceptionClosed',
    subject: EXCEPTION_CLOSED,
    data: ExceptionClosed,
    summary: 'An exception is closed.',
    description: 'Key: `sku/<code>`. Whatever its code; told once for each exception.',
  },
  {
    id: 'rowsCounted',
    subject: ROWS_COUNTED,
    data: RowsCounted,
    summary: 'A feed has counted rows of a node.',
    example: {
      source: 'my-wms',
      node: 'depot',
      measure: 'physical',
      capturedAt: '2026-11-01T08:00:00.000Z',
      recordedAt: '2026-11-01T08:00:04.000Z',
      skus: ['mug-blue', 'mug-gold'],
    },
    description:
      'Told with each chunk of a reset, also of rows whose number was right; what has changed is told by SKU besides. Key: `count/<source>/<node>`. Whoever asks how fresh a number is keeps the newest `capturedAt` of each row: two feeds of one source may be applied at once.',
  },
  ...RESERVATION_FACTS.map((fact) => reservationFact(fact)),
] as const satisfies readonly FactDefinition[];
