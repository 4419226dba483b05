/** Whose promises a row no longer covers, as it is told to those who decide what becomes of them. */
import { inWaitOrder } from './free-units.ts';
import type { LineNo, SkuKey } from './keys.ts';
import { type Backing, type Controller, type Reservation, open, openOfLine, supplyOf } from './reservation.ts';
import { type SupplyPlace, type SupplyRow, isSamePlace } from './supply-row.ts';

export interface ShortPromises {
  readonly sku: SkuKey;
  readonly at: SupplyPlace;
  /** Units of which nothing is there, or is to come. */
  readonly quantity: number;
  /** Those that are served last lose theirs first. */
  readonly promises: readonly ShortPromise[];
  /** Units of promises that were not loaded; with the others, all that the row lacks. */
  readonly unnamed: number;
}

export interface ShortPromise {
  /** Its key. */
  readonly reservation: number;
  /** Its number. */
  readonly backing: number;
  readonly line: LineNo;
  readonly fulfilment: string | null;
  readonly quantity: number;
  /** Open units of the line, whatever they stand on. */
  readonly lineOpen: number;
  /** Null: the engine moves these itself. */
  readonly controller: Controller | null;
}

/**
 * Null if the row covers all of them. `reservations`: of those with open units on the row at least so many as lack them, those that
 * are served last before the others.
 */
export function shortPromisesOf(
  sku: SkuKey,
  row: SupplyRow,
  reservations: readonly Reservation[],
): ShortPromises | null {
  if (row.shortfall === 0) return null;
  const promises: ShortPromise[] = [];
  let left = row.shortfall;
  for (const { reservation, backing } of losersFirst(sku, row, reservations)) {
    if (left === 0) break;
    const quantity = Math.min(left, open(backing));
    const { no, line, fulfilment } = backing;
    const { key, controller } = reservation;
    const lineOpen = openOfLine(reservation, line);
    promises.push({ reservation: key, backing: no, line, fulfilment, quantity, lineOpen, controller });
    left -= quantity;
  }
  const { node, kind, detail } = row;
  return { sku, at: { node, kind, detail }, quantity: row.shortfall, promises, unnamed: left };
}

interface Loser {
  readonly reservation: Reservation;
  readonly backing: Backing;
}

/** What a node works on keeps its units longest. */
function losersFirst(sku: SkuKey, row: SupplyRow, reservations: readonly Reservation[]): readonly Loser[] {
  const isHere = (backing: Backing): boolean => {
    const at = supplyOf(backing);
    return backing.sku === sku && open(backing) > 0 && at !== null && isSamePlace(at, row);
  };
  return reservations
    .flatMap((reservation) => reservation.backings.filter(isHere).map((backing) => ({ reservation, backing })))
    .toSorted(
      (a, b) =>
        Number(a.backing.fulfilment !== null) - Number(b.backing.fulfilment !== null) ||
        inWaitOrder(b.reservation, a.reservation) ||
        b.backing.line - a.backing.line ||
        b.backing.no - a.backing.no,
    );
}
