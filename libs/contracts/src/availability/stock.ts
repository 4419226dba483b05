/** Stock movements told to us, and what the book says: states per node, ATP per channel, the ledger. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ChannelCode,
  ClientChosenId,
  CodePrefix,
  LINES_MAX,
  NodeCode,
  PositiveUnits,
  Quantity,
  ShortText,
  SignedQuantity,
  SkuCode,
  Timestamp,
  UnitCount,
  Version,
  closed,
  oneOf,
} from '../shared/primitives.ts';

const movement = {
  sku: SkuCode,
  node: NodeCode,
  reason: Type.Optional(ShortText),
  sourceEventId: Type.Optional(ShortText),
};
const plain = <T extends string>(type: T, description: string) =>
  closed({ type: Type.Literal(type), ...movement, quantity: Quantity }, { description });

/** States by the names that the ledger has for them. */
export const NAMED_STATES = ['available', 'damaged', 'quality_control', 'safety_stock'] as const;
/** Those that a physical count may name. What is available follows from all that is there. */
export const COUNTED_STATES = ['damaged', 'quality_control'] as const;
const state = (description: string) => oneOf(NAMED_STATES, description);

export const Movement = Type.Union([
  closed(
    {
      type: Type.Literal('sale'),
      ...movement,
      quantity: Quantity,
      fulfilment: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$',
          maxLength: 64,
          description:
            'The fulfilment that these units are: told by a till, a warehouse and the shop, one hand-over counts once. The largest of their running totals is what has left.',
        }),
      ),
    },
    { description: 'Units left the node with a buyer. Never refused: it may take promised units.' },
  ),
  plain('receipt', 'Units arrived.'),
  plain('found', 'Units turned up that the book did not have.'),
  plain('damage', 'Units on hand became unsellable.'),
  closed({
    type: Type.Literal('adjustment'),
    ...movement,
    quantity: SignedQuantity('Signed units, not 0.'),
  }),
  closed(
    {
      type: Type.Literal('transfer'),
      ...movement,
      toNode: NodeCode,
      quantity: Quantity,
      from: Type.Optional(
        state('The state that they were in, and are in there. Left out: what a sale would take first.'),
      ),
    },
    {
      description:
        'Units moved to `toNode`, each in the state that it was in. A fact: without a state it is never refused, and may overdraw.',
    },
  ),
  closed(
    {
      type: Type.Literal('scrap'),
      ...movement,
      quantity: Quantity,
      from: Type.Optional(state('The state that they leave: `damaged` unless told.')),
    },
    { description: 'Units left the node for good.' },
  ),
  closed(
    {
      type: Type.Literal('state'),
      ...movement,
      quantity: Quantity,
      from: state('The state that units leave.'),
      to: state('The state that they enter.'),
    },
    { description: 'Units stay, in another state: repaired, set aside, taken to inspection or back.' },
  ),
  closed({
    type: Type.Literal('safety_stock'),
    ...movement,
    quantity: SignedQuantity('Signed units set aside, not 0.'),
  }),
]);
export type Movement = Static<typeof Movement>;

export const SourceName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$',
  description:
    'The system that tells us, as `pos` or `wms`. `onepool`, and what begins with it and `.`, `_`, `:` or `-`, is reserved.',
});
/** What the engine does by itself bears this name in the ledger. */
export const OWN_SOURCE = 'onepool';
/** Names that nobody else may use for a source, so that the ledger's readers know what the engine did. */
export const isReservedSource = (source: string): boolean => /^onepool(?:[._:-]|$)/i.test(source);

export const MovementsRequest = closed({
  id: ClientChosenId,
  source: SourceName,
  occurredAt: Type.Optional(Timestamp),
  movements: Type.Array(Movement, {
    minItems: 1,
    maxItems: LINES_MAX,
    description: 'Applied together, in order, or not at all.',
  }),
});
export type MovementsRequest = Static<typeof MovementsRequest>;

