/** Expiry: held units of overdue backings count as free from the moment their SKU is locked. */
import { giveBack } from './arithmetic.ts';
import type { SkuKey } from './keys.ts';
import { type Reservation, retally } from './reservation.ts';
import { SupplyDraft, type Supplies } from './supply.ts';
import type { BackingChange, VerbEffect } from './decide-verb.ts';

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
  const backings = reservation.backings.map((backing) => {
    const { sku, node, held } = backing;
    if (held === 0 || !locked.has(sku)) return backing;
    draft.change(sku, node, (row) => giveBack(row, 'reserved', held));
    changes.push({ sku, node, quantity: held });
    return retally(backing, 'held', 'expired', held);
  });
  if (changes.length === 0) return null;
  return {
    reservation: { ...reservation, backings, version: reservation.version + 1 },
    effect: draft.effect(),
    changes,
  };
}
