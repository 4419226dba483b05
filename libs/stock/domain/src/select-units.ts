/** Which units of a reservation a request means: by line, SKU, node or fulfilment, as far as it names them. */
import type { NodeKey, SkuKey } from './keys.ts';
import { type Backing, type BackingPlace, type OpenTally, type Reservation, open } from './reservation.ts';

/** Of units that stand at no node. */
const ANY_NODE = 0;

/** What is undefined matches everything. */
export interface UnitSelector {
  /** A client's line id, whichever SKU the line has or had. */
  readonly line?: string | undefined;
  readonly sku?: SkuKey | undefined;
  /** Null: units that stand at no node, on no row or on an allowance that any node may serve. */
  readonly node?: NodeKey | null | undefined;
  /** Null: units on which nobody works. */
  readonly fulfilment?: string | null | undefined;
}

export interface SelectedUnits extends UnitSelector {
  readonly quantity: number;
}

/** Units that a node works on. */
export interface FulfilmentUnits extends SelectedUnits {
  readonly fulfilment: string;
}

/** In the order of lines, and of a line the backings that were made first. */
export const inLineOrder = (a: Backing, b: Backing): number => a.line - b.line || a.no - b.no;

/** First those that are farthest from leaving: unbacked ones, then incoming ones, and what a node works on last. */
export const leastAdvanced = (a: Backing, b: Backing): number =>
  distance(b) - distance(a) ||
  a.shipped - b.shipped ||
  a.picked - b.picked ||
  a.accepted - b.accepted ||
  inLineOrder(a, b);

function distance({ kind, fulfilment }: Backing): number {
  if (kind === 'unbacked') return 3;
  if (kind !== 'stock') return 2;
  return fulfilment === null ? 1 : 0;
}

export function isSelected(reservation: Reservation, selector: UnitSelector, backing: BackingPlace): boolean {
  const { line, sku, node, fulfilment } = selector;
  if (line !== undefined && reservation.lines[backing.line]?.id !== line) return false;
  if (sku !== undefined && backing.sku !== sku) return false;
  if (node !== undefined && backing.node !== (node ?? ANY_NODE)) return false;
  return fulfilment === undefined || backing.fulfilment === fulfilment;
}

/** Units of one backing. */
export interface BackingUnits {
  readonly backing: Backing;
  readonly quantity: number;
}

/** The selected units, taken backing by backing in that order; null if there are fewer. `count` says how many a backing has. */
export function selectUnits(
  reservation: Reservation,
  selected: SelectedUnits,
  count: (backing: Backing) => number,
  order: (a: Backing, b: Backing) => number,
): readonly BackingUnits[] | null {
  if (!Number.isSafeInteger(selected.quantity) || selected.quantity < 0)
    throw new Error(`Broken invariant: ${selected.quantity} units are asked for`);
  const found = reservation.backings.filter(
    (backing) => count(backing) > 0 && isSelected(reservation, selected, backing),
  );
  const taken: BackingUnits[] = [];
  let left = selected.quantity;
  for (const backing of found.toSorted(order)) {
    if (left === 0) break;
    const quantity = Math.min(left, count(backing));
    taken.push({ backing, quantity });
    left -= quantity;
  }
  return left === 0 ? taken : null;
}

/** What a refusal names. */
export const refOf = ({ line, sku, node, fulfilment }: SelectedUnits): UnitSelector => ({
  line,
  sku,
  node,
  fulfilment,
});

/** The refusal of what {@link selectUnits} did not find. */
export const unitsMissing = (
  reservation: Reservation,
  selected: SelectedUnits,
  count: (backing: Backing) => number,
): { readonly code: 'reservation.units_missing'; readonly at: UnitSelector; readonly there: number } => {
  const found = reservation.backings.filter((backing) => isSelected(reservation, selected, backing));
  const there = found.reduce((sum, backing) => sum + count(backing), 0);
  return { code: 'reservation.units_missing', at: refOf(selected), there };
};

/** Of open units of a backing that move, confirmed ones move first. */
export function splitOpen(backing: Backing, quantity: number): Readonly<Record<OpenTally, number>> {
  if (quantity > open(backing)) throw new Error(`Broken invariant: ${quantity} units of ${open(backing)} open`);
  const confirmed = Math.min(quantity, backing.confirmed);
  return { confirmed, held: quantity - confirmed };
}
