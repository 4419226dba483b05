/**
 * Units that come free in a batch serve those who wait for them, before anything else is decided. What the batch may not convert any
 * more is unapplied, and a task goes on with it.
 *
 * Where no unit has come free but others may have what is for sale, they are offered it page by page, and it stays for sale meanwhile. It
 * has been so all the time: to keep it for whoever may still come would take a SKU for which tens of thousands wait off sale for
 * seconds, whether or not any of them may have it. So a shopper may buy what a page has left.
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
  offerAvailable,
  unappliedOf,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { WaitPlace } from '../repository/tend-tasks.ts';
import { THE_ENGINE_SOURCE } from '../sources/source-book.ts';
import { type LedgerOrigin, THE_ENGINE } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';

type OriginOf = (posting: Posting) => LedgerOrigin | null;

/** Those asked for while a round is being made are one: it covers all that has changed by its beginning. */
const OFFERS_MAX = 2;

export class ServedWaiting {
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

  /** The next slice of what waits at the nodes. Answers behind whom the next one begins; null: with whoever is first. */
  serveUnapplied(sku: SkuKey): WaitPlace | null {
    const nodes = unappliedOf(this.#book.supply(sku));
    if (nodes.length === 0) return null;
    const { converted } = this.#offer(sku, nodes, this.waitingFor(sku));
    // Of a slice that could serve nobody, nobody need be looked at again.
    return converted === 0 && this.#budget > 0 ? this.endOfPage(sku) : null;
  }

  /** What is for sale is offered to the page. Answers whether nobody is left to whom it should be. */
  offer(sku: SkuKey): boolean {
    const { supplies, rules, now } = this.#state;
    if (!isWaitedFor(this.#book.supply(sku))) return true;
    const { candidates, hasMore } = this.waitingFor(sku);
    this.apply(sku, offerAvailable(sku, candidates, supplies, { rules, now }));
    return !hasMore || allAvailable(this.#book.supply(sku)).length === 0;
  }

  /** By a command: who is not in its page comes with a task. */
  offerInPassing(sku: SkuKey): void {
    const isDone = this.offer(sku);
    const offers = this.offersOf(sku, true);
    const { writes } = this.#book;
    if (unappliedOf(this.#book.supply(sku)).length > 0) writes.tendLater(sku, { after: null, offers });
    else if (!isDone) writes.tendLater(sku, offers > 1 ? { offers } : { after: this.endOfPage(sku), offers });
  }

  /** How many times all who wait have yet to be offered what is for sale. */
  offersOf(sku: SkuKey, isAsked: boolean): number {
    return Math.min(OFFERS_MAX, (this.#state.tendTasks.get(sku)?.offers ?? 0) + Number(isAsked));
  }

  /** What is for sale already serves those whose line does not bring what they were promised. Answers whether all of them were looked at. */
  serveLate(sku: SkuKey): boolean {
    const { supplies, rules, now } = this.#state;
    const { candidates, hasMore } = this.waitingFor(sku);
    this.apply(sku, decideOverdue(sku, candidates, supplies, { rules, now }).freeing);
    return !hasMore;
  }

  /** Whether whoever comes first is in the page that was read, or nobody waits. */
  beginsWithFirst(sku: SkuKey): boolean {
    return (this.#state.waiting.pages.get(sku)?.from ?? null) === null;
  }

  /** Behind whom the next page begins. */
  endOfPage(sku: SkuKey): WaitPlace | null {
    const page = this.#state.waiting.pages.get(sku);
    return page?.hasMore && !this.#book.othersWait.has(sku) ? page.last : null;
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
      this.#budget = Math.max(0, this.#budget - one.changes.length);
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
