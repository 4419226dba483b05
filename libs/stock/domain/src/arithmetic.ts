/**
 * The arithmetic of one row: each function takes a row and units and gives the new row with the postings that explain
 * it. A state that does not have the units is a broken invariant of the caller, not a business refusal, and throws.
 *
 * Physical removals take `available`, then `unapplied`, `safety_stock`, then promised units (as `shortfall`), then
 * `quality_control`, `damaged`, and at last `overdrawn`. Supply first nets `overdrawn`, then heals `shortfall`, then
 * becomes available.
 */
import type { Account, Transfer } from './posting.ts';
import { type SupplyRow, onHand, promised } from './supply-row.ts';
import { STATE_OF, type StateAccount } from './stock-states.ts';

export interface RowChange {
  readonly row: SupplyRow;
  readonly transfers: readonly Transfer[];
}

/** Applies transfers to a row: the one place where a balance changes, so row and ledger cannot disagree. */
export function applyTransfers(row: SupplyRow, transfers: readonly Transfer[]): SupplyRow {
  const next: { -readonly [Field in keyof SupplyRow]: SupplyRow[Field] } = { ...row };
  const add = (account: Account, units: number): void => {
    if (account === 'external' || account === 'expected') return;
    const { field, kind } = STATE_OF[account];
    next[field] += kind === 'contra' ? -units : units;
  };
  for (const { from, to, quantity } of transfers) {
    add(from, -quantity);
    add(to, quantity);
  }
  return next;
}

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`);
}

/** A negative or fractional quantity stops here: dropped in silence, it would part the book from its reservations. */
const change = (row: SupplyRow, transfers: readonly Transfer[]): RowChange => {
  const kept = transfers.filter(({ quantity }) => {
    demand(Number.isSafeInteger(quantity) && quantity >= 0, 'units are counted in integers of at least 0');
    return quantity > 0;
  });
  return { row: applyTransfers(row, kept), transfers: kept };
};

/** Chains two changes of one row into one. */
const then = (first: RowChange, next: (row: SupplyRow) => RowChange): RowChange => {
  const second = next(first.row);
  return { row: second.row, transfers: [...first.transfers, ...second.transfers] };
};

/**
 * Nothing is there of an allowance, so that what is promised of it is only expected, and does not become available when it is given
 * up. How much may be promised of it is not for the row to say: the cap is a rule.
 */
const free = ({ kind }: SupplyRow): Account => (kind === 'allowance' ? 'expected' : 'available');
const promisable = (row: SupplyRow): number => (row.kind === 'allowance' ? Number.POSITIVE_INFINITY : row.available);

/** Promises `quantity` available units. */
export function hold(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= promisable(row), 'a hold must be covered by available units');
  return change(row, [{ from: free(row), to: 'reserved', quantity }]);
}

/** Turns held units into confirmed ones. */
export function confirm(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= row.reserved, 'confirmed units must have been reserved');
  return change(row, [{ from: 'reserved', to: 'committed', quantity }]);
}

/** Gives promised units back: they heal the row's shortfall first, and only then become available. */
export function giveBack(row: SupplyRow, state: 'reserved' | 'committed', quantity: number): RowChange {
  demand(quantity <= row[state], 'units given back must have been promised');
  const healed = Math.min(quantity, row.shortfall);
  return change(row, [
    { from: state, to: 'shortfall', quantity: healed },
    { from: state, to: free(row), quantity: quantity - healed },
  ]);
}

/** Units leave with a buyer who had no promise. Never refused: physical truth wins. */
export function sell(row: SupplyRow, quantity: number): RowChange {
  const transfers: Transfer[] = [];
  let left = quantity;
  const take = (from: Account, there: number): void => {
    const units = Math.min(left, there);
    transfers.push({ from, to: 'external', quantity: units });
    left -= units;
  };
  take('available', row.available);
  take('unapplied', row.unapplied);
  take('safety_stock', row.safetyStock);
  take('shortfall', promised(row) - row.shortfall);
  take('quality_control', row.qualityControl);
  take('damaged', row.damaged);
  take('overdrawn', left);
  return change(row, transfers);
}

/**
 * Units leave against their promise. Equal to giving the promise back and selling at once: where the book covers the
 * units they simply go; where it does not, the node shipped what the book did not know of.
 */
export function fulfil(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= row.committed, 'fulfilled units must have been committed');
  const covered = Math.min(quantity, promised(row) - row.shortfall);
  const shipped = change(row, [{ from: 'committed', to: 'external', quantity: covered }]);
  if (covered === quantity) return shipped;
  return then(
    then(shipped, (left) => giveBack(left, 'committed', quantity - covered)),
    (left) => sell(left, quantity - covered),
  );
}

/** Units arrive or turn up. */
export function supply(row: SupplyRow, quantity: number): RowChange {
  const netted = Math.min(quantity, row.overdrawn);
  const healed = Math.min(quantity - netted, row.shortfall);
  return change(row, [
    { from: 'external', to: 'overdrawn', quantity: netted },
    { from: 'external', to: 'shortfall', quantity: healed },
    { from: 'external', to: 'available', quantity: quantity - netted - healed },
  ]);
}

/**
 * Promised units turn out not to be there: the node looked for them. First they are those that the book knows to be missing
 * already, so that one missing unit is not written off twice.
 */
export function writeOff(row: SupplyRow, quantity: number, state: 'reserved' | 'committed' = 'committed'): RowChange {
  demand(quantity <= row[state], 'units written off must have been promised');
  const known = Math.min(quantity, row.shortfall);
  return change(row, [
    { from: state, to: 'shortfall', quantity: known },
    { from: state, to: 'external', quantity: quantity - known },
  ]);
}

/** Units that had left against their promise are back, and promised as they were. They net `overdrawn` first. */
export function restore(row: SupplyRow, quantity: number): RowChange {
  const netted = Math.min(quantity, row.overdrawn);
  return change(row, [
    { from: 'external', to: 'overdrawn', quantity: netted },
    { from: 'shortfall', to: 'committed', quantity: netted },
    { from: 'external', to: 'committed', quantity: quantity - netted },
  ]);
}

/**
 * Units that had left against their promise are promised again, and the row has them already: a count saw them back. Those that
 * are free cover them; beyond these they are promised short.
 */
export function recommit(row: SupplyRow, quantity: number, state: 'reserved' | 'committed' = 'committed'): RowChange {
  const fromAvailable = Math.min(quantity, row.available);
  const fromUnapplied = Math.min(quantity - fromAvailable, row.unapplied);
  const fromSafety = Math.min(quantity - fromAvailable - fromUnapplied, row.safetyStock);
  return change(row, [
    { from: 'available', to: state, quantity: fromAvailable },
    { from: 'unapplied', to: state, quantity: fromUnapplied },
    { from: 'safety_stock', to: state, quantity: fromSafety },
    { from: 'shortfall', to: state, quantity: quantity - fromAvailable - fromUnapplied - fromSafety },
  ]);
}

/**
 * Changes what is promised by a net of many movements of promises. Where the two states change in opposite directions, units
 * go from one to the other; what is still given up heals the shortfall before it is available, and what is still taken must be
 * covered by available units.
 */
export function exchange(row: SupplyRow, { reserved, committed }: PromiseChange): RowChange {
  const confirmed = Math.max(0, Math.min(-reserved, committed));
  const unconfirmed = Math.max(0, Math.min(reserved, -committed));
  const rest = { reserved: reserved + confirmed - unconfirmed, committed: committed - confirmed + unconfirmed };
  const given = { reserved: Math.max(0, -rest.reserved), committed: Math.max(0, -rest.committed) };
  const taken = { reserved: Math.max(0, rest.reserved), committed: Math.max(0, rest.committed) };
  demand(confirmed + given.reserved <= row.reserved, 'held units given up must have been reserved');
  demand(unconfirmed + given.committed <= row.committed, 'confirmed units given up must have been committed');
  demand(taken.reserved + taken.committed <= promisable(row), 'units taken must be available');
  const healed = Math.min(given.committed, row.shortfall);
  const healedHeld = Math.min(given.reserved, row.shortfall - healed);
  return change(row, [
    { from: 'reserved', to: 'committed', quantity: confirmed },
    { from: 'committed', to: 'reserved', quantity: unconfirmed },
    { from: 'committed', to: 'shortfall', quantity: healed },
    { from: 'committed', to: free(row), quantity: given.committed - healed },
    { from: 'reserved', to: 'shortfall', quantity: healedHeld },
    { from: 'reserved', to: free(row), quantity: given.reserved - healedHeld },
    { from: free(row), to: 'reserved', quantity: taken.reserved },
    { from: free(row), to: 'committed', quantity: taken.committed },
  ]);
}

/** Units by which the promised ones of a row change. */
export interface PromiseChange {
  readonly reserved: number;
  readonly committed: number;
}

/** Units that `damage` can take: free ones and promised ones that the book covers. */
export const damageable = (row: SupplyRow): number =>
  row.available + row.unapplied + row.safetyStock + promised(row) - row.shortfall;

/** Units on hand become unsellable, or are kept from sale until they have been looked at; promised ones leave a shortfall. */
export function damage(row: SupplyRow, quantity: number, to: 'damaged' | 'quality_control' = 'damaged'): RowChange {
  demand(quantity <= damageable(row), 'damaged units must be on hand and sellable');
  const fromAvailable = Math.min(quantity, row.available);
  const fromUnapplied = Math.min(quantity - fromAvailable, row.unapplied);
  const fromSafety = Math.min(quantity - fromAvailable - fromUnapplied, row.safetyStock);
  return change(row, [
    { from: 'available', to, quantity: fromAvailable },
    { from: 'unapplied', to, quantity: fromUnapplied },
    { from: 'safety_stock', to, quantity: fromSafety },
    { from: 'shortfall', to, quantity: quantity - fromAvailable - fromUnapplied - fromSafety },
  ]);
}

/** Units that nobody was promised, and that may be: those that {@link quarantine} can take. */
export const unpromised = (row: SupplyRow): number => row.available + row.unapplied;

/** Units that nobody was promised are not sold until they have been looked at. */
export function quarantine(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= unpromised(row), 'units in quarantine must be unpromised');
  const fromAvailable = Math.min(quantity, row.available);
  return change(row, [
    { from: 'available', to: 'quality_control', quantity: fromAvailable },
    { from: 'unapplied', to: 'quality_control', quantity: quantity - fromAvailable },
  ]);
}

/** Sets units aside as safety stock (`quantity` > 0) or frees them (< 0). */
export function setAside(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= row.available && -quantity <= row.safetyStock, 'units set aside must be available');
  return quantity > 0
    ? change(row, [{ from: 'available', to: 'safety_stock', quantity }])
    : change(row, [{ from: 'safety_stock', to: 'available', quantity: -quantity }]);
}

/**
 * Units that came free wait until it is settled whom they serve (`quantity` > 0), or wait no longer (< 0). Nobody may have them
 * in between.
 */
export function defer(row: SupplyRow, quantity: number): RowChange {
  demand(quantity <= row.available && -quantity <= row.unapplied, 'units that wait must have been free');
  return quantity > 0
    ? change(row, [{ from: 'available', to: 'unapplied', quantity }])
    : change(row, [{ from: 'unapplied', to: 'available', quantity: -quantity }]);
}

/** States that a movement may name. Units in any but `available` are there, and are not for sale. */
export type NamedState = 'available' | 'damaged' | 'quality_control' | 'safety_stock';

/** States in which units travel from node to node. */
export type TravelState = Exclude<NamedState, 'safety_stock'>;

/**
 * Units that {@link moveState} can take. What is named as available is what is for sale: promised units are among it, unless they are
 * to be set aside for later sale, which nobody does with what is promised.
 */
export function movable(row: SupplyRow, from: NamedState, to: NamedState): number {
  if (from !== 'available') return row[STATE_OF[from].field];
  return to === 'safety_stock' ? row.available : damageable(row);
}

/** Units stay at the node in another state. Those that may be sold from now on heal the shortfall first. */
export function moveState(row: SupplyRow, from: NamedState, to: NamedState, quantity: number): RowChange {
  demand(from !== to && quantity <= movable(row, from, to), `units must be ${from} to become ${to}`);
  if (from === 'available')
    return to === 'safety_stock' ? setAside(row, quantity) : damage(row, quantity, sidelined(to));
  const healed = to === 'available' || to === 'safety_stock' ? Math.min(quantity, row.shortfall) : 0;
  return change(row, [
    { from, to: 'shortfall', quantity: healed },
    { from, to, quantity: quantity - healed },
  ]);
}

const sidelined = (to: NamedState): 'damaged' | 'quality_control' => (to === 'damaged' ? to : 'quality_control');

/** Units that {@link remove} can take; of what is for sale physical truth sets no bound. */
export const removable = (row: SupplyRow, from: NamedState): number =>
  from === 'available' ? Number.POSITIVE_INFINITY : row[STATE_OF[from].field];

/** Units of that state leave the node: scrapped, sent elsewhere, sold as what they are. */
export function remove(row: SupplyRow, from: NamedState, quantity: number): RowChange {
  if (from === 'available') return sell(row, quantity);
  demand(quantity <= removable(row, from), `units that leave must be ${from}`);
  return change(row, [{ from, to: 'external', quantity }]);
}

/** Units arrive or turn up in that state. They net `overdrawn` first: what was sold too much is gone, whatever comes now. */
export function receive(row: SupplyRow, state: NamedState, quantity: number): RowChange {
  if (state === 'available') return supply(row, quantity);
  const netted = Math.min(quantity, row.overdrawn);
  const healed = state === 'safety_stock' ? Math.min(quantity - netted, row.shortfall) : 0;
  return change(row, [
    { from: 'external', to: 'overdrawn', quantity: netted },
    { from: 'external', to: 'shortfall', quantity: healed },
    { from: 'external', to: state, quantity: quantity - netted - healed },
  ]);
}

/** More units are on their way. Promises that nothing stood behind are healed first. */
export function expectUnits(row: SupplyRow, quantity: number, state: TravelState = 'available'): RowChange {
  demand(row.kind === 'incoming', 'only what is on its way is expected');
  const healed = state === 'available' ? Math.min(quantity, row.shortfall) : 0;
  return change(row, [
    { from: 'expected', to: 'shortfall', quantity: healed },
    { from: 'expected', to: state, quantity: quantity - healed },
  ]);
}

/**
 * Units are on their way no longer: they have arrived, are lost, or were never sent. Those that travelled in that state go first.
 * Beyond what nobody was promised, promises are short of them.
 */
export function arrive(row: SupplyRow, quantity: number, state: TravelState = 'available'): RowChange {
  demand(row.kind === 'incoming' && quantity <= onHand(row), 'units that arrive must have been on their way');
  const transfers: Transfer[] = [];
  let left = quantity;
  for (const from of ARRIVAL[state]) {
    const there = from === 'shortfall' ? promised(row) - row.shortfall : row[STATE_OF[from].field];
    const units = Math.min(left, there);
    transfers.push({ from, to: 'expected', quantity: units });
    left -= units;
  }
  return change(row, transfers);
}

const ARRIVAL: Readonly<Record<TravelState, readonly StateAccount[]>> = {
  available: ['available', 'shortfall', 'quality_control', 'damaged'],
  quality_control: ['quality_control', 'available', 'shortfall', 'damaged'],
  damaged: ['damaged', 'available', 'shortfall', 'quality_control'],
};

/**
 * Units arrive that some promises have come along with: those are first. The row nets and heals as for any other supply, and the
 * riders are promised all the same, if need be short, since what they stood on is here.
 */
export function land(row: SupplyRow, quantity: number, { reserved, committed }: PromiseChange): RowChange {
  return then(
    then(supply(row, quantity), (there) => recommit(there, committed)),
    (there) => recommit(there, reserved, 'reserved'),
  );
}
