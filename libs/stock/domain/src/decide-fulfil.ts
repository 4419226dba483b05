/**
 * Units ship, or are handed over. Where a node works on them for a fulfilment, several may tell of the one event (`told.ts`): only by
 * what has not been told before anything happens. Units without a fulfilment are told by one, and simply go.
 */
import { type VerbEffect, decideLeave, next } from './decide-verb.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { Backing, Reservation } from './reservation.ts';
import { type SelectedUnits, type UnitSelector, inLineOrder, isSelected, refOf } from './select-units.ts';
import type { Supplies, SupplyEffect } from './supply.ts';
import { NOTHING_TOLD, type Told, largestTotal, tell, undoTold } from './told.ts';

/** What has been told of each fulfilment's SKU, by {@link toldKey}. */
export type ToldBook = ReadonlyMap<string, Told>;

export const toldKey = (fulfilment: string, sku: SkuKey): string => `${sku}\u0000${fulfilment}`;

export function readToldKey(key: string): { readonly fulfilment: string; readonly sku: SkuKey } {
  const [sku = '', fulfilment = ''] = key.split('\u0000');
  return { sku: Number(sku), fulfilment };
}

/** Who tells, and what has been told before. */
export interface Teller {
  readonly teller: string;
  readonly book: ToldBook;
  /** Of units of a backing that go, those that the row's newest count no longer had. */
  readonly counted: (backing: Backing, quantity: number) => number;
}

export interface ToldEffect extends VerbEffect {
  /** What is told of those fulfilments from now on. */
  readonly told: ToldBook;
}

/** Units of one SKU of a fulfilment: those that can still go, and those that have gone. */
interface Work {
  readonly fulfilment: string;
  readonly sku: SkuKey;
  readonly confirmed: number;
  readonly fulfilled: number;
}

/**
 * All parts or none; null is all there is. Told again, units that have gone are not refused: the reservation stays as it is, but
 * for its version.
 */
export function decideFulfil(
  reservation: Reservation,
  supplies: Supplies,
  parts: readonly SelectedUnits[] | null,
  telling: Teller,
): Decision<ToldEffect> {
  const asked = parts ?? everything(reservation);
  if (asked.length === 0) return reject({ code: 'reservation.not_confirmed', at: null });
  const told = new Map(telling.book);
  const leaving: SelectedUnits[] = [];
  let current = reservation;
  for (const part of asked) {
    const units = parts === null ? wholly(part, reservation, told, telling) : unheard(part, current, told, telling);
    if (units === null) return reject({ code: 'reservation.not_confirmed', at: refOf(part) });
    leaving.push(...units);
    if (parts === null || parts.length === 1 || units.length === 0) continue;
    // The next part finds what this one leaves.
    const left = decideLeave('fulfil', current, supplies, units, telling.counted);
    if (!left.ok) return left;
    current = left.value.reservation;
  }
  const heardOf = new Map([...told].filter(([key, now]) => now !== telling.book.get(key)));
  if (leaving.length === 0) return accept({ reservation: next(reservation, {}), ...NOTHING, told: heardOf });
  const left = decideLeave('fulfil', reservation, supplies, leaving, telling.counted);
  return left.ok ? accept({ ...left.value, told: heardOf }) : left;
}

const NOTHING = { effect: { supplies: new Map(), postings: [] } as SupplyEffect, changes: [] };

/** A part for each fulfilment and SKU, and one for what has no fulfilment. */
function everything(reservation: Reservation): readonly SelectedUnits[] {
  const free = reservation.backings.filter(({ kind, fulfilment }) => kind === 'stock' && fulfilment === null);
  const quantity = free.reduce((sum, { confirmed }) => sum + confirmed, 0);
  const works = worksOf(reservation, {}).filter(({ confirmed }) => confirmed > 0);
  const parts = works.map(({ fulfilment, sku, confirmed }) => ({ fulfilment, sku, quantity: confirmed }));
  return quantity > 0 ? [...parts, { fulfilment: null, quantity }] : parts;
}

/** What is still there goes, whoever has told how much of it. */
function wholly(
  part: SelectedUnits,
  reservation: Reservation,
  told: Map<string, Told>,
  { teller }: Teller,
): readonly SelectedUnits[] {
  for (const work of typeof part.fulfilment === 'string' ? worksOf(reservation, part) : []) {
    const key = toldKey(work.fulfilment, work.sku);
    const before = told.get(key) ?? startOf(work);
    const behind = largestTotal(before) - (before.totals.get(teller) ?? 0);
    told.set(key, tell(before, teller, behind + part.quantity, capOf(before, work)).told);
  }
  return [part];
}

