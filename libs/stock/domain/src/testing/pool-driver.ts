/**
 * Drives the engine through a history the way its data access does (whatever is overdue of a locked SKU is reaped
 * first) and tells the model beside it. Every decision is compared with what the model expects.
 */
import assert from 'node:assert/strict';
import { applyTransfers } from '../arithmetic.ts';
import { decideAcknowledge } from '../decide-acknowledge.ts';
import { decideAllocate } from '../decide-allocate.ts';
import { decideAmend } from '../decide-amend.ts';
import { decideAttach } from '../decide-attach.ts';
import { decideGiveUp } from '../decide-give-up.ts';
import { decideHold } from '../decide-hold.ts';
import { type StockMovement, decideMovements } from '../decide-movements.ts';
import { type RejectEffect, decideReject } from '../decide-reject.ts';
import { decideUnfulfil } from '../decide-unfulfil.ts';
import { type VerbEffect, decideConfirm, decideExtend, decideLeave } from '../decide-verb.ts';
import { healShortfall } from '../heal.ts';
import type { FulfilmentUnits } from '../select-units.ts';
import type { Terms } from '../settlement.ts';
import { reap } from '../reap.ts';
import type { Decision } from '../rejection.ts';
import {
  type Backing,
  type Reservation,
  STAGES,
  type Stage,
  onNothing,
  onStock,
  open,
  withUnits,
} from '../reservation.ts';
import { SellingRules } from '../selling-rules.ts';
import { type SupplyRow, emptyRow, net, rowFault, stockAt } from '../supply-row.ts';
import { type Supplies, type SupplyEffect, rowAt, suppliesAfter } from '../supply.ts';
import {
  NOW,
  lineOf,
  reservation,
  sellingChannel,
  sellingNode,
  suppliesOf,
  supplyOf,
  talliedUnits,
  threshold,
} from './arbitraries.ts';
import { type Market, type Move, PoolModel, type Verdict, type Wanted, type Wish } from './pool-model.ts';
import { type Pile, type Promised, type Which, past } from './pool-piles.ts';

export const SKUS = [1, 2];
export const NODES = [1, 2, 3, 4];
/** So many picks mean only what has units of the kind that a verb is about. */
const MEANT_PICKS = 6;
/** Fewer units than these are cut to what a picked backing has. */
const MANY = 4;
const CLOSING = NOW + 130;
const PLACES = SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node, name: `${sku}/${node}` })));

/** What differs between playing against the rules, and what callers of a whole engine can say and do. */
export interface PoolOptions {
  readonly model: (market: Market) => PoolModel;
  /** Whether node 4 closes. */
  readonly closes: boolean;
  /** Units are named as requests can: whatever has no node or fulfilment is not told apart by that, and moves say where from. */
  readonly isCaller: boolean;
  /** Whether promises are moved off short rows. */
  readonly heals: boolean;
}

/**
 * Channel 1 sells from everywhere, 2 from nodes 1 and 2; node 3 hides a unit; nodes 1 and 2 hide one and two from
 * channel 2, which shows one less besides; node 4 closes.
 */
const marketUntil = (closing: number): Market => ({
  nodes: NODES,
  sells: (channel, node, now) => (channel === 1 || node <= 2) && (node !== 4 || now < closing),
  hiddenAt: (channel, node) => {
    if (node === 3) return 1;
    return channel === 2 && node < 3 ? node : 0;
  },
  hiddenFrom: (channel) => (channel === 2 ? 1 : 0),
});
const rulesUntil = (closing: number): SellingRules =>
  new SellingRules(
    NODES.map((key) => sellingNode(key, { activeTo: key === 4 && closing < Infinity ? closing : null })),
    [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1, 2]) })],
    [
      threshold({ node: 3, quantity: 1 }),
      threshold({ node: 1, channel: 2, quantity: 1 }),
      threshold({ node: 2, channel: 2, quantity: 2 }),
      threshold({ scope: 'network', channel: 2, quantity: 1 }),
    ],
  );

/** Units of a backing, picked by its place, and named as far as the flags say. */
export interface Named {
  readonly backing: number;
  readonly quantity: number;
  readonly names: readonly ('line' | 'sku' | 'node' | 'fulfilment')[];
}

/** What a node says of its stock when it refuses units, and where these go. */
export interface Said {
  readonly effect: RejectEffect;
  readonly moveTo: Move['to'] | null;
  readonly isLate: boolean;
}

