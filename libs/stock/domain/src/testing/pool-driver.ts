/**
 * Drives the engine through a history the way its data access does (whatever is overdue of a locked SKU is reaped
 * first) and tells the model beside it. Every decision is compared with what the model expects.
 */
import assert from 'node:assert/strict';
import { applyTransfers } from '../arithmetic.ts';
import { decideHold } from '../decide-hold.ts';
import { type StockMovement, decideMovements } from '../decide-movements.ts';
import { decideReback, healShortfall } from '../decide-reback.ts';
import { type VerbEffect, decideConfirm, decideExtend, decideLeave } from '../decide-verb.ts';
import type { Posting } from '../posting.ts';
import { reap } from '../reap.ts';
import type { Reservation, Tally } from '../reservation.ts';
import { SellingRules } from '../selling-rules.ts';
import { emptyRow, rowFault } from '../supply-row.ts';
import { type Supplies, type SupplyEffect, rowAt } from '../supply.ts';
import { NOW, sellingChannel, sellingNode, suppliesOf, supplyOf, threshold } from './arbitraries.ts';
import { type Market, PoolModel, type Seller, type Wish, talliesOf } from './pool-model.ts';

export const SKUS = [1, 2];
export const NODES = [1, 2, 3, 4];
const CLOSING = NOW + 400;
const LEAVING = {
  release: ['held', 'released'],
  cancel: ['confirmed', 'cancelled'],
  fulfil: ['confirmed', 'fulfilled'],
} as const;

/** Channel 1 sells from everywhere, 2 from nodes 1 and 2; node 3 hides a unit, channel 2 shows one less; node 4 closes. */
const market: Market = {
  nodes: NODES,
  sells: (channel, node, now) => (channel === 1 || node <= 2) && (node !== 4 || now < CLOSING),
  hiddenAt: (_, node) => (node === 3 ? 1 : 0),
  hiddenFrom: (channel) => (channel === 2 ? 1 : 0),
};
const rules = new SellingRules(
  NODES.map((key) => sellingNode(key, { activeTo: key === 4 ? CLOSING : null })),
  [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1, 2]) })],
  [threshold({ node: 3, quantity: 1 }), threshold({ scope: 'network', channel: 2, quantity: 1 })],
);

export class PoolDriver {
  readonly #model = new PoolModel(market);
  readonly #reservations = new Map<number, Reservation>();
  readonly #ledger: Posting[] = [];
  #supplies: Supplies = suppliesOf(...SKUS.map((sku) => supplyOf(sku, [])));
  #now = NOW;

  wait(ms: number): void {
    this.#now += ms;
  }

  hold(seller: Seller, lines: readonly Wish[], allowPartial: boolean): void {
    this.#reap(new Set(lines.map(({ sku }) => sku)));
    const atp = (sku: number): number => this.#model.atp(sku, seller, this.#backings(), this.#now);
    const expected = this.#model.expectHold(lines, allowPartial, atp);
    const channel = rules.channels.get(seller.channel);
    if (!channel) throw new Error('a channel of the market is missing');
    const perspective = { channel, nodes: seller.nodes && new Set(seller.nodes), now: this.#now };
    const decision = decideHold({ lines, allowPartial, destination: null }, this.#supplies, rules, perspective);
    assert.equal(decision.ok, expected !== null);
    if (!decision.ok || !expected) return;
    const key = this.#reservations.size + 1;
    const { lines: granted, backings, effect } = decision.value;
    assert.deepEqual(new Map(granted.map(({ sku, granted: units }) => [sku, units])), expected);
    const { channel: by, nodes } = seller;
    const expiresAt = this.#now + 100;
    this.#reservations.set(key, {
      key,
      channel: by,
      version: 1,
      createdAt: this.#now,
      expiresAt,
      nodes,
      lines: granted,
      backings,
    });
    this.#model.open(key, expected);
    this.#apply(effect);
  }

