/**
 * Units that come free at a node, for whatever reason, first serve those who were promised what was not there yet. Every decision
 * that frees units ends with this, in its own transaction, before anybody else may have them.
 *
 * Candidates are served in order of their rank, as far as the node may back them and others' fences leave units; what thresholds
 * hide is for shoppers, not for them. What a line of the node was to bring for somebody is theirs first: a unit that was granted goes to no other order. Then come
 * allowances, and lines that are late, closed or short wherever they were to arrive.
 *
 * A transaction converts only so many. While others may wait, what is left of the units is `unapplied`, and the next slice goes on
 * with it: nobody else may have it in between.
 */
import { defer, exchange } from './arithmetic.ts';
import { keptFrom } from './fence.ts';
import { mayBack } from './decide-allocate.ts';
import type { VerbEffect } from './decide-verb.ts';
import { inboundLineOf, isOverdue } from './inbound.ts';
import type { ChannelKey, NodeKey, SkuKey } from './keys.ts';
import { MovingPromises } from './moving-promises.ts';
import { type Backing, type Reservation, onStock, open, supplyOf } from './reservation.ts';
import type { Terms } from './settlement.ts';
import {
  type SkuSupply,
  type Supplies,
  SupplyDraft,
  type SupplyEffect,
  fenceUsesOf,
  noSupply,
  rowAt,
} from './supply.ts';
import { type SupplyPlace, promised, stockAt } from './supply-row.ts';

export interface FreedUnits {
  readonly node: NodeKey;
  readonly units: number;
}

/** Who waits for units of a SKU. */
export interface Waiting {
  /**
   * Reservations with units on allowances and incoming lines, as locked. Not loaded may be only such as come after all of these in
   * {@link inWaitOrder}; a slice that could serve none of them goes on with those that come after.
   */
  readonly candidates: readonly Reservation[];
  /** Whether there are others. */
  readonly hasMore: boolean;
  /** Backings that the transaction may convert at most. */
  readonly budget: number;
}

export const NOBODY_WAITS: Waiting = { candidates: [], hasMore: false, budget: 0 };

export interface Freeing {
  /** Of each reservation that got units; the book's part of all is in `effect`. */
  readonly effects: readonly VerbEffect[];
  readonly effect: SupplyEffect;
  readonly nodes: readonly NodeFreeing[];
}

/** What became of the units at a node. */
export interface NodeFreeing {
  readonly node: NodeKey;
  readonly converted: number;
  /** Units for a later slice. */
  readonly unapplied: number;
  /** Units for everybody. */
  readonly available: number;
}

export type FreeingTerms = Pick<Terms, 'rules' | 'now'>;

/** Who is served first: by priority, then by the age of the order, then by key. */
export const inWaitOrder = (a: Reservation, b: Reservation): number =>
  b.priority - a.priority || ageOf(a) - ageOf(b) || a.key - b.key;

const ageOf = ({ orderedAt, createdAt }: Reservation): number => orderedAt ?? createdAt;

/** Whether anybody has been promised units of the SKU that are not there yet. */
export const isWaitedFor = ({ future }: SkuSupply): boolean => future.some((row) => promised(row) > 0);

/** Rows come in the order in which they were read or made; who is served where must not depend on it. */
const inNodeOrder = (a: FreedUnits, b: FreedUnits): number => a.node - b.node;

/** Units that a decision made available, by node. What it only exchanged between promises is not among them. */
export function freedBy(before: SkuSupply, after: SkuSupply): readonly FreedUnits[] {
  return after.rows
    .map(({ node, available }) => ({ node, units: available - rowAt(before, node).available }))
    .filter(({ units }) => units > 0)
    .sort(inNodeOrder);
}

/** All that is available, for when it is not units that have changed but who may have them: a line is late, a rule is another. */
export const allAvailable = ({ rows }: SkuSupply): readonly FreedUnits[] =>
  rows
    .filter(({ available }) => available > 0)
    .map(({ node, available }) => ({ node, units: available }))
    .sort(inNodeOrder);

/** Nodes at which a slice is due: units wait there for those whom they serve. */
export const unappliedOf = ({ rows }: SkuSupply): readonly FreedUnits[] =>
  rows
    .filter(({ unapplied }) => unapplied > 0)
    .map(({ node }) => ({ node, units: 0 }))
    .sort(inNodeOrder);

/**
 * `freed` are units that are available and have been offered to nobody yet; what is unapplied at these nodes is offered with them.
 *
 * Law: afterwards no candidate waits whom an offered unit could serve, unless there are more than were loaded or than could be
 * converted; and then no offered unit is available.
 */
