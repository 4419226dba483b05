/** What brings units: receipts, announced or not, and transfers once they have been shipped. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ClientChosenId,
  LINES_MAX,
  NodeCode,
  PrincipalId,
  QUANTITY_UNITS_MAX,
  Quantity,
  ShortText,
  SkuCode,
  Timestamp,
  UnitCount,
  Version,
  closed,
  oneOf,
  pageMembers,
} from '../shared/primitives.ts';
import { LineId } from './reservations.ts';
import { SourceName, StockRow } from './stock.ts';

export const DueAt = Type.Union([Timestamp, Type.Null()], {
  description: 'When it should be there; null if nobody has said.',
});

export const InboundLineChange = closed({
  id: LineId,
  sku: SkuCode,
  node: { ...NodeCode, description: 'Where it arrives. A line keeps its SKU and node.' },
  quantity: Type.Integer({
    minimum: 0,
    maximum: QUANTITY_UNITS_MAX,
    description: 'Units in all, what has arrived included.',
  }),
  dueAt: Type.Optional(DueAt),
  closed: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Nothing more is expected of it. What was promised of it and has not come is short.',
    }),
  ),
});
export const PutInbound = closed({
  lines: Type.Array(InboundLineChange, {
    minItems: 1,
    maxItems: LINES_MAX,
    description: 'Lines as they are to be from now on; others stay as they are. Sent again, it changes nothing.',
  }),
});
export type PutInbound = Static<typeof PutInbound>;

const Owner = Type.String({ ...PrincipalId, description: 'Who has announced or shipped it: the caller unless given.' });
export const InboundOwnerQuery = closed({ owner: Type.Optional(Owner) });

export const INBOUND_KINDS = ['receipt', 'transfer'] as const;
export const InboundLine = closed({
  inbound: ClientChosenId,
  owner: Type.String({ description: 'Who has announced or shipped it: a principal.' }),
  kind: oneOf(INBOUND_KINDS),
  line: LineId,
  sku: SkuCode,
  node: { ...NodeCode, description: 'Where it arrives.' },
  from: Type.Optional({ ...NodeCode, description: 'The node that it leaves, if it is of a transfer.' }),
  quantity: Type.Integer({
    minimum: 0,
    description: 'Units that were announced in all; of a transfer, shipped so far.',
  }),
  received: UnitCount,
  lost: Type.Integer({ minimum: 0, description: 'Units that were expected when the line was closed.' }),
  promised: Type.Integer({ minimum: 0, description: 'Units that are promised of what is still to come.' }),
  dueAt: DueAt,
  closed: Type.Boolean(),
});
export type InboundLine = Static<typeof InboundLine>;

export const Inbound = closed({ id: ClientChosenId, owner: Type.String(), lines: Type.Array(InboundLine) });
export type Inbound = Static<typeof Inbound>;

export const InboundLineQuery = closed({
  sku: Type.Optional(SkuCode),
  open: Type.Optional(Type.Boolean({ default: false, description: 'Only lines that are not closed.' })),
  ...pageMembers('^\\d{1,15}$'),
});
export type InboundLineQuery = Static<typeof InboundLineQuery>;

const ARRIVED = {
  quantity: { ...Quantity, description: 'Units that are there, in all.' },
  damaged: Type.Optional(
    Type.Integer({ minimum: 0, maximum: QUANTITY_UNITS_MAX, description: 'How many of them are damaged.' }),
  ),
};
export const ReceiptLine = Type.Union([
  closed(
    {
      line: { ...LineId, description: 'Of the receipt that was announced, or of the transfer.' },
      ...ARRIVED,
      closes: Type.Optional(Type.Boolean({ description: 'Nothing more comes of the line: what is missing is lost.' })),
    },
    {
      description:
        'A line closes by itself when all that was announced or shipped is there; another leg of a transfer opens it again.',
    },
  ),
  closed({ sku: SkuCode, node: NodeCode, ...ARRIVED }, { description: 'Units that nobody has announced.' }),
]);

export const ReceiptRequest = closed({
  id: ClientChosenId,
  source: SourceName,
  occurredAt: Type.Optional(Timestamp),
  reason: Type.Optional(ShortText),
  inbound: Type.Optional({
    ...ClientChosenId,
    description: 'The receipt that was announced, or the transfer, whose lines are named.',
  }),
  owner: Type.Optional(Owner),
  lines: Type.Array(ReceiptLine, { minItems: 1, maxItems: LINES_MAX, description: 'All of them, in order, or none.' }),
});
export type ReceiptRequest = Static<typeof ReceiptRequest>;

export const ReceiptResult = closed({
  id: ClientChosenId,
  recordedAt: Timestamp,
  lines: Type.Array(
    closed({
      over: Type.Integer({ minimum: 0, description: 'Units beyond what was expected.' }),
      lost: Type.Integer({ minimum: 0, description: 'Units that are expected no longer and have not come.' }),
      served: Type.Integer({ minimum: 0, description: 'Units that went to those who waited for some, by now.' }),
      toInspect: Type.Optional(
        Type.Integer({ minimum: 1, description: 'Units that wait for approval, for which an inspection has opened.' }),
      ),
      late: Type.Boolean({
        description: 'Whether a newer count of the row had seen them: they left the number of units as it was.',
      }),
    }),
    { description: 'What each line came to, in their order.' },
  ),
  skus: Type.Array(closed({ sku: SkuCode, version: Version, rows: Type.Array(StockRow) }), {
    description: 'The rows where units arrived, as they stood then.',
  }),
});
export type ReceiptResult = Static<typeof ReceiptResult>;