/** A line, by its place among the lines, or a new one; null leaves it its SKU. */
export interface Reworded {
  readonly line: number;
  readonly sku: number | null;
  readonly quantity: number;
  readonly nodes: readonly number[] | null;
}

export interface MovePick {
  readonly units: Named;
  /** Instead of `to`: where some other units stand; null for none. */
  readonly like: number | null;
  readonly to: Move['to'];
}

export class PoolDriver {
  readonly #model: PoolModel;
  readonly #rules: SellingRules;
  readonly #isCaller: boolean;
  readonly #heals: boolean;
  readonly #reservations = new Map<number, Reservation>();
  /** As they were when they were last looked at. */
  readonly #checked = new Map<number, Reservation>();
  readonly #sound = new Map<string, SupplyRow>();
  /** What the postings of the ledger come to, by row. */
  readonly #replayed = new Map<string, SupplyRow>(PLACES.map(({ node, name }) => [name, emptyRow(stockAt(node))]));
  #supplies: Supplies = suppliesOf(...SKUS.map((sku) => supplyOf(sku, [])));
  #now = NOW;

  constructor({
    model = (market) => new PoolModel(market),
    closes = true,
    isCaller = false,
    heals = true,
  }: Partial<PoolOptions> = {}) {
    const closing = closes ? CLOSING : Infinity;
    this.#model = model(marketUntil(closing));
    this.#rules = rulesUntil(closing);
    this.#isCaller = isCaller;
    this.#heals = heals;
  }

  wait(ms: number): void {
    this.#now += ms;
  }

  hold(channelKey: number, wishes: readonly Wish[], allowPartial: boolean, isSold: boolean): number | null {
    this.#reap(new Set(wishes.map(({ sku }) => sku)));
    const channel = this.#rules.channels.get(channelKey);
    if (!channel) throw new Error('a channel of the market is missing');
    const key = this.#reservations.size + 1;
    const expiresAt = this.#now + 100;
    const lines = wishes.map((wish, no) => ({ ...wish, id: `line-${no}` }));
    const promised = { key, channel: channelKey, version: 1, expiresAt, order: null };
    const expected = this.#model.hold(promised, lines, { partial: allowPartial, isSold, now: this.#now });
    const demand = { lines, allowPartial, destination: null, isSold };
    const decision = decideHold(demand, this.#supplies, this.#rules, { channel, now: this.#now });
    assert.deepEqual(decision.ok ? decision.value.units : null, expected);
    if (!decision.ok) return null;
    const { granted, units, effect } = decision.value;
    this.#reservations.set(key, {
      ...reservation({ key, channel: channelKey, createdAt: this.#now, expiresAt }),
      lines: lines.map(({ sku, nodes, quantity }, no) =>
        lineOf({ no, sku, nodes, requested: quantity, granted: granted[no] ?? 0 }),
      ),
      backings: units.reduce<readonly Backing[]>(
        (all, { line, sku, node, units: held }) =>
          withUnits(all, node === null ? onNothing(line, sku) : onStock(line, sku, node), { held }),
        [],
      ),
    });
    this.#apply(effect);
    return key;
  }

  /** Held and confirmed at once, and given to nodes, each to work on its units. */
  order(channelKey: number, wishes: readonly Wish[], fulfilment: string | null): void {
    const key = this.hold(channelKey, wishes, true, false);
    if (key === null) return;
    this.#confirm(this.#reservation(key), false);
    const mine = this.#reservation(key);
    if (fulfilment === null) return;
    const moves = mine.backings.map(({ line, node, confirmed: quantity }): Move => {
      const from = { line: mine.lines[line]?.id, node, fulfilment: null, quantity };
      return { from, to: { node, fulfilment: `${fulfilment}${node}` } };
    });
    this.#allocate([{ mine, isStale: false, moves }], false);
  }

  confirm(pick: number, reacquire: boolean): void {
    const mine = this.#lock(pick, heldOrExpired);
    if (mine) this.#confirm(mine, reacquire);
  }

  #confirm(mine: Reservation, reacquire: boolean): void {
    const verdict = this.#model.confirm(this.#promised(mine), reacquire, this.#now);
    this.#expect(decideConfirm(mine, this.#supplies, this.#rules, { now: this.#now, reacquire }), verdict);
  }

