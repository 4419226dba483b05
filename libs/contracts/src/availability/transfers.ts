/** Transfers: units leave a node, and are on their way to others until a receipt says that they are there. */
import { type Static, Type } from '@sinclair/typebox';
import { post } from '../shared/operation.ts';
import { requestSubject } from '../shared/module-contract.ts';
import {
  ClientChosenId,
  LINES_MAX,
  NodeCode,
  PositiveUnits,
  Quantity,
  ShortText,
  SkuCode,
  Timestamp,
  UnitCount,
  Version,
  closed,
  oneOf,
  problemInAnswer,
} from '../shared/primitives.ts';
import { STOCK_SCOPE } from './facts.ts';
import { DueAt } from './inbound.ts';
import { BULK_ITEMS_MAX, FulfilmentId, LineId, ReservationOwner } from './reservations.ts';
import { SourceName, StockRow } from './stock.ts';

/** Riders of one request, and those that are on their way with one transfer: a receipt lands them in one transaction. */
export const RIDERS_MAX = 2_000;

/** States in which units travel, as requests and answers name them. */
export const TRAVEL_STATES = ['available', 'quality_control', 'damaged'] as const;

const Rider = closed(
  {
    owner: Type.Optional(ReservationOwner),
    reservation: { ...ClientChosenId, description: 'The reservation of which confirmed units ride.' },
    fulfilment: FulfilmentId,
    line: Type.Optional({ ...LineId, description: 'Of the reservation; left out: any, in their order.' }),
    quantity: Quantity,
  },
  {
    description:
      'Confirmed units of a fulfilment at the node. They travel as what they are promised as, and are the first at their receipt.',
  },
);

export const TransferLine = closed({
  line: { ...LineId, description: 'Names the line within the transfer.' },
  sku: SkuCode,
  to: {
    ...NodeCode,
    description: 'Where it arrives. A line keeps its SKU, and the nodes that it leaves and arrives at.',
  },
  quantity: { ...Quantity, description: 'Units that leave with this leg, riders included.' },
  state: Type.Optional(
    oneOf(
      TRAVEL_STATES,
      'The state of units that nobody rides on. Left out: whatever physical events take first, each in the state in which it is.',
    ),
  ),
  dueAt: Type.Optional(DueAt),
  riders: Type.Optional(Type.Array(Rider, { minItems: 1, maxItems: RIDERS_MAX })),
});

export const ShipRequest = closed({
  id: ClientChosenId,
  source: Type.Optional({ ...SourceName, description: 'The system that tells it; left out, the caller itself.' }),
  occurredAt: Type.Optional(Timestamp),
  reason: Type.Optional(ShortText),
  transfer: {
    ...ClientChosenId,
    description:
      'The transfer, as the caller names it. Receipts that it announces and its transfers have ids of one kind.',
  },
  from: { ...NodeCode, description: 'The node that the units leave.' },
  lines: Type.Array(TransferLine, {
    minItems: 1,
    maxItems: LINES_MAX,
    description: `All of them, or none. A line may be shipped in several legs: each adds its units. At most ${RIDERS_MAX} riders in all.`,
  }),
});
export type ShipRequest = Static<typeof ShipRequest>;

const ShippedLine = closed({
  line: LineId,
  sent: Type.Array(closed({ state: oneOf(TRAVEL_STATES), quantity: PositiveUnits }), {
    description: 'The states in which units travel. Those that the book did not know of are taken to be sound.',
  }),
  riding: { ...UnitCount, description: 'Units of fulfilments among them.' },
  arrived: Type.Integer({
    minimum: 0,
    description: 'Units among them that a receipt has told of before this leg: they are there, and not on their way.',
  }),
  late: Type.Boolean({
    description:
      'Whether a newer count of the row had seen them gone: they left the number of units there as it was, and are on their way all the same.',
  }),
});

export const ShipResult = closed({
  id: ClientChosenId,
  transfer: ClientChosenId,
  recordedAt: Timestamp,
  lines: Type.Array(ShippedLine, { description: 'What each line came to, in their order.' }),
  skus: Type.Array(closed({ sku: SkuCode, version: Version, rows: Type.Array(StockRow) }), {
    description: 'The rows that units left, as they stood then.',
  }),
});
export type ShipResult = Static<typeof ShipResult>;

/** Why nothing was shipped. */
export const SHIP_PROBLEMS = [
  'sku.unknown',
  'node.unknown',
  'node.forbidden',
  'line.duplicate',
  'transfer.same_node',
  'transfer.too_large',
  'inbound.other_kind',
  'inbound.line_differs',
  'reservation.unknown',
  'reservation.attached',
  'reservation.units_missing',
  'movement.exceeds_stock',
  'movement.out_of_range',
  'source.reserved',
  'idempotency.mismatch',
] as const;

export const ShipManyRequest = closed({
  items: Type.Array(ShipRequest, { minItems: 1, maxItems: BULK_ITEMS_MAX, description: 'Each is decided by itself.' }),
});
export const ShipManyResult = closed({
  results: Type.Array(
    Type.Union([ShipResult, closed({ problem: problemInAnswer([...SHIP_PROBLEMS, 'auth.forbidden']) })]),
    { description: 'In the order of the items.' },
  ),
});
export type ShipManyResult = Static<typeof ShipManyResult>;

export const TRANSFER_OPERATIONS = {
  ship: {
    summary: 'Ship a leg of a transfer',
    description:
      'Units have left a node and are on their way: what of them nobody rides on may be promised to lines that may wait. They arrive by a receipt that names the transfer. What does not arrive is given up by a receipt with `closes`, of 0 units if nothing came; a transfer is not undone otherwise, and what comes back is a transfer of its own. Riders need the scope `reservations:write`; in a refusal `reservation` counts them from 0 through all lines, and `line` the lines from 1.',
    http: post('/v1/transfers', 201),
    subject: requestSubject(STOCK_SCOPE, 'transfer.ship'),
    idempotency: 'id',
    scope: 'stock:write',
    moreWith: ['reservations:write', 'reservations:any'],
    saysSentAt: true,
    body: ShipRequest,
    response: ShipResult,
    problems: [...SHIP_PROBLEMS, 'outcome.unknown'],
  },
  shipMany: {
    summary: 'Ship legs of many transfers',
    description: `Each item is decided by itself, as a leg is, and has its own result. They have at most ${LINES_MAX} lines and riders in all.`,
    http: post('/v1/transfers.many'),
    subject: requestSubject(STOCK_SCOPE, 'transfer.ship.many'),
    idempotency: 'natural',
    scope: 'stock:write',
    moreWith: ['reservations:write', 'reservations:any'],
    saysSentAt: true,
    body: ShipManyRequest,
    response: ShipManyResult,
    problems: ['bulk.too_large', 'outcome.unknown'],
    problemsInAnswer: SHIP_PROBLEMS,
  },
} as const;