/** Units of one SKU at one node by state. `onHand + shortfall` = the six states' sum. */
export const StockRow = closed({
  node: NodeCode,
  onHand: UnitCount,
  available: UnitCount,
  committed: UnitCount,
  reserved: UnitCount,
  safetyStock: UnitCount,
  damaged: UnitCount,
  qualityControl: UnitCount,
  shortfall: UnitCount,
  overdrawn: UnitCount,
  unapplied: Type.Integer({
    minimum: 0,
    description: 'Units that have come and wait until it is settled which backorders they serve; not on hand yet.',
  }),
});
export type StockRow = Static<typeof StockRow>;

export const StockOfSku = closed({ sku: SkuCode, version: Version, asOf: Timestamp, rows: Type.Array(StockRow) });
export type StockOfSku = Static<typeof StockOfSku>;

export const MovementsResult = closed({
  id: ClientChosenId,
  recordedAt: Timestamp,
  skus: Type.Array(closed({ sku: SkuCode, version: Version, rows: Type.Array(StockRow) }), {
    description: 'Every row that changed, as it stood when the movements had been applied.',
  }),
  repeated: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1 }), {
      description: 'Movements, counted from 1, whose source event has taken effect before: they did nothing.',
    }),
  ),
  handedOver: Type.Optional(
    Type.Array(
      closed({
        line: Type.Integer({ minimum: 1 }),
        reservation: ClientChosenId,
        owner: Type.String(),
        fulfilled: UnitCount,
        beyond: Type.Integer({
          minimum: 0,
          description: 'Units that the fulfilment did not have there: they left as in a plain sale.',
        }),
      }),
      {
        description:
          'What movements that name a fulfilment came to: units told before by others are in neither number.',
      },
    ),
  ),
  late: Type.Array(
    closed({
      line: Type.Integer({ minimum: 1, description: 'Which of the movements, counted from 1.' }),
      node: NodeCode,
      state: Type.Optional(
        oneOf(
          COUNTED_STATES,
          'Which state was counted: it has as many units as before. Absent where all that is there was counted.',
        ),
      ),
      quantity: Type.Integer({ description: 'Units that would have come, or gone (below 0).' }),
      countedAt: Timestamp,
      countedBy: SourceName,
    }),
    {
      description:
        'Movements that are older than the newest count of their row, or of one of its states, which had seen them: they left the number of units as it was, there or in that state.',
    },
  ),
});
export type MovementsResult = Static<typeof MovementsResult>;

const MinVersion = Type.Integer({ minimum: 0, description: 'Answer from a state at least this new.' });

export const AtpQuery = closed({
  channel: ChannelCode,
  byNode: Type.Optional(Type.Boolean({ default: false })),
  minVersion: Type.Optional(MinVersion),
});
export type AtpQuery = Static<typeof AtpQuery>;

export const AtpManyRequest = closed({
  channel: ChannelCode,
  skus: Type.Array(SkuCode, { minItems: 1, maxItems: 1_000 }),
  nodes: Type.Optional(Type.Array(NodeCode, { minItems: 1, maxItems: 100, description: 'Count only these nodes.' })),
  byNode: Type.Optional(Type.Boolean({ default: false })),
  minVersion: Type.Optional(MinVersion),
});
export type AtpManyRequest = Static<typeof AtpManyRequest>;

export const Atp = closed({
  sku: SkuCode,
  channel: ChannelCode,
  atp: UnitCount,
  atpWithIncoming: Type.Optional(
    Type.Integer({
      minimum: 0,
      description:
        'What a line that may wait can be promised, where that is more: ATP, announced receipts and allowances.',
    }),
  ),
  version: Version,
  asOf: Timestamp,
  nodes: Type.Optional(Type.Array(closed({ node: NodeCode, atp: UnitCount }))),
});
export type Atp = Static<typeof Atp>;
export const AtpMany = closed({ items: Type.Array(Atp) });
export type AtpMany = Static<typeof AtpMany>;

