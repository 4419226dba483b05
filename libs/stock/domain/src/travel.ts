/** Units between nodes: in which states they leave and arrive, and what is left to do when a count has seen it already. */
import { type NamedState, type RowChange, type TravelState, movable, moveState, remove } from './arithmetic.ts';
import type { Transfer } from './posting.ts';
import type { SupplyRow } from './supply-row.ts';

export interface TravelledUnits {
  readonly state: TravelState;
  readonly units: number;
}

/**
 * In which states units left a row, and so travel: what is damaged or to be inspected stays that, wherever it goes. Units that were
 * not on record are taken to be sound.
 */
export function travelStates(transfers: readonly Transfer[]): readonly TravelledUnits[] {
  const units = { available: 0, quality_control: 0, damaged: 0 };
  for (const { from, to, quantity } of transfers)
    if (to === 'external') units[from === 'damaged' || from === 'quality_control' ? from : 'available'] += quantity;
  return travelled(units);
}

export const travelled = (units: Readonly<Record<TravelState, number>>): readonly TravelledUnits[] =>
  (['available', 'quality_control', 'damaged'] as const)
    .map((state) => ({ state, units: units[state] }))
    .filter((one) => one.units > 0);

const UNCHANGED: readonly Transfer[] = [];

/**
 * Units left in that state before the row was counted: its net is right already. What the book still has in that state is as many
 * fewer, and what is available follows from net.
 */
export const leaveLate = (row: SupplyRow, state: NamedState, quantity: number): RowChange =>
  restate(row, state, 'available', quantity);

/** Units arrived in that state before the row was counted, and are among what is available since. */
export const receiveLate = (row: SupplyRow, state: NamedState, quantity: number): RowChange =>
  restate(row, 'available', state, quantity);

/** As many of the units as are there; none if both are the same state. */
export function restate(row: SupplyRow, from: NamedState, to: NamedState, quantity: number): RowChange {
  if (from === to) return { row, transfers: UNCHANGED };
  return moveState(row, from, to, Math.min(quantity, movable(row, from, to)));
}

/** Units leave in that state. Those that are for sale are taken as by any physical event, from whatever is there. */
export const leave = (row: SupplyRow, state: NamedState, quantity: number): RowChange => remove(row, state, quantity);
