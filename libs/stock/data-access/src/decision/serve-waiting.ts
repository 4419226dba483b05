/**
 * Units that come free in a batch serve those who wait for them, before anything else is decided. What the batch may not convert any
 * more is unapplied, and a task goes on with it.
 */
import {
  type FreedUnits,
  type Freeing,
  NOBODY_WAITS,
  type Posting,
  type SkuKey,
  type Waiting,
  allAvailable,
  decideOverdue,
  freeUnits,
  freedBy,
  isWaitedFor,
  unappliedOf,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { WaitPlace } from '../repository/waiting-reads.ts';
import { THE_ENGINE_SOURCE } from '../sources/source-book.ts';
import { type LedgerOrigin, THE_ENGINE } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';

type OriginOf = (posting: Posting) => LedgerOrigin | null;

export class ServedWaiting {
  /** Behind whom the next slice goes on, of SKUs of which a whole slice could serve nobody. */
  readonly goOnAfter = new Map<SkuKey, WaitPlace>();
  readonly #state: BatchState;
  readonly #book: ChangingBook;
  #budget: number;

  constructor(state: BatchState, book: ChangingBook) {
    this.#state = state;
    this.#book = book;
    this.#budget = state.waiting.budget;
  }

  /** Whatever has come free since this was last called. */
  serve(): void {
    for (const [sku, before] of this.#book.takeMarks()) {
      const freed = freedBy(before, this.#book.supply(sku));
      if (freed.length > 0) this.#offer(sku, freed, this.waitingFor(sku));
    }
  }

  /** The next slice of what waits at the nodes. */
  serveUnapplied(sku: SkuKey): void {
    this.#serveAt(sku, unappliedOf(this.#book.supply(sku)));
  }

  /** All that is free, for when it is not units that have changed but who may have them. */
  serveAll(sku: SkuKey): void {
    const supply = this.#book.supply(sku);
    const available = isWaitedFor(supply) ? allAvailable(supply) : [];
    this.#serveAt(sku, [...available, ...unappliedOf(supply)]);
  }

  #serveAt(sku: SkuKey, nodes: readonly FreedUnits[]): void {
    if (nodes.length === 0) return;
    const { converted } = this.#offer(sku, nodes, this.waitingFor(sku));
    const page = this.#state.waiting.pages.get(sku);
    if (converted === 0 && page?.hasMore && page.last) this.goOnAfter.set(sku, page.last);
  }

  /** What is free already serves those whose line does not bring what they were promised. Answers whether all of them were looked at. */
  serveLate(sku: SkuKey): boolean {
    const { supplies, rules, now } = this.#state;
    const waiting = this.waitingFor(sku);
    this.apply(sku, decideOverdue(sku, waiting, supplies, { rules, now }).freeing);
    if (!waiting.hasMore) return true;
    const last = this.#state.waiting.pages.get(sku)?.last;
    if (last && !this.#book.othersWait.has(sku)) this.goOnAfter.set(sku, last);
    else this.#book.deferred.add(sku);
    return false;
  }

  /** Whoever else waits than those who were loaded is served by a task. */
  waitingFor(sku: SkuKey): Waiting {
    const page = this.#state.waiting.pages.get(sku);
    if (!page && !isWaitedFor(this.#book.supply(sku))) return NOBODY_WAITS;
    if (!page || this.#book.othersWait.has(sku)) return { ...NOBODY_WAITS, hasMore: true };
    const candidates = page.reservations.flatMap((key) => this.#state.reservations.get(key)?.reservation ?? []);
    return { candidates, hasMore: page.hasMore, budget: this.#budget };
  }

  /** Writes what became of units; `originOf` says of a posting whose it is, if it was not made to serve who waits. */
  apply(sku: SkuKey, { effects, effect, nodes }: Freeing, originOf: OriginOf = () => null): void {
    const { now } = this.#state;
    // Named by the version that it makes.
    const sourceEventId = String(this.#book.versionOf(sku) + 1);
    const why = { reason: 'convert', occurredAt: now, source: THE_ENGINE_SOURCE, sourceName: null };
    this.#book.change(effect, null);
    for (const posting of effect.postings) this.#book.post([posting], originOf(posting) ?? { ...why, sourceEventId });
    for (const one of effects) {
      const stored = this.#state.reservations.get(one.reservation.key);
      if (!stored) throw new Error(`Broken invariant: reservation ${one.reservation.key} was not loaded`);
      const origin = { ...why, sourceEventId: stored.id };
      this.#book.applyVerb(stored, one, { origin, doer: THE_ENGINE, fact: 'moved', trace: null });
      this.#budget -= one.changes.length;
    }
    if (nodes.some(({ unapplied }) => unapplied > 0)) this.#book.deferred.add(sku);
    this.#book.takeMarks();
  }

  #offer(sku: SkuKey, freed: readonly FreedUnits[], waiting: Waiting): { readonly converted: number } {
    const { supplies, rules, now } = this.#state;
    const freeing = freeUnits(sku, freed, waiting, supplies, { rules, now });
    this.apply(sku, freeing);
    return { converted: freeing.nodes.reduce((sum, { converted }) => sum + converted, 0) };
  }
}
