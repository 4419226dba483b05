/** Expiry: held units of overdue backings count as free from the moment their SKU is locked. */
import { giveBack } from './arithmetic.ts';
import { giveBackFenced } from './charge-fences.ts';
import type { SkuKey } from './keys.ts';
import { type Reservation, endUnits, supplyOf } from './reservation.ts';
import { SupplyDraft, type Supplies } from './supply.ts';
import { type BackingChange, type VerbEffect, changeOf, next } from './decide-verb.ts';

/**
 * Expires the held units of `reservation` that belong to `locked` SKUs, if it is overdue at `now` (ms, read after the
 * locks). Null when there is nothing to do.
 */
export function reap(
  reservation: Reservation,
  supplies: Supplies,
  { locked, now }: { readonly locked: ReadonlySet<SkuKey>; readonly now: number },
): VerbEffect | null {
  if (reservation.expiresAt > now) return null;
  const draft = new SupplyDraft(supplies);
  const changes: BackingChange[] = [];
  const expired = reservation.backings.map((backing) => {
    const { sku, held } = backing;
    if (held === 0 || !locked.has(sku)) return backing;
    const row = supplyOf(backing);
    if (row) draft.change(sku, row, (before) => giveBack(before, 'reserved', held));
    changes.push(changeOf(backing, held));
    return endUnits(backing, 'held', 'expired', held, 'least');
  });
  if (changes.length === 0) return null;
  const backings = giveBackFenced(reservation.backings, expired, draft);
  return { reservation: next(reservation, { backings }), effect: draft.effect(), changes };
}
