/** Units that find no node are given up: the promise is broken, which is told, and the line goes on without them. */
import { giveBack } from './arithmetic.ts';
import { giveBackFenced } from './charge-fences.ts';
import { type VerbEffect, changeOf, next } from './decide-verb.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import { type Backing, type Reservation, endUnits, open, supplyOf, withBacking } from './reservation.ts';
import {
  type BackingUnits,
  type SelectedUnits,
  isSelected,
  leastAdvanced,
  selectUnits,
  splitOpen,
  unitsMissing,
} from './select-units.ts';
import { type Supplies, SupplyDraft, rowOf } from './supply.ts';

/**
 * All parts or none. Of the units that a part means, those go first that have nothing: unbacked ones, then those of short rows; of
 * these and of the rest, the least advanced. A unit given up on a row heals the shortfall there before it is free for others.
 */
export function decideGiveUp(
  reservation: Reservation,
  parts: readonly SelectedUnits[],
  supplies: Supplies,
): Decision<VerbEffect> {
  const draft = new SupplyDraft(supplies);
  let current = reservation;
  for (const part of parts) {
    if (!selectUnits(current, part, open, leastAdvanced)) return reject(unitsMissing(current, part, open));
    for (let left = part.quantity; left > 0;) {
      const units = firstToGo(current, { ...part, quantity: left }, draft);
      current = { ...current, backings: withBacking(current.backings, breakOff(units, draft)) };
      left -= units.quantity;
    }
  }
  return accept(givenUp(reservation, current, draft));
}

/** Units of backings by their numbers. */
export interface BackingQuantity {
  readonly backing: number;
  readonly quantity: number;
}

/** Gives up so many open units of each backing, or as many as it has. */
export function breakUnits(
  reservation: Reservation,
  units: readonly BackingQuantity[],
  supplies: Supplies,
): VerbEffect {
  const draft = new SupplyDraft(supplies);
  let current = reservation;
  for (const { backing: no, quantity } of units) {
    const backing = current.backings[no];
    if (!backing) throw new Error(`Broken invariant: reservation ${reservation.key} has no backing ${no}`);
    const broken = breakOff({ backing, quantity: Math.min(quantity, open(backing)) }, draft);
    current = { ...current, backings: withBacking(current.backings, broken) };
  }
  return givenUp(reservation, current, draft);
}

function givenUp(before: Reservation, after: Reservation, draft: SupplyDraft): VerbEffect {
  const backings = giveBackFenced(before.backings, after.backings, draft);
  const changes = backings
    .map((backing, no) => changeOf(backing, backing.broken - (before.backings[no]?.broken ?? 0)))
    .filter(({ quantity }) => quantity > 0);
  return { reservation: next(before, { backings }), effect: draft.effect(), changes };
}

/** Asked again after each backing, since what goes there heals its row for the others. */
function firstToGo(reservation: Reservation, part: SelectedUnits, draft: SupplyDraft): BackingUnits {
  const lost = (backing: Backing): number => {
    const place = supplyOf(backing);
    return place ? Math.min(open(backing), rowOf(draft.supply(backing.sku), place).shortfall) : open(backing);
  };
  const [backing] = reservation.backings
    .filter((one) => open(one) > 0 && isSelected(reservation, part, one))
    .toSorted((a, b) => Number(lost(b) > 0) - Number(lost(a) > 0) || leastAdvanced(a, b));
  if (!backing) throw new Error('Broken invariant: units that were there are not');
  return { backing, quantity: Math.min(part.quantity, lost(backing) || open(backing)) };
}

function breakOff({ backing, quantity }: BackingUnits, draft: SupplyDraft): Backing {
  const { held, confirmed } = splitOpen(backing, quantity);
  const place = supplyOf(backing);
  if (place) {
    draft.change(backing.sku, place, (row) => giveBack(row, 'committed', confirmed));
    draft.change(backing.sku, place, (row) => giveBack(row, 'reserved', held));
  }
  return endUnits(endUnits(backing, 'confirmed', 'broken', confirmed, 'least'), 'held', 'broken', held, 'least');
}
