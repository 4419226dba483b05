/**
 * A row of the book, in units, all ≥ 0: what one SKU has at one node, what it will get there, or what may be promised beyond it.
 *
 *   on_hand + shortfall = available + committed + reserved + safety_stock + damaged + quality_control
 */
import type { NodeKey, SupplyKey } from './keys.ts';
import { STOCK_STATES, type StateField, type StateUnits } from './stock-states.ts';

/**
 * `stock` is there. `incoming` is on its way to the node, with a receipt or a transfer. `allowance` is nowhere: what a policy
 * lets be promised all the same, with a cap.
 */
export type SupplyKind = 'stock' | 'incoming' | 'allowance';

/** Which of a SKU's rows. */
export interface SupplyPlace {
  /** 0 is no node in particular: an allowance that any node may serve. */
  readonly node: NodeKey;
  readonly kind: SupplyKind;
  /** Tells rows of one kind at one node apart: of `incoming`, the line of the receipt or transfer; else 0. */
  readonly detail: number;
}

/** Which row of what is still to come, at a node that is told beside it. */
export type UnitsAhead = Pick<SupplyPlace, 'kind' | 'detail'>;

export interface SupplyRow extends SupplyPlace, Readonly<Record<StateField, number>> {
  readonly key: SupplyKey;
}

/**
 * A row of units told in the order of the list. Every row is made here, so that all have one shape. This and
 * {@link unitsOf} are written out because properties with computed names cost many times as much, and rows are read and
 * written by the thousand; the checker finds a state that is missing, and a spec one that is out of its place.
 */
export const supplyRowOf = (
  key: SupplyKey,
  node: NodeKey,
  units: StateUnits,
  kind: SupplyKind = 'stock',
  detail = 0,
): SupplyRow => ({
  key,
  node,
  kind,
  detail,
  available: units[0],
  committed: units[1],
  reserved: units[2],
  safetyStock: units[3],
  damaged: units[4],
  qualityControl: units[5],
  shortfall: units[6],
  overdrawn: units[7],
  unapplied: units[8],
});

/** The units of a row in the order of the list. */
export const unitsOf = (row: SupplyRow): StateUnits => [
  row.available,
  row.committed,
  row.reserved,
  row.safetyStock,
  row.damaged,
  row.qualityControl,
  row.shortfall,
  row.overdrawn,
  row.unapplied,
];

const NO_UNITS = STOCK_STATES.map(() => 0) as unknown as StateUnits;

/** A row that is not in the book yet. */
export const emptyRow = ({ node, kind, detail }: SupplyPlace): SupplyRow =>
  supplyRowOf(0, node, NO_UNITS, kind, detail);

/** The row of what is there at a node. */
export const stockAt = (node: NodeKey): SupplyPlace => ({ node, kind: 'stock', detail: 0 });

export const isSamePlace = (a: SupplyPlace, b: SupplyPlace): boolean =>
  a.node === b.node && a.kind === b.kind && a.detail === b.detail;

const IS_ON_HAND = STOCK_STATES.map(({ kind }) => kind === 'on_hand');

/** Units physically there, as far as the book knows. */
export function onHand(row: SupplyRow): number {
  const units: readonly number[] = unitsOf(row);
  let there = -row.shortfall;
  for (let place = 0; place < IS_ON_HAND.length; place++) if (IS_ON_HAND[place]) there += units[place] ?? 0;
  return there;
}

/** What physical events alone decide: units that are there, less units that left without having been on record. */
export const net = (row: SupplyRow): number => onHand(row) + row.unapplied - row.overdrawn;

const isZero = (units: number): boolean => units === 0;
export const isEmptyRow = (row: SupplyRow): boolean => unitsOf(row).every(isZero);

/** Units that stand behind open reservations. */
export const promised = (row: SupplyRow): number => row.committed + row.reserved;

/** What is wrong with a row, or null: the same laws that the table's CHECK constraint holds. */
export function rowFault(row: SupplyRow): string | null {
  const { key: _, node, kind, detail: __, ...units } = row;
  for (const [state, value] of Object.entries(units)) {
    if (!Number.isSafeInteger(value) || value < 0) return `${state} is ${value} at node ${node}`;
  }
  if (row.shortfall > promised(row)) return 'shortfall exceeds the promised units';
  if (row.shortfall > 0 && row.available + row.safetyStock + row.unapplied > 0) return 'shortfall beside free units';
  if (row.overdrawn > 0 && onHand(row) + row.unapplied > 0) return 'overdrawn beside units on hand';
  if (kind === 'stock') return null;
  if (row.safetyStock + row.unapplied + row.overdrawn > 0) return `${kind} in a state of stock`;
  if (kind === 'allowance' && row.available + row.shortfall + row.damaged + row.qualityControl > 0)
    return 'an allowance that has units';
  return null;
}