  /** All units, or those that are named. */
  leave(verb: 'release' | 'cancel' | 'fulfil', pick: number, named: readonly Named[] | null, isCounted: boolean): void {
    const count = LEAVING[verb];
    const mine = this.#lock(pick, count);
    if (!mine) return;
    const parts = named && named.map((one) => this.#selected(mine, one, count));
    const verdict = this.#model.leave(this.#promised(mine), verb, parts, isCounted);
    const counted = (_: Backing, quantity: number): number => (isCounted ? quantity : 0);
    this.#expect(decideLeave(verb, mine, this.#supplies, parts, counted), verdict);
  }

  extend(pick: number): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const verdict = this.#model.extend(this.#promised(mine), this.#now + 150);
    this.#expect(decideExtend(mine, this.#now + 150), verdict);
  }

  /** Several reservations, each decided on what it was or on something older. */
  allocate(
    isByHand: boolean,
    picks: readonly { readonly pick: number; readonly isStale: boolean; readonly moves: readonly MovePick[] }[],
  ): void {
    const locked = picks.flatMap(({ pick, ...part }) => {
      const key = this.#pick(pick, open)?.key;
      return key === undefined ? [] : [{ key, ...part }];
    });
    this.#lockAll(locked.map(({ key }) => key));
    const different = locked.filter(({ key }, at) => locked.findIndex((one) => one.key === key) === at);
    const parts = different.map(({ key, isStale, moves }) => {
      const mine = this.#reservation(key);
      const own = moves.map(({ units, to, like }): Move => {
        const names = this.#isCaller ? ([...units.names, 'node'] as const) : units.names;
        const node = this.#nodeOf(like) ?? to.node;
        return { from: { fulfilment: null, ...selected(mine, { ...units, names }) }, to: { ...to, node } };
      });
      return { mine, isStale, moves: own };
    });
    this.#allocate(parts, isByHand);
  }

