/**
 * The book of one SKU at one node, in units, all ≥ 0.
 *
 *   on_hand + shortfall = available + committed + reserved + safety_stock + damaged + quality_control
 */
import type { NodeKey } from './keys.ts';
import { STOCK_STATES, type StateField, type StateUnits } from './stock-states.ts';

export interface StockRow extends Readonly<Record<StateField, number>> {
  readonly node: NodeKey;
}

/**
 * A row of units told in the order of the list. Every row is made here, so that all have one shape. This and
 * {@link unitsOf} are written out because properties with computed names cost many times as much, and rows are read and
 * written by the thousand; the checker finds a state that is missing, and a spec one that is out of its place.
 */
export const stockRowOf = (node: NodeKey, units: StateUnits): StockRow => ({
  node,
  available: units[0],
  committed: units[1],
  reserved: units[2],
  safetyStock: units[3],
  damaged: units[4],
  qualityControl: units[5],
  shortfall: units[6],
  overdrawn: units[7],
});

/** The units of a row in the order of the list. */
export const unitsOf = (row: StockRow): StateUnits => [
  row.available,
  row.committed,
  row.reserved,
  row.safetyStock,
  row.damaged,
  row.qualityControl,
  row.shortfall,
  row.overdrawn,
];

const NO_UNITS = STOCK_STATES.map(() => 0) as unknown as StateUnits;

export const emptyRow = (node: NodeKey): StockRow => stockRowOf(node, NO_UNITS);

const IS_ON_HAND = STOCK_STATES.map(({ kind }) => kind === 'on_hand');

/** Units physically there, as far as the book knows. */
export function onHand(row: StockRow): number {
  const units: readonly number[] = unitsOf(row);
  let there = -row.shortfall;
  for (let place = 0; place < IS_ON_HAND.length; place++) if (IS_ON_HAND[place]) there += units[place] ?? 0;
  return there;
}

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
