/**
 * The book of one SKU at one node, in units, all ≥ 0.
 *
 *   on_hand + shortfall = available + committed + reserved + safety_stock + damaged + quality_control
 *
 * `shortfall` are promised units the book no longer covers; `overdrawn` are units sold that were never on record.
 */
import type { NodeKey } from './keys.ts';

export interface StockRow {
  readonly node: NodeKey;
  readonly available: number;
  readonly committed: number;
  readonly reserved: number;
  readonly safetyStock: number;
  readonly damaged: number;
  readonly qualityControl: number;
  readonly shortfall: number;
  readonly overdrawn: number;
}

export const emptyRow = (node: NodeKey): StockRow => ({
  node,
  available: 0,
  committed: 0,
  reserved: 0,
  safetyStock: 0,
  damaged: 0,
  qualityControl: 0,
  shortfall: 0,
  overdrawn: 0,
});

/** Units physically there, as far as the book knows. */
export const onHand = (row: StockRow): number =>
  row.available + row.committed + row.reserved + row.safetyStock + row.damaged + row.qualityControl - row.shortfall;

/** Units that stand behind open reservations. */
export const promised = (row: StockRow): number => row.committed + row.reserved;

/** What is wrong with a row, or null: the same laws that the table's CHECK constraints hold. */
export function rowFault(row: StockRow): string | null {
  const { node, ...units } = row;
  for (const [state, value] of Object.entries(units)) {
    if (!Number.isSafeInteger(value) || value < 0) return `${state} is ${value} at node ${node}`;
  }
  if (row.shortfall > promised(row)) return 'shortfall exceeds the promised units';
  if (row.shortfall > 0 && row.available + row.safetyStock > 0) return 'shortfall beside free units';
  if (row.overdrawn > 0 && onHand(row) > 0) return 'overdrawn beside units on hand';
  return null;
}
