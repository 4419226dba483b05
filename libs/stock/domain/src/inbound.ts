/** What brings units to a node: the lines of receipts and transfers, and the rows of the book that stand for them until they are there. */
import type { NodeKey, SkuKey } from './keys.ts';
import { type SupplyPlace, type SupplyRow, isEmptyRow, onHand, promised } from './supply-row.ts';

/** A line of a receipt or of a transfer, for one SKU. */
export interface InboundLine {
  /** Names it among all lines of all SKUs, and with its node its row in the book. */
  readonly detail: number;
  /** Where it arrives. */
  readonly node: NodeKey;
  readonly brings: 'receipt' | 'transfer';
  /** Milliseconds; null if nobody has said. */
  readonly dueAt: number | null;
  /** Nothing more is expected of it. */
  readonly isClosed: boolean;
}

export const NO_INBOUND: readonly InboundLine[] = [];

/** Where the book has what a line brings. */
export const onTheWay = ({ node, detail }: Pick<InboundLine, 'node' | 'detail'>): SupplyPlace => ({
  node,
  kind: 'incoming',
  detail,
});

/** Units of an incoming row that have not arrived and are not lost. */
export const inTransit = (row: SupplyRow): number => onHand(row);

/** Of these, the ones that are fit for sale, promised ones included. */
export const soundInTransit = (row: SupplyRow): number => row.available + promised(row) - row.shortfall;

/** Whether what a line brings should be there and is not, or will never come. */
export const isOverdue = ({ dueAt, isClosed }: InboundLine, now: number): boolean =>
  isClosed || (dueAt !== null && dueAt < now);

/** Whether a line and its row are done with: the row may be deleted, and the key is never used again. */
export const isSpent = (line: InboundLine, row: SupplyRow): boolean => line.isClosed && isEmptyRow(row);

/** The line of an incoming row. A row that was loaded without it is a broken invariant. */
export function inboundLineOf(sku: SkuKey, inbound: readonly InboundLine[], detail: number): InboundLine {
  const found = inbound.find((line) => line.detail === detail);
  if (!found) throw new Error(`Broken invariant: line ${detail} of SKU ${sku} was not loaded with its row`);
  return found;
}