  confirm(pick: number, reacquire: boolean): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const { key } = mine;
    const skus = this.#model.skusOf(key);
    const of = (tally: Tally) => skus.filter((sku) => this.#model.tallies(key, sku)[tally] > 0);
    const covered = (sku: number): boolean =>
      this.#model.atp(sku, mine, this.#backings(), this.#now) >= this.#model.tallies(key, sku).expired;
    const from = of('held').length > 0 ? 'held' : 'expired';
    const ok = from === 'held' || (reacquire && of('expired').length > 0 && of('expired').every(covered));
    const decision = decideConfirm(mine, this.#supplies, rules, { now: this.#now, reacquire });
    assert.equal(decision.ok, ok);
    if (!decision.ok) return;
    for (const sku of skus) this.#model.retell(key, sku, from, 'confirmed', this.#model.tallies(key, sku)[from]);
    this.#accept(decision.value);
  }

  /** All units, or `quantity` units of one backing. */
  leave(
    verb: keyof typeof LEAVING,
    pick: number,
    part: { readonly backing: number; readonly quantity: number } | null,
  ): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const [from, to] = LEAVING[verb];
    const chosen = part && mine.backings[part.backing % mine.backings.length];
    const parts = part && chosen ? [{ sku: chosen.sku, node: chosen.node, quantity: part.quantity }] : null;
    const there = this.#model.skusOf(mine.key).some((sku) => this.#model.tallies(mine.key, sku)[from] > 0);
    const decision = decideLeave(verb, mine, this.#supplies, parts);
    assert.equal(decision.ok, part && chosen ? chosen[from] >= part.quantity : there);
    if (!decision.ok) return;
    for (const { sku, node, quantity } of decision.value.changes) {
      this.#model.retell(mine.key, sku, from, to, quantity);
      if (verb === 'fulfil') this.#model.happen(sku, node, -quantity);
    }
    this.#accept(decision.value);
  }

  extend(pick: number): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const held = this.#model.skusOf(mine.key).some((sku) => this.#model.tallies(mine.key, sku).held > 0);
    const decision = decideExtend(mine, this.#now + 150);
    assert.equal(decision.ok, held);
    if (decision.ok) this.#accept(decision.value);
  }

  reback(pick: number, backing: number, to: number, quantity: number): void {
    const mine = this.#lock(pick);
    const source = mine?.backings[backing % mine.backings.length];
    if (!mine || !source) return;
    const moves = [{ sku: source.sku, from: source.node, to, quantity, unpin: false }];
    const request = { expectedVersion: mine.version, moves, pin: null, now: this.#now };
    const decision = decideReback(mine, this.#supplies, rules, request);
    const { available } = this.#model.rowOf(source.sku, to, this.#backings());
    const served = market.sells(mine.channel, to, this.#now) && (mine.nodes?.includes(to) ?? true);
    const there = served ? available - market.hiddenAt(mine.channel, to) : 0;
    assert.equal(decision.ok, to !== source.node && source.held + source.confirmed >= quantity && there >= quantity);
    if (decision.ok) this.#accept(decision.value);
  }

  heal(sku: number): void {
    this.#reap(new Set([sku]));
    const candidates = [...this.#reservations.values()];
    const { effects, supplies, broken } = healShortfall(sku, candidates, this.#supplies, rules, this.#now);
    for (const effect of effects) this.#accept(effect);
    assert.deepEqual(supplies.get(sku), this.#supplies.get(sku));
    for (const mine of this.#reservations.values()) {
      const atp = this.#model.atp(sku, mine, this.#backings(), this.#now);
      for (const { node, held, confirmed } of mine.backings.filter((backing) => backing.sku === sku)) {
        const short = broken.find((where) => where.node === node)?.quantity ?? 0;
        assert.equal(Math.min(held + confirmed, short, atp), 0);
      }
    }
  }

  move(movement: StockMovement): void {
    this.#reap(new Set([movement.sku]));
    const decision = decideMovements([movement], this.#supplies);
    if (!decision.ok) throw new Error('a physical fact was refused');
    const { type, sku, node, toNode, quantity } = movement;
    this.#model.happen(sku, node, type === 'sale' || type === 'transfer' ? -quantity : quantity);
    if (type === 'transfer' && toNode !== null) this.#model.happen(sku, toNode, quantity);
    this.#apply(decision.value);
  }

  /** Rows, ledger and reservations agree with the model and with each other. */
  check(): void {
    const backings = this.#backings();
    const places = SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node })));
    const book = places.map(({ sku, node }) => rowAt(this.#supplies.get(sku) ?? supplyOf(sku, []), node));
    assert.deepEqual(
      book,
      places.map(({ sku, node }) => this.#model.rowOf(sku, node, backings)),
    );
    assert.deepEqual(
      book.map(rowFault).filter((fault) => fault !== null),
      [],
    );
    const replayed = places.map(({ sku, node }) => {
      const own = this.#ledger.filter((posting) => posting.sku === sku && posting.node === node);
      return applyTransfers(emptyRow(node), own);
    });
    assert.deepEqual(replayed, book);
    const told = [...this.#reservations.values()].flatMap((mine) => mine.lines.map((line) => ({ mine, ...line })));
    const tallied = told.map(({ mine, sku }) => talliesOf(mine, sku));
    assert.deepEqual(
      tallied,
      told.map(({ mine, sku }) => this.#model.tallies(mine.key, sku)),
    );
    const sums = tallied.map((tallies) => Object.values(tallies).reduce((total, units) => total + units, 0));
    assert.deepEqual(
      sums,
      told.map(({ granted }) => granted),
    );
  }

  #backings(): Reservation['backings'] {
    return [...this.#reservations.values()].flatMap(({ backings }) => backings);
  }

  #lock(pick: number): Reservation | undefined {
    const key = (pick % Math.max(1, this.#reservations.size)) + 1;
    const skus = this.#reservations.get(key)?.backings.map(({ sku }) => sku) ?? [];
    this.#reap(new Set(skus));
    return this.#reservations.get(key);
  }

  #reap(locked: ReadonlySet<number>): void {
    for (const mine of this.#reservations.values()) {
      const due = mine.expiresAt <= this.#now ? this.#model.skusOf(mine.key).filter((sku) => locked.has(sku)) : [];
      const effect = reap(mine, this.#supplies, { locked, now: this.#now });
      assert.equal(
        effect !== null,
        due.some((sku) => this.#model.tallies(mine.key, sku).held > 0),
      );
      for (const sku of due)
        this.#model.retell(mine.key, sku, 'held', 'expired', this.#model.tallies(mine.key, sku).held);
      if (effect) this.#accept(effect);
    }
  }

  #accept({ reservation, effect }: VerbEffect): void {
    assert.equal(reservation.version, (this.#reservations.get(reservation.key)?.version ?? 0) + 1);
    this.#reservations.set(reservation.key, reservation);
    this.#apply(effect);
  }

  #apply({ supplies, postings }: SupplyEffect): void {
    this.#supplies = new Map([...this.#supplies, ...supplies]);
    this.#ledger.push(...postings);
  }
}
