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
import type { TendTask } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import type { PromiseExceptions, Trouble } from './promise-exceptions.ts';
import type { ServedWaiting } from './serve-waiting.ts';

const CODES: readonly ExceptionCode[] = ['promise.short', 'inbound.overdue', 'inbound.short'];
/** Below it is no reservation: a look goes on with those who wait, and not with what is short. */
const NONE_BELOW = 0;

export class TendedSkus {
  /** SKUs of which everything was looked at. */
  readonly #done = new Set<SkuKey>();
  /** Others that were looked at, of which the next look goes on with what this one has left. */
  readonly #goOn = new Set<SkuKey>();
  /** Where the next look at a SKU begins, if there is one. */
  readonly #next = new Map<SkuKey, TendTask>();

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

  /**
   * Everything overdue was reaped when the batch began. `offersAll`: others may have what is for sale than before.
   *
   * Those who wait are read by pages, from the first of them: for the slices of what is unapplied, then to be offered what is for sale, and
   * then for what late lines do not bring. Each begins when the one before has ended. Known limit: while rules change all the time and
   * a page cannot have what is for sale, late lines wait.
   *
   * Answers whether another look goes on with what this one has left.
   */
  tend(sku: SkuKey, offersAll: boolean): boolean {
    this.#look(sku, offersAll);
    return this.#goOn.has(sku);
  }

  #look(sku: SkuKey, offersAll: boolean): void {
    const others = this.#book.othersShort.has(sku);
    const isServed = this.#serve(sku, offersAll);
    if (!isServed) this.#goOn.add(sku);
    // Those who lose their units in this batch have not all been loaded.
    if (this.#book.newlyShort.has(sku) || !this.#heal(sku)) return;
    if (!isServed || !this.#serveLate(sku)) return this.#leave(sku, { below: NONE_BELOW });
    this.#breakDue(sku);
    this.#book.changed.delete(sku);
    // What this look has changed itself, it tells as well.
    if (!others) this.#book.othersShort.delete(sku);
    this.#done.add(sku);
  }

  /** After all commands of the batch: tasks of what goes on, and of the others what is told. */
  finish(): void {
    const { writes } = this.#book;
    for (const sku of this.#done) {
      writes.tended.push(sku);
      if (!writes.tendTasks.has(sku)) this.#settle(sku, this.#book.supply(sku));
    }
    for (const [sku, { after = null, offers = 0, below = null }] of this.#next) {
      const asked = writes.tendTasks.get(sku);
      // Whoever asks for a look at what is short means all of it, and knows nothing of the pages.
      if (asked || this.#goOn.has(sku)) writes.tendTasks.set(sku, { below, ...asked, after, offers });
    }
  }

  /** Where the next look begins, and that there is one. */
  #leave(sku: SkuKey, task: TendTask): void {
    this.#book.changed.delete(sku);
    this.#goOn.add(sku);
    this.#next.set(sku, { ...this.#next.get(sku), ...task });
  }

  /** Gives out what is unapplied, then offers what is for sale if that is due. Answers whether nothing is left of both. */
  #serve(sku: SkuKey, offersAll: boolean): boolean {
    const offers = this.#waiting.offersOf(sku, offersAll);
    const hadUnapplied = this.#hasUnapplied(sku);
    const after = this.#waiting.serveUnapplied(sku);
    this.#next.set(sku, { after, offers });
    if (this.#hasUnapplied(sku)) return false;
    const isLater = !this.#waiting.beginsWithFirst(sku);
    // This page was one of slices: what comes now begins with the first.
    if (hadUnapplied && isLater) return offers === 0 && !this.#hasOverdue(sku);
    if (offers === 0) return true;
    const isDone = this.#waiting.offer(sku);
    if (!isDone) this.#next.set(sku, { after: this.#waiting.endOfPage(sku), offers });
    else this.#next.set(sku, { after: null, offers: offers - 1 });
    return isDone && offers === 1 && !(isLater && this.#hasOverdue(sku));
  }

  #hasUnapplied(sku: SkuKey): boolean {
    return unappliedOf(this.#book.supply(sku)).length > 0;
  }

  #hasOverdue(sku: SkuKey): boolean {
    return hasOverdueLines(this.#book.supply(sku), this.#state.now);
  }

  /** Answers whether all that are short were looked at. */
  #heal(sku: SkuKey): boolean {
    const { reservations, supplies, rules, now, healable, healMoreBelow: below } = this.#state;
    // Others are loaded as well, to be named or served; they have their turn when the look comes to them.
    const candidates = healable.flatMap((key) => reservations.get(key)?.reservation ?? []);
    const { effects } = healShortfall(sku, candidates, supplies, rules, now);
    for (const effect of effects) this.#book.byItself(effect, { reason: 'heal', occurredAt: now }, 'moved');
    if (below === null) return true;
    // Those who were not loaded may move, too: nothing is told before the oldest was looked at.
    if (effects.length > 0) this.#book.newlyShort.add(sku);
    else this.#leave(sku, { below });
    return false;
  }

  /** Answers whether all who wait for what does not come in time were looked at. */
  #serveLate(sku: SkuKey): boolean {
    if (!this.#hasOverdue(sku) || this.#waiting.serveLate(sku)) return true;
    this.#leave(sku, { after: this.#waiting.endOfPage(sku) });
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
