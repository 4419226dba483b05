/**
 * Counts of one state of a row. They say how many of the units are damaged, or wait for inspection, and nothing of how many there
 * are: what they find otherwise than the book moves between that state and what is for sale.
 */
import { type NamedState, type RowChange, movable, moveState } from './arithmetic.ts';
import { type Watermark, type Watermarks, isLate, rowKey } from './feed.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { COUNTED_STATES, type CountedState, STATE_OF } from './stock-states.ts';
import type { SupplyRow } from './supply-row.ts';

/** Some of them: a set, or a map by them. */
export interface CountedStates {
  has(state: NamedState): boolean;
}

export const NO_STATES: CountedStates = new Set<CountedState>();

/** The counts that have seen an event at a row already. */
export interface SeenBy {
  /** The newest count of all that is there; null if it has not. */
  readonly total: Watermark | null;
  /** Newest counts of one state each. */
  readonly states: ReadonlyMap<CountedState, Watermark>;
}

const NO_COUNTS: ReadonlyMap<CountedState, Watermark> = new Map();
const UNSEEN: SeenBy = { total: null, states: NO_COUNTS };

export function seenBy(watermarks: Watermarks, sku: SkuKey, node: NodeKey, occurredAt: number): SeenBy {
  if (watermarks.size === 0) return UNSEEN;
  const newest = (state?: CountedState): Watermark | null => {
    const count = watermarks.get(rowKey(sku, node, state));
    return count && isLate(count, occurredAt) ? count : null;
  };
  const states = COUNTED_STATES.flatMap((state) => {
    const count = newest(state);
    return count ? [[state, count] as const] : [];
  });
  return { total: newest(), states: states.length === 0 ? NO_COUNTS : new Map(states) };
}

/**
 * Where in the book the units are that an event takes from a state, or brings there. A count of the state that has seen the event
 * has moved them between it and what is available, so in that event the one is as good as the other. Whether the row gets
 * or loses units at all is another question, which its total counts answer.
 */
export const stateInBook = (told: NamedState, counted: CountedStates): NamedState =>
  counted.has(told) ? 'available' : told;

/** How many units a count says to be in a state of a row. */
export interface CountOfState {
  readonly state: CountedState;
  readonly quantity: number;
  /** Units that have come to the state after the capture, less those that have left it. */
  readonly since: number;
}

/** Units that the state has too few (> 0), or too many. */
const differenceOf = (row: SupplyRow, { state, quantity, since }: CountOfState): number =>
  Math.max(0, quantity + since) - row[STATE_OF[state].field];

/** Counts of one row: what some state gives back, another may need. */
export const inSettlingOrder = <C extends CountOfState>(row: SupplyRow, counts: readonly C[]): readonly C[] =>
  counts.toSorted((a, b) => differenceOf(row, a) - differenceOf(row, b));

export interface StateCount extends RowChange {
  /** Units that were counted in the state, and that the row does not have in any that they could be taken from. */
  readonly beyond: number;
}

/**
 * Net stays. Units that the book did not have in the state become so as by a movement, so that promised ones are short where nothing
 * else is left; those that it has too many of are for sale again, and heal what is short.
 */
export function countState(row: SupplyRow, count: CountOfState): StateCount {
  const { state } = count;
  const difference = differenceOf(row, count);
  if (difference <= 0) return { ...moveState(row, state, 'available', -difference), beyond: 0 };
  const found = Math.min(difference, movable(row, 'available', state));
  return { ...moveState(row, 'available', state, found), beyond: difference - found };
}