export function freeUnits(
  sku: SkuKey,
  freed: readonly FreedUnits[],
  waiting: Waiting,
  supplies: Supplies,
  terms: FreeingTerms,
): Freeing {
  const draft = new SupplyDraft(supplies);
  const promises = new MovingPromises(waiting.candidates, draft, terms);
  const conversion = new Conversion(draft, sku, promises, { waiting, terms });
  const nodes = freed.map((one) => conversion.offer(one));
  return { effects: promises.effects(), effect: draft.effect(), nodes };
}

/**
 * Offers what is available already, when it is not units that have changed but who may have them: a rule is another, or a line is late.
 * These units were for sale all the time, so that what `candidates` leave stays for sale, whoever else waits: a shopper may have it before
 * those who come after. Units that wait for a slice are left to the slice.
 */
export function offerAvailable(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  terms: FreeingTerms,
): Freeing {
  const before = supplies.get(sku) ?? noSupply(sku);
  const offered = allAvailable(before).filter(({ node }) => rowAt(before, node).unapplied === 0);
  // Whoever was loaded may be served: all of them but one for each node have all that they wait for at once.
  const waiting = { candidates, hasMore: false, budget: Number.POSITIVE_INFINITY };
  return freeUnits(sku, offered, waiting, supplies, terms);
}

/** A line whose units are about to be taken off its row, and how many of its promises will be short then. */
export interface Draining {
  readonly at: SupplyPlace;
  readonly short: number;
}

interface Given {
  readonly at: SupplyPlace;
  reserved: number;
  committed: number;
}

/** The conversions of one SKU in one decision. */
export class Conversion {
  readonly #draft: SupplyDraft;
  readonly #sku: SkuKey;
  readonly #promises: MovingPromises;
  readonly #terms: FreeingTerms;
  readonly #candidates: readonly Reservation[];
  #budget: number;
  /** Whether somebody may be left whom units could serve. */
  #isCut: boolean;

  constructor(
    draft: SupplyDraft,
    sku: SkuKey,
    promises: MovingPromises,
    { waiting, terms }: { readonly waiting: Waiting; readonly terms: FreeingTerms },
  ) {
    this.#draft = draft;
    this.#sku = sku;
    this.#promises = promises;
    this.#terms = terms;
    this.#candidates = waiting.candidates.toSorted(inWaitOrder);
    this.#budget = waiting.budget;
    this.#isCut = waiting.hasMore;
  }

