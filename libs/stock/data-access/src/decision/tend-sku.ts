/**
 * What the engine does by itself for the promises of a SKU, while their gate is locked: units that wait for them are given out, what is
 * short moves to where units are, and what a late line was to bring is served of what is free. What nobody can cover is then an
 * exception and told, and given up at its deadline if whoever decides about it has not done anything.
 */
import {
  type BackingQuantity,
  type ShortPromises,
  type SkuKey,
  type SkuSupply,
  breakUnits,
  hasOverdueLines,
  healShortfall,
  inboundConcernsOf,
  onTheWay,
  rowOf,
  shortPromisesOf,
  unappliedOf,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { ExceptionCode } from '../repository/open-exceptions.ts';
import type { ChangingBook } from './changing-book.ts';
import type { PromiseExceptions, Trouble } from './promise-exceptions.ts';
import type { ServedWaiting } from './serve-waiting.ts';

const CODES: readonly ExceptionCode[] = ['promise.short', 'inbound.overdue', 'inbound.short'];
/** Below it is no reservation: a look goes on with those who wait, and not with what is short. */
const NONE_BELOW = 0;

export class TendedSkus {
  /** SKUs of which everything was looked at. */
  readonly #done = new Set<SkuKey>();
  /** Others, and the key below which the next look at what is short goes on. */
  readonly #goOnBelow = new Map<SkuKey, number>();

  readonly #state: BatchState;
  readonly #book: ChangingBook;
  readonly #waiting: ServedWaiting;
  readonly #exceptions: PromiseExceptions;

  constructor(state: BatchState, book: ChangingBook, waiting: ServedWaiting, exceptions: PromiseExceptions) {
    this.#state = state;
    this.#book = book;
    this.#waiting = waiting;
    this.#exceptions = exceptions;
  }

  /** Everything overdue was reaped when the batch began. `offersAll`: others may have what is free than before. */
  tend(sku: SkuKey, offersAll: boolean): void {
    const others = this.#book.othersShort.has(sku);
    if (offersAll) this.#waiting.serveAll(sku);
    else this.#waiting.serveUnapplied(sku);
    // Those who lose their units in this batch have not all been loaded.
    if (this.#book.newlyShort.has(sku) || !this.#heal(sku) || !this.#serveLate(sku)) return;
    this.#breakDue(sku);
    this.#book.changed.delete(sku);
    // What this look has changed itself, it tells as well.
    if (!others) this.#book.othersShort.delete(sku);
    this.#done.add(sku);
  }

  /** After all commands of the batch: tasks of what goes on, and of the others what is told. */
  finish(): void {
    const { writes } = this.#book;
    for (const [sku, key] of this.#goOnBelow) if (!writes.rebackTasks.has(sku)) writes.rebackTasks.set(sku, key);
    for (const sku of this.#done) {
      writes.healed.push(sku);
      if (!writes.rebackTasks.has(sku)) this.#settle(sku, this.#book.supply(sku));
    }
  }

  /** Answers whether all that are short were looked at. */
  #heal(sku: SkuKey): boolean {
    const { reservations, supplies, rules, now, healMoreBelow: below } = this.#state;
    const newestFirst = [...reservations.values()].sort((a, b) => b.reservation.key - a.reservation.key);
    const candidates = newestFirst.map(({ reservation }) => reservation);
    const { effects } = healShortfall(sku, candidates, supplies, rules, now);
    for (const effect of effects) this.#book.byItself(effect, { reason: 'heal', occurredAt: now }, 'moved');
    if (below === null) return true;
    // Those who were not loaded may move, too: nothing is told before the oldest was looked at.
    if (effects.length > 0) this.#book.newlyShort.add(sku);
    else {
      this.#book.changed.delete(sku);
      this.#goOnBelow.set(sku, below);
    }
    return false;
  }

  /** Answers whether all who wait for what does not come in time were looked at. */
  #serveLate(sku: SkuKey): boolean {
    const supply = this.#book.supply(sku);
    if (unappliedOf(supply).length > 0) return false;
    if (!hasOverdueLines(supply, this.#state.now) || this.#waiting.serveLate(sku)) return true;
    this.#book.changed.delete(sku);
    this.#goOnBelow.set(sku, NONE_BELOW);
    return false;
  }

  #breakDue(sku: SkuKey): void {
    const { now } = this.#state;
    const told = this.#exceptions.openOf(sku, ['promise.short']).flatMap((one) => one.told);
    const due = told.filter(({ dueAt }) => dueAt !== null && dueAt <= now);
    if (due.length === 0) return;
    const short = this.#shortOf(sku, this.#book.supply(sku)).flatMap(({ promises }) => promises);
    const broken = new Map<number, BackingQuantity[]>();
    for (const { reservation, backing, quantity, order } of due) {
      const isSame = (one: (typeof short)[number]): boolean =>
        one.reservation === reservation && one.backing === backing && one.controller?.order === order;
      const units = Math.min(quantity, short.find(isSame)?.quantity ?? 0);
      if (units > 0) broken.set(reservation, [...(broken.get(reservation) ?? []), { backing, quantity: units }]);
    }
    for (const [key, units] of broken) {
      const effect = breakUnits(this.#book.stored(key).reservation, units, this.#state.supplies);
      this.#book.byItself(effect, { reason: 'give-up', occurredAt: now }, 'given_up');
    }
  }

  #settle(sku: SkuKey, supply: SkuSupply): void {
    const { now, tendedLines } = this.#state;
    const short = this.#shortOf(sku, supply).map(({ at, quantity, promises }): Trouble => {
      const detail = at.kind === 'incoming' ? at.detail : null;
      const supplyKey = rowOf(supply, at).key;
      return { code: 'promise.short', node: at.node, detail, supplyKey, quantity, promises };
    });
    const late = inboundConcernsOf(supply, now).map(({ code, line, quantity }): Trouble => {
      const { detail, node } = line;
      return { code, node, detail, supplyKey: rowOf(supply, onTheWay(line)).key, quantity, promises: [] };
    });
    this.#exceptions.settle(sku, CODES, [...short, ...late]);
    const { writes } = this.#book;
    for (const { detail, dueAt } of supply.inbound) {
      const isLate = dueAt !== null && dueAt < now && tendedLines.get(detail)?.isLate === false;
      if (isLate && !writes.inboundLines.has(detail)) writes.lateLines.push(detail);
    }
  }

  /** Of promises that were loaded for it, and those that were told: others come before them. */
  #shortOf(sku: SkuKey, { rows, future }: SkuSupply): readonly ShortPromises[] {
    const told = this.#exceptions.openOf(sku, ['promise.short']).flatMap((one) => one.told);
    const keys = new Set([...this.#state.short, ...told.map(({ reservation }) => reservation)]);
    const some = [...keys].flatMap((key) => this.#state.reservations.get(key)?.reservation ?? []);
    return [...rows, ...future].flatMap((row) => shortPromisesOf(sku, row, some) ?? []);
  }
}
