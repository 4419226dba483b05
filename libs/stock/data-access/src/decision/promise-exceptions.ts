/**
 * Exceptions of a SKU as they are to be from now on, opened, changed or closed, and what is told of promises by them: each promise once
 * for each change of it.
 */
import {
  type LineNo,
  type NodeAtp,
  type NodeKey,
  type PromiseUnits,
  type SkuKey,
  type SupplyKey,
  type ToldPromise,
  candidatesOf,
  noticeOf,
  openOfLine,
  stillOpen,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import { type ExceptionCode, type OpenException, subjectOf } from '../repository/open-exceptions.ts';
import type { StoredReservation } from '../repository/stored-reservations.ts';
import type { NamedPromise, Writes } from './batch-writes.ts';

/** Units of a line of a reservation that an exception is about. */
export interface LineUnits extends PromiseUnits {
  readonly line: LineNo;
  readonly fulfilment: string | null;
}

/** What is wrong with a row, or with a line that brings units. */
export interface Trouble {
  readonly code: ExceptionCode;
  readonly node: NodeKey;
  /** Of the line, if it is about one. */
  readonly detail: number | null;
  readonly supplyKey: SupplyKey | null;
  readonly quantity: number;
  readonly promises: readonly LineUnits[];
}

const CANDIDATES_NAMED_MAX = 10;

export class PromiseExceptions {
  readonly #state: BatchState;
  readonly #writes: Writes;
  readonly #shortMs: number;

  /** `shortMs`: for how long whoever decides about short promises may think. */
  constructor(state: BatchState, writes: Writes, shortMs: number) {
    this.#state = state;
    this.#writes = writes;
    this.#shortMs = shortMs;
  }

  /** Those that are open, as they were when the batch began. */
  openOf(sku: SkuKey, codes: readonly ExceptionCode[]): readonly OpenException[] {
    return this.#state.openExceptions.filter((one) => one.sku === sku && codes.includes(one.code));
  }

  /** `troubles` is all that is wrong of these kinds. */
  settle(sku: SkuKey, codes: readonly ExceptionCode[], troubles: readonly Trouble[]): void {
    const left = new Map(this.openOf(sku, codes).map((one) => [`${one.code} ${one.subject}`, one]));
    const promises = troubles.flatMap((one) => one.promises);
    for (const trouble of troubles) {
      const subject = subjectOf({ sku, ...trouble });
      const earlier = left.get(`${trouble.code} ${subject}`);
      left.delete(`${trouble.code} ${subject}`);
      this.#note({ sku, subject, trouble, earlier, promises });
    }
    for (const ended of left.values()) {
      this.#writes.closedExceptions.push(ended);
      this.#mended(ended, ended.told, promises);
    }
  }

  #note({ sku, subject, trouble, earlier, promises }: Noted): void {
    const { code, node, detail, supplyKey, quantity } = trouble;
    const dueAt = code === 'promise.short' ? this.#state.now + this.#shortMs : null;
    const { told, news, gone } = noticeOf(earlier?.told ?? [], trouble.promises, dueAt);
    if (earlier?.quantity === quantity && news.length + gone.length === 0) return;
    const line = detail === null ? null : (this.#state.tendedLines.get(detail) ?? null);
    this.#writes.exceptions.push({ code, subject, sku, node, supplyKey, quantity, line, told });
    if (earlier) this.#mended(earlier, gone, promises);
    const fact = code === 'promise.short' ? 'short' : code === 'promise.stranded' ? 'stranded' : null;
    if (fact === null || news.length === 0) return;
    const due = new Map(told.map((one) => [`${one.reservation}:${one.backing}`, one.dueAt]));
    const named = news.flatMap((one) => {
      const stored = this.#state.reservations.get(one.reservation);
      if (!stored) return [];
      const until = due.get(`${one.reservation}:${one.backing}`) ?? null;
      return nameOf(stored, one, { dueAt: until, candidates: this.#candidates(sku, stored, one.line) });
    });
    this.#writes.promiseNews.push({ fact, sku, node, line, quantity, promises: named });
  }

  #candidates(sku: SkuKey, { reservation }: StoredReservation, line: LineNo): readonly NodeAtp[] {
    const { supplies, rules, now } = this.#state;
    const supply = supplies.get(sku);
    return supply ? candidatesOf(reservation, line, supply, rules, now).slice(0, CANDIDATES_NAMED_MAX) : [];
  }

  /** What was told short and is covered now, at whichever node; what has ended is told by whatever ended it. */
  #mended(exception: OpenException, gone: readonly ToldPromise[], short: readonly LineUnits[]): void {
    if (exception.code !== 'promise.short') return;
    const { sku, node, line } = exception;
    const promises = gone.flatMap((one) => this.#covered(one, short));
    const quantity = promises.reduce((sum, one) => sum + one.quantity, 0);
    if (quantity > 0) this.#writes.promiseNews.push({ fact: 'mended', sku, node, line, quantity, promises });
  }

  #covered(told: ToldPromise, short: readonly LineUnits[]): NamedPromise[] {
    const stored = this.#state.reservations.get(told.reservation);
    const backing = stored?.reservation.backings[told.backing];
    if (!stored || !backing) return [];
    const { line, fulfilment } = backing;
    const { backings } = stored.reservation;
    const backed = openOfLine({ backings: backings.filter(({ kind }) => kind !== 'unbacked') }, line);
    const stillShort = short
      .filter((one) => one.reservation === told.reservation && one.line === line)
      .reduce((sum, one) => sum + one.quantity, 0);
    const quantity = Math.min(stillOpen(told, openOfLine(stored.reservation, line)), backed - stillShort);
    if (quantity <= 0) return [];
    return [nameOf(stored, { line, fulfilment, quantity }, { dueAt: null, candidates: [] })];
  }
}

interface Noted {
  readonly sku: SkuKey;
  readonly subject: string;
  readonly trouble: Trouble;
  readonly earlier: OpenException | undefined;
  /** Of all troubles of the SKU. */
  readonly promises: readonly LineUnits[];
}

const nameOf = (
  { owner, id, reservation: { controller, lines } }: StoredReservation,
  { line, fulfilment, quantity }: Pick<LineUnits, 'line' | 'fulfilment' | 'quantity'>,
  more: Pick<NamedPromise, 'dueAt' | 'candidates'>,
): NamedPromise => ({
  owner,
  id,
  order: controller?.order ?? null,
  line: lines[line]?.id ?? '',
  fulfilment,
  quantity,
  ...more,
});