  /** Offers units to those who wait, and puts what is left where it belongs. */
  offer({ node, units }: FreedUnits, draining: Draining | null = null): NodeFreeing {
    const row = rowAt(this.#draft.supply(this.#sku), node);
    const offered = Math.min(units, row.available) + row.unapplied;
    const offer = new Offer(this.#draft.supply(this.#sku), node, offered, draining);
    this.#serve(offer);
    if (offer.left > 0 && !this.#isCut) {
      // Nobody came for what was kept for the promises of a line, so it is for all.
      offer.claims.clear();
      this.#serve(offer);
    }
    const unapplied = this.#isCut ? offer.left : 0;
    this.#book(offer, unapplied - row.unapplied);
    return { node, converted: offered - offer.left, unapplied, available: offer.left - unapplied };
  }

  #serve(offer: Offer): void {
    if (offer.left === 0) return;
    const { rules, now } = this.#terms;
    const terms = { rules, now, override: null };
    for (const reservation of this.#candidates) {
      const channel = rules.channels.get(reservation.channel);
      if (!channel) continue;
      for (const backing of this.#promises.backings(reservation).toSorted(leastCertain)) {
        const line = reservation.lines[backing.line];
        if (backing.sku !== this.#sku || !line || !mayBack(line, channel, offer, this.#supplies(), terms)) continue;
        if (!this.#convert(offer, reservation, backing.no, channel.key)) return;
        if (offer.left === 0) return;
      }
    }
  }

  /**
   * Gives a backing all that it may have. What it is given changes what fences keep, so that it is asked again before those that come
   * after it. False once no more may be converted.
   */
  #convert(offer: Offer, reservation: Reservation, no: number, channel: ChannelKey): boolean {
    const { rules, now } = this.#terms;
    const hasFences = rules.fencesOf(this.#sku).length > 0;
    for (;;) {
      const backing = this.#promises.backings(reservation)[no];
      const quantity = backing ? Math.min(offer.unitsFor(backing, now), this.#unfenced(offer, channel)) : 0;
      if (!backing || quantity <= 0) return true;
      if (this.#budget === 0) {
        this.#isCut = true;
        return false;
      }
      this.#budget--;
      const at = onStock(backing.line, backing.sku, offer.node);
      offer.take(backing, quantity, this.#promises.move(reservation, backing, at, quantity));
      if (!hasFences) return true;
    }
  }

  #supplies(): Supplies {
    return new Map([[this.#sku, this.#draft.supply(this.#sku)]]);
  }

  /** Units at the node that no fence keeps from a channel. */
  #unfenced({ node, free }: Offer, channel: ChannelKey): number {
    const { rules, now } = this.#terms;
    const fences = rules.fencesOf(this.#sku);
    if (fences.length === 0) return free;
    const uses = fenceUsesOf(this.#draft.supply(this.#sku));
    return free - keptFrom(channel, fences, { node, available: free, uses }, now);
  }

  /** One net for each row. `deferred`: units by which those that wait for a slice become more or, below 0, fewer. */
  #book({ node, given }: Offer, deferred: number): void {
    const stock = stockAt(node);
    if (deferred < 0) this.#draft.change(this.#sku, stock, (row) => defer(row, deferred));
    const taken = { reserved: 0, committed: 0 };
    for (const { at, reserved, committed } of given.values()) {
      this.#draft.change(this.#sku, at, (row) => exchange(row, { reserved: -reserved, committed: -committed }));
      taken.reserved += reserved;
      taken.committed += committed;
    }
    if (given.size > 0) this.#draft.change(this.#sku, stock, (row) => exchange(row, taken));
    if (deferred > 0) this.#draft.change(this.#sku, stock, (row) => defer(row, deferred));
  }
}

/** In the order of lines; of a line, what nobody knows when it comes goes before what is on its way. */
const leastCertain = (a: Backing, b: Backing): number =>
  a.line - b.line || Number(a.kind === 'incoming') - Number(b.kind === 'incoming') || a.no - b.no;

/** Units that are offered at one node. */
class Offer {
  readonly node: NodeKey;
  /** What the promises of a line have lost or are about to lose, by line: units of this node are theirs first. */
  readonly claims: Map<number, number>;
  readonly given = new Map<string, Given>();
  left: number;
  /** All units at the node that nobody is promised, those that are not offered included. */
  free: number;
  readonly #supply: SkuSupply;
  readonly #draining: SupplyPlace | null;
  /** Units of lines that arrive elsewhere which nobody covers any more, less those served here. */
  readonly #lost: Map<number, number>;

  constructor(supply: SkuSupply, node: NodeKey, left: number, draining: Draining | null) {
    this.#supply = supply;
    this.node = node;
    this.left = left;
    const { available, unapplied } = rowAt(supply, node);
    this.free = available + unapplied;
    this.#draining = draining?.at ?? null;
    const coming = supply.future.filter(({ kind }) => kind === 'incoming');
    const short = coming.map(({ detail, shortfall }): [number, number] => [detail, shortfall]);
    this.#lost = new Map(short);
    this.claims = new Map(short.filter((_, place) => coming[place]?.node === node));
    if (draining) this.claims.set(draining.at.detail, draining.short);
  }

  /** How many units of a backing this node may serve, with others' claims kept. */
  unitsFor(backing: Backing, now: number): number {
    const waiting = this.#waiting(backing, now);
    if (waiting === 0) return 0;
    const claimOf = (detail: number | undefined): number => (detail === undefined ? 0 : (this.claims.get(detail) ?? 0));
    const own = backing.kind === 'incoming' ? backing.detail : undefined;
    const others = this.#claimed() - claimOf(own);
    // Units that a line brings are for its own promises before those that another one has left short.
    const first = own === this.#draining?.detail ? 0 : claimOf(this.#draining?.detail);
    return Math.min(waiting, Math.max(0, Math.min(this.left - first, claimOf(own)), this.left - others));
  }

  take(
    backing: Backing,
    quantity: number,
    { held, confirmed }: { readonly held: number; readonly confirmed: number },
  ): void {
    const at = supplyOf(backing);
    if (!at) throw new Error('Broken invariant: units were converted that waited for nothing');
    this.left -= quantity;
    this.free -= quantity;
    for (const owed of [this.claims, this.#lost]) {
      const units = at.kind === 'incoming' ? owed.get(at.detail) : undefined;
      if (units !== undefined) owed.set(at.detail, Math.max(0, units - quantity));
    }
    const key = `${at.kind}:${at.node}:${at.detail}`;
    const given = this.given.get(key) ?? { at, reserved: 0, committed: 0 };
    given.reserved += held;
    given.committed += confirmed;
    this.given.set(key, given);
  }

  /** Units on which a node works wait for their own: they ride. The line of units that were served may be gone. */
  #waiting(backing: Backing, now: number): number {
    const { kind, node, detail, fulfilment } = backing;
    if (fulfilment !== null || open(backing) === 0) return 0;
    if (kind === 'allowance') return node === 0 || node === this.node ? open(backing) : 0;
    if (kind !== 'incoming') return 0;
    if (node === this.node || detail === this.#draining?.detail) return open(backing);
    const { sku, inbound } = this.#supply;
    if (isOverdue(inboundLineOf(sku, inbound, detail), now)) return open(backing);
    return Math.min(open(backing), this.#lost.get(detail) ?? 0);
  }

  #claimed(): number {
    let sum = 0;
    for (const units of this.claims.values()) sum += units;
    return sum;
  }
}