  /**
   * Units of several reservations go each to where those of the next stand, in a ring: nothing needs to be free for it. The last one
   * may only `join`: it goes to where the first stood, and nobody goes where it stood.
   */
  rotate(picks: readonly number[], quantity: number, joins: boolean): void {
    const keys = new Set(picks.flatMap((pick) => this.#pick(pick, open)?.key ?? []));
    this.#lockAll([...keys]);
    const all = [...keys].map((key) => this.#reservation(key));
    const onRow = (one: Backing): boolean => one.kind === 'stock' && open(one) > 0;
    const sku = all[0]?.backings.find(onRow)?.sku;
    const standing = all.flatMap((mine) => {
      const backing = mine.backings.find((one) => onRow(one) && one.sku === sku);
      return backing ? [{ mine, backing }] : [];
    });
    const ring = joins ? standing.slice(0, -1) : standing;
    const [first] = standing;
    if (!first) return;
    const parts = standing.map(({ mine, backing }, at) => {
      const { line, node, fulfilment } = backing;
      const to = (ring[at + 1] ?? first).backing.node;
      const from = { line: mine.lines[line]?.id, sku, node, fulfilment, quantity: Math.min(quantity, open(backing)) };
      return { mine, isStale: false, moves: [{ from, to: { node: to, fulfilment: null } }] };
    });
    this.#allocate(parts, false);
  }

  #allocate(
    parts: readonly { readonly mine: Reservation; readonly isStale: boolean; readonly moves: readonly Move[] }[],
    isByHand: boolean,
  ): void {
    const verdict = this.#model.allocate(
      parts.map(({ mine, ...part }) => ({ ...part, promised: this.#promised(mine) })),
      { now: this.#now, isByHand },
    );
    const decision = decideAllocate(
      parts.map(({ mine, isStale, moves }) => ({
        reservation: mine,
        expectedVersion: mine.version - (isStale ? 1 : 0),
        moves,
      })),
      this.#supplies,
      this.#terms(isByHand),
    );
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) for (const effect of decision.value.effects) this.#accept(effect);
  }

  amend(pick: number, channel: number | null, lines: readonly Reworded[], isByHand: boolean): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const wanted = lines
      .map((one): Wanted => wantedOf(mine, one))
      .filter(({ id, sku }, at, all) => all.findIndex((one) => one.id === id && one.sku === sku) === at);
    const terms = { now: this.#now, isByHand };
    const verdict = this.#model.amend(this.#promised(mine), wanted, channel ?? mine.channel, terms);
    const amendment = { expectedVersion: mine.version, lines: wanted, channel, destination: undefined, priority: null };
    this.#expect(decideAmend(mine, amendment, this.#supplies, this.#terms(isByHand)), verdict);
  }

  /** A node begins to work on units, where they stand. */
  pin(pick: number, named: Named, fulfilment: string): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const { node, ...which } = selected(mine, { ...named, names: ['line', 'node', 'fulfilment'] });
    const from = { fulfilment: null, ...which, node };
    this.#allocate([{ mine, isStale: false, moves: [{ from, to: { node: node ?? 1, fulfilment } }] }], false);
  }

  acknowledge(pick: number, named: Named, stage: Stage): void {
    const [mine, which] = this.#ofFulfilment(pick, named, pinnedConfirmed);
    if (!mine) return;
    const verdict = this.#model.acknowledge(this.#promised(mine), which, STAGES.indexOf(stage) + 1);
    this.#expect(decideAcknowledge(mine, { selected: which, stage }), verdict);
  }

  reject(pick: number, named: Named, said: Said, isByHand: boolean): void {
    const [mine, which] = this.#ofFulfilment(pick, named, pinned);
    if (!mine) return;
    const { effect, moveTo, isLate } = said;
    const verdict = this.#model.reject(this.#promised(mine), which, said, { now: this.#now, isByHand });
    const rejected = { selected: which, effect, moveTo, isLate: () => isLate };
    this.#expect(decideReject(mine, rejected, this.#supplies, this.#terms(isByHand)), verdict);
  }

  giveUp(pick: number, named: readonly Named[]): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const parts = named.map((one) => this.#selected(mine, one));
    const verdict = this.#model.giveUp(this.#promised(mine), parts);
    this.#expect(decideGiveUp(mine, parts, this.#supplies), verdict);
  }

  unfulfil(pick: number, named: readonly Named[], isCounted: boolean): void {
    const mine = this.#lock(pick, fulfilled);
    if (!mine) return;
    const parts = named.map((one) => this.#selected(mine, one, fulfilled));
    const verdict = this.#model.unfulfil(this.#promised(mine), parts, isCounted);
    const counted = (_: Backing, quantity: number): number => (isCounted ? quantity : 0);
    this.#expect(decideUnfulfil(mine, parts, this.#supplies, counted), verdict);
  }

  attach(pick: number, expected: string | null, order: string | null): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const verdict = this.#model.attach(this.#promised(mine), expected, order);
    const controller = order === null ? null : { actor: 'brokering', order };
    const decision = decideAttach(mine, { expected, controller, orderedAt: null, priority: null });
    this.#expect(decision, verdict);
  }

  heal(sku: number): void {
    this.#reap(new Set([sku]));
    if (!this.#heals) return;
    // Newest first, as the engine does.
    const candidates = [...this.#reservations.values()].toReversed();
    const { effects, supplies } = healShortfall(sku, candidates, this.#supplies, this.#rules, this.#now);
    for (const effect of effects) {
      const moves = effect.changes.map(({ line, node, to, quantity }) => ({
        line,
        from: node ?? 0,
        to: to?.node ?? 0,
        units: quantity,
      }));
      this.#model.heal(this.#promised(effect.reservation), moves, this.#now);
      this.#accept(effect);
    }
    assert.deepEqual(supplies.get(sku), this.#supplies.get(sku));
    assert.equal(this.#model.healable(sku, this.#now), 0);
  }

  /** A busy till sells what is free where units of a reservation stand, and some of what is promised, which may be healed at once. */
  rush(pick: number, units: number, heals: boolean): void {
    const place = this.#lock(pick)?.backings.find((one) => one.kind === 'stock' && open(one) > 0);
    if (!place) return;
    const { sku, node } = place;
    const { available, safetyStock } = this.#model.rowOf(sku, node);
    this.move({ type: 'sale', sku, node, toNode: null, quantity: available + safetyStock + units });
    if (heals) this.heal(sku);
  }

  move(movement: StockMovement): void {
    this.#reap(new Set([movement.sku]));
    const verdict = this.#happen(movement);
    const decision = decideMovements([movement], this.#supplies);
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) this.#apply(decision.value);
  }

  #happen({ type, sku, node, toNode, quantity }: StockMovement): Verdict {
    if (type === 'damage') return this.#model.damage(sku, node, quantity);
    if (type === 'safety_stock') return this.#model.setAside(sku, node, quantity);
    if (type === 'transfer' && toNode === node) return 'done';
    if (type === 'transfer' && toNode !== null) this.#model.travel(sku, node, toNode, quantity);
    else this.#model.happen(sku, node, type === 'sale' ? -quantity : quantity);
    return 'done';
  }

  /** Rows, ledger and reservations agree with the model and with each other; of reservations those that have changed, or all. */
  check(all = false): void {
    const promisedAt = new Map<string, { held: number; confirmed: number }>(
      PLACES.map(({ name }) => [name, { held: 0, confirmed: 0 }]),
    );
    for (const mine of this.#reservations.values()) {
      if (all || this.#checked.get(mine.key) !== mine) this.#checkReservation(mine);
      this.#checked.set(mine.key, mine);
      for (const { kind, sku, node, held, confirmed } of mine.backings) {
        const at = kind === 'stock' ? promisedAt.get(`${sku}/${node}`) : null;
        if (at) Object.assign(at, { held: at.held + held, confirmed: at.confirmed + confirmed });
      }
    }
    for (const { sku, node, name } of PLACES) {
      const row = rowAt(this.#supplies.get(sku) ?? supplyOf(sku, []), node);
      const where = `of SKU ${sku} at node ${node}`;
      assertHas(row, this.#model.rowOf(sku, node), `the row ${where}`);
      const replayed = this.#replayed.get(name);
      if (row !== this.#sound.get(name) || replayed !== row) {
        assertSame(replayed ?? {}, row, `the replay of the ledger ${where}`);
        assert.equal(rowFault(row), null);
        // From now on they are one object, as long as both stay as they are.
        this.#sound.set(name, row);
        this.#replayed.set(name, row);
      }
      assert.equal(net(row), this.#model.shelf(sku, node).net);
      const { held, confirmed } = promisedAt.get(name) ?? { held: 0, confirmed: 0 };
      assertHas(row, { reserved: held, committed: confirmed }, `promises ${where}`);
    }
  }

  #checkReservation(mine: Reservation): void {
    const promised = this.#promised(mine);
    const { key, channel, version, expiresAt, order } = promised;
    const where = `of reservation ${key}`;
    assertSame(
      {
        channel: mine.channel,
        version: mine.version,
        expiresAt: mine.expiresAt,
        order: mine.controller?.order ?? null,
      },
      { channel, version, expiresAt, order },
      `the head ${where}`,
    );
    assert.equal(mine.lines.length, promised.lines.length);
    for (const [no, line] of promised.lines.entries()) {
      const own = mine.backings.filter((one) => one.line === no);
      const { id, sku, nodes, granted, added, withdrawn } = mine.lines[no] ?? lineOf();
      assertSame(
        { id, sku, units: granted + added },
        { id: line.id, sku: line.sku, units: line.units },
        `line ${no} ${where}`,
      );
      assert.deepEqual(nodes, line.nodes);
      assert.ok(withdrawn >= 0 && withdrawn <= granted + added);
      const units = own.reduce((sum, one) => sum + talliedUnits(one), 0);
      assert.equal(units, granted + added, `units of line ${no} ${where}`);
    }
    assert.equal(mine.backings.length, promised.piles.length, `the backings ${where}`);
    for (const [no, pile] of promised.piles.entries())
      assertSame(mine.backings[no] ?? {}, backingOf(no, pile), `backing ${no} ${where}`);
  }

  #terms(isByHand: boolean): Terms {
    return { rules: this.#rules, now: this.#now, override: isByHand ? 'by_hand' : null };
  }

  /** Units of a fulfilment; of one that nobody may know, if none has been picked. */
  #ofFulfilment(pick: number, named: Named, count: Count): [Reservation | undefined, FulfilmentUnits] {
    const mine = this.#lock(pick, count);
    const { fulfilment, ...which } = this.#selected(mine ?? reservation(), named, count);
    const some = mine?.backings.find((one) => count(one) > 0)?.fulfilment;
    if (this.#isCaller) delete which.node;
    return [mine, { ...which, fulfilment: fulfilment ?? some ?? 'f1' }];
  }

  #promised({ key }: Reservation): Promised {
    return this.#model.promised(key);
  }

  #nodeOf(pick: number | null): number | undefined {
    const all = [...this.#reservations.values()].flatMap(({ backings }) => backings);
    const live = all.filter((one) => one.kind === 'stock' && open(one) > 0);
    return pick === null ? undefined : live[pick % Math.max(1, live.length)]?.node;
  }

  #reservation(key: number): Reservation {
    const mine = this.#reservations.get(key);
    if (!mine) throw new Error(`there is no reservation ${key}`);
    return mine;
  }

  #lock(pick: number, count: Count = open): Reservation | undefined {
    const mine = this.#pick(pick, count);
    if (!mine) return undefined;
    this.#lockAll([mine.key]);
    return this.#reservations.get(mine.key);
  }

  /** Small picks are of those that have units as they are meant, if any has. */
  #pick(pick: number, count: Count): Reservation | undefined {
    const all = [...this.#reservations.values()];
    const meant = pick < MEANT_PICKS ? all.filter(({ backings }) => backings.some((one) => count(one) > 0)) : [];
    const some = meant.length > 0 ? meant : all;
    return some[pick % Math.max(1, some.length)];
  }

  #lockAll(keys: readonly number[]): void {
    const lines = keys.flatMap((key) => this.#reservation(key).lines);
    if (lines.length > 0) this.#reap(new Set(lines.map(({ sku }) => sku)));
  }

  #reap(locked: ReadonlySet<number>): void {
    const expected = this.#model.expire(locked, this.#now);
    for (const mine of this.#reservations.values()) {
      const effect = reap(mine, this.#supplies, { locked, now: this.#now });
      assert.equal(effect !== null, expected.has(mine.key));
      if (effect) this.#accept(effect);
    }
  }

  #expect(decision: Decision<VerbEffect>, verdict: Verdict): void {
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) this.#accept(decision.value);
  }

  #accept({ reservation: after, effect }: VerbEffect): void {
    this.#reservations.set(after.key, after);
    this.#apply(effect);
  }

  #apply(effect: SupplyEffect): void {
    this.#supplies = suppliesAfter(this.#supplies, effect);
    for (const posting of effect.postings) {
      const name = `${posting.sku}/${posting.at.node}`;
      const before = this.#replayed.get(name);
      if (!before) throw new Error(`a posting at ${name}, which is not in the market`);
      this.#replayed.set(name, applyTransfers(before, [posting]));
    }
  }

  #selected(mine: Reservation, named: Named, count: Count = open): Which {
    const which = selected(mine, named, count);
    return this.#isCaller
      ? { ...which, node: which.node ?? undefined, fulfilment: which.fulfilment ?? undefined }
      : which;
  }
}

type Count = (backing: Backing) => number;
const held: Count = (backing) => backing.held;
const confirmed: Count = (backing) => backing.confirmed;
const fulfilled: Count = (backing) => backing.fulfilled;
const pinned: Count = (backing) => (backing.fulfilment === null ? 0 : open(backing));
const pinnedConfirmed: Count = (backing) => (backing.fulfilment === null ? 0 : backing.confirmed);
const heldOrExpired: Count = (backing) => backing.held + backing.expired;
const LEAVING = { release: held, cancel: confirmed, fulfil: confirmed } as const;

/** What a step means of a reservation as it is now: a backing, named as far as the step says, or by nothing at all. */
function selected({ lines, backings }: Reservation, { backing, quantity, names }: Named, count: Count = open): Which {
  const live = backing < MEANT_PICKS ? backings.filter((one) => count(one) > 0) : [];
  const some = live.length > 0 ? live : backings;
  const meant = some[backing % Math.max(1, some.length)];
  if (!meant) return { quantity };
  const all = {
    line: lines[meant.line]?.id,
    sku: meant.sku,
    node: meant.kind === 'unbacked' ? null : meant.node,
    fulfilment: meant.fulfilment,
  };
  const units = quantity < MANY ? Math.min(quantity, Math.max(1, count(meant))) : quantity;
  return { ...Object.fromEntries(names.map((name) => [name, all[name]])), quantity: units };
}

function wantedOf({ lines }: Reservation, { line, sku, quantity, nodes }: Reworded): Wanted {
  const known = lines[line];
  return { id: known?.id ?? `line-${line}`, sku: sku ?? known?.sku ?? 1, quantity, nodes };
}

const backingOf = (no: number, pile: Pile): Backing => ({
  no,
  line: pile.line,
  sku: pile.sku,
  kind: pile.node === null ? 'unbacked' : 'stock',
  node: pile.node ?? 0,
  detail: 0,
  fulfilment: pile.fulfilment,
  ...pile.units,
  accepted: past(pile, 1),
  picked: past(pile, 2),
  shipped: past(pile, 3),
  fence: null,
  fenced: 0,
});

/** As `deepEqual` of flat objects, and many times as quick: it is asked thousands of times for each history. */
function assertSame(found: object, expected: object, what: string): void {
  assertHas(found, expected, what);
  assert.equal(Object.keys(found).length, Object.keys(expected).length, what);
}

function assertHas(found: object, expected: object, what: string): void {
  for (const [name, value] of Object.entries(expected))
    if ((found as Readonly<Record<string, unknown>>)[name] !== value)
      assert.deepEqual(found, { ...found, ...expected }, what);
}
