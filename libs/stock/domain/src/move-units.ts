/** Moves open units of a reservation from one backing to another; which units the rows of the book promise is for the caller. */
import {
  type Backing,
  type BackingPlace,
  type OpenTally,
  STAGES,
  isSameBacking,
  supplyOf,
  withBacking,
  withUnits,
  withoutUnits,
} from './reservation.ts';
import { splitOpen } from './select-units.ts';
import { isSamePlace } from './supply-row.ts';

export interface MovedUnits {
  readonly backings: readonly Backing[];
  /** What of them was held, and what was confirmed. */
  readonly moved: Readonly<Record<OpenTally, number>>;
}

/**
 * Units that stay on their row and go to another fulfilment take along how far their node has come with them; the least advanced go
 * first. Units that leave their row leave that behind.
 */
export function moveUnits(backings: readonly Backing[], from: Backing, to: BackingPlace, quantity: number): MovedUnits {
  const moved = splitOpen(from, quantity);
  if (isSameBacking(from, to)) return { backings, moved };
  let left = withoutUnits(from, 'confirmed', moved.confirmed, 'least');
  left = withoutUnits(left, 'held', moved.held, 'least');
  const staysOnRow = isOnSameRow(from, to);
  const stages = staysOnRow ? STAGES.map((stage) => [stage, from[stage] - left[stage]] as const) : [];
  const taken = withUnits(withBacking(backings, left), to, { ...moved, ...Object.fromEntries(stages) });
  return { backings: taken, moved };
}

export function isOnSameRow(a: BackingPlace, b: BackingPlace): boolean {
  const [row, other] = [supplyOf(a), supplyOf(b)];
  return row !== null && other !== null && isSamePlace(row, other);
}