/** Of a part, what has not been told before; null if there are fewer units. */
function unheard(
  part: SelectedUnits,
  reservation: Reservation,
  told: Map<string, Told>,
  { teller }: Teller,
): readonly SelectedUnits[] | null {
  const works = worksOf(reservation, part);
  // What does not name a fulfilment takes what has none first; that is one teller's alone.
  const free = typeof part.fulfilment === 'string' ? 0 : freeUnits(reservation, part);
  const plain = Math.min(part.quantity, free);
  const leaving: SelectedUnits[] = plain > 0 ? [{ ...part, fulfilment: null, quantity: plain }] : [];
  let left = part.quantity - plain;
  for (const work of works) {
    if (left === 0) break;
    const key = toldKey(work.fulfilment, work.sku);
    const before = told.get(key) ?? startOf(work);
    const quantity = Math.min(left, roomFor(before, teller, capOf(before, work)));
    const telling = tell(before, teller, quantity, capOf(before, work));
    told.set(key, telling.told);
    left -= quantity;
    const { fulfilment, sku } = work;
    if (telling.effect > 0) leaving.push({ ...part, fulfilment, sku, quantity: telling.effect });
  }
  return left === 0 ? leaving : null;
}

const freeUnits = (reservation: Reservation, part: SelectedUnits): number =>
  reservation.backings
    .filter(
      (backing) => backing.kind === 'stock' && backing.fulfilment === null && isSelected(reservation, part, backing),
    )
    .reduce((sum, { confirmed }) => sum + confirmed, 0);

/** Units that the teller may add before it tells of more than there are. */
const roomFor = (told: Told, teller: string, cap: number): number =>
  largestTotal(told) - (told.totals.get(teller) ?? 0) + Math.max(0, cap - told.effect);

/** In the order of lines. */
function worksOf(reservation: Reservation, selector: UnitSelector): readonly Work[] {
  const works = new Map<string, Work>();
  for (const backing of reservation.backings.toSorted(inLineOrder)) {
    const { kind, fulfilment, sku, confirmed, fulfilled } = backing;
    if (kind !== 'stock' || fulfilment === null || !isSelected(reservation, selector, backing)) continue;
    const key = toldKey(fulfilment, sku);
    const sum = works.get(key) ?? { fulfilment, sku, confirmed: 0, fulfilled: 0 };
    works.set(key, { ...sum, confirmed: sum.confirmed + confirmed, fulfilled: sum.fulfilled + fulfilled });
  }
  return [...works.values()];
}

/** What the effect may come to: what has taken effect, and the selected units that can still go. */
const capOf = ({ effect }: Told, { confirmed }: Work): number => effect + confirmed;
/** Before anybody has told: what is fulfilled was so before anyone kept count. */
const startOf = ({ fulfilled }: Work): Told => ({ ...NOTHING_TOLD, effect: fulfilled });

/** A hand-over as a till or a warehouse tells it. */
export interface HandOver {
  readonly fulfilment: string;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
}

export interface HandOverEffect {
  /** Null if nothing was told that had not been told before. */
  readonly verb: VerbEffect | null;
  readonly told: Told;
  /** Units beyond what the fulfilment has there: they left as in a plain sale. */
  readonly plain: number;
}

/** Never refused: what has happened has happened. */
export function decideHandOver(
  reservation: Reservation,
  { fulfilment, sku, node, quantity }: HandOver,
  supplies: Supplies,
  { teller, book, counted }: Teller,
): HandOverEffect {
  const selector = { fulfilment, sku, node };
  const [work = { fulfilment, sku, confirmed: 0, fulfilled: 0 }] = worksOf(reservation, selector);
  const before = book.get(toldKey(fulfilment, sku)) ?? startOf(work);
  const { told, effect, plain } = tell(before, teller, quantity, capOf(before, work));
  if (effect === 0) return { verb: null, told, plain };
  const left = decideLeave('fulfil', reservation, supplies, [{ ...selector, quantity: effect }], counted);
  if (!left.ok) throw new Error(`Broken invariant: units that are there were refused with ${left.rejection.code}`);
  return { verb: left.value, told, plain };
}

/** What has been told of units whose shipment is undone. */
export function undoneOf(before: Reservation, after: Reservation, book: ToldBook): ToldBook {
  const undone = new Map<string, Told>();
  for (const work of worksOf(before, {})) {
    const now = worksOf(after, { fulfilment: work.fulfilment, sku: work.sku })[0];
    const units = work.fulfilled - (now?.fulfilled ?? 0);
    if (units <= 0) continue;
    const key = toldKey(work.fulfilment, work.sku);
    undone.set(key, undoTold(book.get(key) ?? startOf(work), units));
  }
  return undone;
}
