/** What a random step means of reservations as they are when it is played. */
import { type Backing, type Reservation, open } from '../../reservation.ts';
import type { Wanted } from './amending.ts';
import type { Which } from './piles.ts';

/** So many picks mean only what has units of the kind that a verb is about. */
export const MEANT_PICKS = 6;
/** Fewer units than these are cut to what a picked backing has. */
const MANY = 4;

/** Units of a backing, picked by its place, and named as far as the flags say. */
export interface Named {
  readonly backing: number;
  readonly quantity: number;
  readonly names: readonly ('line' | 'sku' | 'node' | 'fulfilment')[];
}

/** A line, by its place among the lines, or a new one; null leaves it its SKU. */
export interface Reworded {
  readonly line: number;
  readonly sku: number | null;
  readonly quantity: number;
  readonly nodes: readonly number[] | null;
}

export type Count = (backing: Backing) => number;
export const held: Count = (backing) => backing.held;
export const confirmed: Count = (backing) => backing.confirmed;
export const fulfilled: Count = (backing) => backing.fulfilled;
export const pinned: Count = (backing) => (backing.fulfilment === null ? 0 : open(backing));
export const pinnedConfirmed: Count = (backing) => (backing.fulfilment === null ? 0 : backing.confirmed);
export const heldOrExpired: Count = (backing) => backing.held + backing.expired;

/** A backing, named as far as the step says, or by nothing at all. */
export function selected(
  { lines, backings }: Reservation,
  { backing, quantity, names }: Named,
  count: Count = open,
): Which {
  const live = backing < MEANT_PICKS ? backings.filter((one) => count(one) > 0) : [];
  const some = live.length > 0 ? live : backings;
  const meant = some[backing % Math.max(1, some.length)];
  if (!meant) return { quantity };
  const all = {
    line: lines[meant.line]?.id,
    sku: meant.sku,
    node: meant.node === 0 ? null : meant.node,
    fulfilment: meant.fulfilment,
  };
  const units = quantity < MANY ? Math.min(quantity, Math.max(1, count(meant))) : quantity;
  return { ...Object.fromEntries(names.map((name) => [name, all[name]])), quantity: units };
}

export function wantedOf({ lines }: Reservation, { line, sku, quantity, nodes }: Reworded): Wanted {
  const known = lines[line];
  return { id: known?.id ?? `line-${line}`, sku: sku ?? known?.sku ?? 1, quantity, nodes };
}
