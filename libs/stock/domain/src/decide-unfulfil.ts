/** A shipment is undone: units that had left are there again, and promised as they were. */
import { recommit, restore } from './arithmetic.ts';
import { type BackingChange, type VerbEffect, changeOf, next } from './decide-verb.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import { type Backing, type Reservation, withBacking } from './reservation.ts';
import { type BackingUnits, type SelectedUnits, inLineOrder, selectUnits, unitsMissing } from './select-units.ts';
import { type Supplies, SupplyDraft } from './supply.ts';
import { stockAt } from './supply-row.ts';

/**
 * All parts or none. What was fulfilled last comes back first, so that what stays fulfilled is what would have been without these
 * units. `counted` says how many of the units of a backing the row's newest count has seen back already: the row has these.
 *
 * How far the node is with them now nobody knows; they are past no stage until it tells.
 */
export function decideUnfulfil(
  reservation: Reservation,
  parts: readonly SelectedUnits[],
  supplies: Supplies,
  counted: (backing: Backing, quantity: number) => number,
): Decision<VerbEffect> {
  const draft = new SupplyDraft(supplies);
  const changes: BackingChange[] = [];
  let current = reservation;
  for (const part of parts) {
    const units = selectUnits(current, part, shipped, (a, b) => inLineOrder(b, a));
    if (!units) return reject(unitsMissing(current, part, shipped));
    current = { ...current, backings: units.reduce(comeBack, current.backings) };
  }
  return accept({ reservation: next(reservation, { backings: current.backings }), effect: draft.effect(), changes });

  function comeBack(backings: readonly Backing[], { backing, quantity }: BackingUnits): readonly Backing[] {
    const { sku, node, fulfilled, confirmed } = backing;
    const seen = counted(backing, quantity);
    draft.change(sku, stockAt(node), (row) => restore(row, quantity - seen));
    draft.change(sku, stockAt(node), (row) => recommit(row, seen));
    changes.push(changeOf(backing, quantity));
    return withBacking(backings, { ...backing, fulfilled: fulfilled - quantity, confirmed: confirmed + quantity });
  }
}

const shipped = ({ kind, fulfilled }: Backing): number => (kind === 'stock' ? fulfilled : 0);
