/** A node tells how far it has come with units of a fulfilment. The book stays as it is: only counts of availability ask for it. */
import { type VerbEffect, NO_EFFECT, changeOf, next } from './decide-verb.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import { type Backing, type Reservation, type Stage, STAGES, withBacking } from './reservation.ts';
import { type FulfilmentUnits, inLineOrder, selectUnits, unitsMissing } from './select-units.ts';

export interface Acknowledgement {
  /** `quantity` is told besides what was told before: that many more units are past the stage. */
  readonly selected: FulfilmentUnits;
  readonly stage: Stage;
}

/**
 * Confirmed units at the node that were not past the stage are past it now, and past those before it. `there` of a refusal is how
 * many of them there are.
 */
export function decideAcknowledge(
  reservation: Reservation,
  { selected, stage }: Acknowledgement,
): Decision<VerbEffect> {
  const waiting = (backing: Backing): number =>
    backing.kind === 'stock' ? Math.max(0, backing.confirmed - backing[stage]) : 0;
  const units = selectUnits(reservation, selected, waiting, inLineOrder);
  if (!units) return reject(unitsMissing(reservation, selected, waiting));
  const backings = units.reduce(
    (all, { backing, quantity }) => withBacking(all, advance(backing, stage, quantity)),
    reservation.backings,
  );
  const changes = units.map(({ backing, quantity }) => changeOf(backing, quantity));
  return accept({ reservation: next(reservation, { backings }), effect: NO_EFFECT, changes });
}

/** Those that are farthest go first, so that the stages before count only units that had not come so far. */
function advance(backing: Backing, stage: Stage, quantity: number): Backing {
  const past = backing[stage] + quantity;
  const passed = STAGES.slice(0, STAGES.indexOf(stage) + 1);
  return { ...backing, ...Object.fromEntries(passed.map((one) => [one, Math.max(backing[one], past)])) };
}