export const LedgerVerifyRequest = closed({
  skuPrefix: Type.Optional({ ...CodePrefix, description: 'Check only SKUs that begin so.' }),
});
export type LedgerVerifyRequest = Static<typeof LedgerVerifyRequest>;
export const LedgerVerification = closed({
  balanced: Type.Boolean(),
  rowsChecked: Type.Integer(),
  mismatches: Type.Array(
    closed({ sku: SkuCode, node: NodeCode, state: Type.String(), book: Type.Integer(), ledger: Type.Integer() }),
    { description: 'At most 100 rows whose balance is not the sum of their ledger.' },
  ),
});
export type LedgerVerification = Static<typeof LedgerVerification>;

/** Whose reservation or event it was is nothing that everybody who may read stock has to know. */
const AUDIT_ONLY = 'Only for keys with scope `stock:audit`.';

export const LedgerEntry = closed({
  entry: Type.String({ description: 'Opaque, ascending per SKU.' }),
  sku: SkuCode,
  node: NodeCode,
  from: Type.String(),
  to: Type.String(),
  quantity: PositiveUnits,
  reason: Type.String(),
  source: Type.Optional(
    Type.String({
      description: `Who said so: a system that told us, the API client of a reservation, or \`onepool\`. ${AUDIT_ONLY}`,
    }),
  ),
  sourceEventId: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: `Its event, or the reservation. ${AUDIT_ONLY}` }),
  ),
  version: Version,
  occurredAt: Timestamp,
  recordedAt: Timestamp,
});
export type LedgerEntry = Static<typeof LedgerEntry>;

export const STOCK_EXCEPTION_CODES = [
  'promise.short',
  'promise.stranded',
  'inbound.overdue',
  'inbound.short',
  'feed.negative_availability',
  'inspection.overdue',
] as const;
/** A line of a receipt or transfer, as whoever announced it names it. */
export const InboundLineName = closed({
  owner: Type.String({ description: 'Who has announced it: a principal.' }),
  id: { ...ClientChosenId, description: 'Of the receipt or transfer.' },
  line: Type.String({ description: 'The id of the line.' }),
});
export const StockException = closed({
  id: Type.String(),
  code: oneOf(
    STOCK_EXCEPTION_CODES,
    '`promise.short`: promises that the book does not cover found no other node. `promise.stranded`: promises may not stay at a node that has closed, is drained or left their channel, and only a person or an order can move them. `inbound.overdue`: what a receipt or transfer was to bring is late. `inbound.short`: more is promised of a receipt or transfer than it will bring. `feed.negative_availability`: another system has told less than 0 available, having promised more than it has. `inspection.overdue`: units wait for approval for longer than they should.',
  ),
  subject: Type.String({
    description:
      'What it is about: `stock/<sku>/<node>`, or `inbound/<owner>/<id>/<line>`, each name percent-encoded. Of a code and a subject at most one exception is open.',
  }),
  sku: SkuCode,
  node: NodeCode,
  inbound: Type.Optional({ ...InboundLineName, description: 'Of which receipt or transfer; absent of what is there.' }),
  quantity: Type.Integer({
    minimum: 0,
    description:
      'Units that it is about: promised ones, here or in the other system, or those that wait; 0 once it is closed.',
  }),
  dueAt: Type.Optional({
    ...Timestamp,
    description:
      'When the engine gives up the first of the promises about which an order has to decide; absent where there is none.',
  }),
  openedAt: Timestamp,
  closedAt: Type.Union([Timestamp, Type.Null()]),
});
export type StockException = Static<typeof StockException>;

export const EventCount = closed({
  written: Type.Integer({ minimum: 0, description: 'Facts in the outbox about them.' }),
});
export type EventCount = Static<typeof EventCount>;
