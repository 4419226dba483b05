/**
 * Drives the engine through a history the way its data access does (whatever is overdue of a locked SKU is reaped
 * first) and tells the model beside it. Every decision is compared with what the model expects.
 */
import assert from 'node:assert/strict';
import { applyTransfers } from '../arithmetic.ts';
import { decideAllocate } from '../decide-allocate.ts';
import { decideAmend } from '../decide-amend.ts';
import { decideAttach } from '../decide-attach.ts';
import { decideHold } from '../decide-hold.ts';
import { type StockMovement, decideMovements } from '../decide-movements.ts';
import { type VerbEffect, decideConfirm, decideExtend, decideLeave } from '../decide-verb.ts';
import { healShortfall } from '../heal.ts';
import { reap } from '../reap.ts';
import type { Decision } from '../rejection.ts';
import { type Backing, type Reservation, onStock, withUnits } from '../reservation.ts';
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
import {
  type Market,
  type Move,
  type Pile,
  PoolModel,
  type Promised,
  type Verdict,
  type Wanted,
  type Which,
  type Wish,
  past,
} from './pool-model.ts';

export const SKUS = [1, 2];
export const NODES = [1, 2, 3, 4];
const CLOSING = NOW + 400;
const PLACES = SKUS.flatMap((sku) => NODES.map((node) => ({ sku, node, name: `${sku}/${node}` })));

/** Channel 1 sells from everywhere, 2 from nodes 1 and 2; node 3 hides a unit, channel 2 shows one less; node 4 closes. */
const market: Market = {
  nodes: NODES,
  sells: (channel, node, now) => (channel === 1 || node <= 2) && (node !== 4 || now < CLOSING),
  hiddenAt: (channel, node) => (node === 3 || (node === 2 && channel === 2) ? 1 : 0),
  hiddenFrom: (channel) => (channel === 2 ? 1 : 0),
};
const rules = new SellingRules(
  NODES.map((key) => sellingNode(key, { activeTo: key === 4 ? CLOSING : null })),
  [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1, 2]) })],
  [
    threshold({ node: 3, quantity: 1 }),
    threshold({ node: 2, channel: 2, quantity: 1 }),
    threshold({ scope: 'network', channel: 2, quantity: 1 }),
  ],
);

/** Units of a backing, picked by its place among the backings, and named as far as the flags say. */
export interface Named {
  readonly backing: number;
  readonly quantity: number;
  readonly names: readonly ('line' | 'sku' | 'node' | 'fulfilment')[];
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
  readonly to: Move['to'];
}

export class PoolDriver {
  readonly #model = new PoolModel(market);
  readonly #reservations = new Map<number, Reservation>();
  /** What the postings of the ledger come to, by row. */
  readonly #replayed = new Map<string, SupplyRow>(PLACES.map(({ node, name }) => [name, emptyRow(stockAt(node))]));
  #supplies: Supplies = suppliesOf(...SKUS.map((sku) => supplyOf(sku, [])));
  #now = NOW;

  wait(ms: number): void {
    this.#now += ms;
  }

  hold(channelKey: number, wishes: readonly Wish[], allowPartial: boolean): void {
    this.#reap(new Set(wishes.map(({ sku }) => sku)));
    const channel = rules.channels.get(channelKey);
    if (!channel) throw new Error('a channel of the market is missing');
    const key = this.#reservations.size + 1;
    const expiresAt = this.#now + 100;
    const lines = wishes.map((wish, no) => ({ ...wish, id: `line-${no}` }));
    const promised = { key, channel: channelKey, version: 1, expiresAt, order: null };
    const expected = this.#model.hold(promised, lines, { partial: allowPartial, now: this.#now });
    const demand = { lines, allowPartial, destination: null };
    const decision = decideHold(demand, this.#supplies, rules, { channel, now: this.#now });
    assert.deepEqual(decision.ok ? decision.value.units : null, expected);
    if (!decision.ok) return;
    const { granted, units, effect } = decision.value;
    this.#reservations.set(key, {
      ...reservation({ key, channel: channelKey, createdAt: this.#now, expiresAt }),
      lines: lines.map(({ sku, nodes, quantity }, no) =>
        lineOf({ no, sku, nodes, requested: quantity, granted: granted[no] ?? 0 }),
      ),
      backings: units.reduce<readonly Backing[]>(
        (all, { line, sku, node, units: held }) => withUnits(all, onStock(line, sku, node ?? 0), { held }),
        [],
      ),
    });
    this.#apply(effect);
  }

  confirm(pick: number, reacquire: boolean): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const verdict = this.#model.confirm(this.#promised(mine), reacquire, this.#now);
    this.#expect(decideConfirm(mine, this.#supplies, rules, { now: this.#now, reacquire }), verdict);
  }

  /** All units, or those that are named. */
  leave(verb: 'release' | 'cancel' | 'fulfil', pick: number, named: readonly Named[] | null, isCounted: boolean): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const parts = named && named.map((one) => selected(mine, one));
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
    picks: readonly { readonly pick: number; readonly isStale: boolean; readonly moves: readonly MovePick[] }[],
  ): void {
    const locked = picks.flatMap(({ pick, isStale, moves }) => {
      const mine = this.#lock(pick);
      return mine ? [{ key: mine.key, isStale, moves }] : [];
    });
    const different = locked.filter(({ key }, at) => locked.findIndex((one) => one.key === key) === at);
    const parts = different.map(({ key, isStale, moves }) => {
      const mine = this.#reservation(key);
      const own = moves.map(({ units, to }): Move => ({ from: { fulfilment: null, ...selected(mine, units) }, to }));
      return { mine, isStale, moves: own };
    });
    const verdict = this.#model.allocate(
      parts.map(({ mine, ...part }) => ({ ...part, promised: this.#promised(mine) })),
      this.#now,
    );
    const decision = decideAllocate(
      parts.map(({ mine, isStale, moves }) => ({
        reservation: mine,
        expectedVersion: mine.version - (isStale ? 1 : 0),
        moves,
      })),
      this.#supplies,
      { rules, now: this.#now, override: null },
    );
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) for (const effect of decision.value.effects) this.#accept(effect);
  }

  amend(pick: number, channel: number | null, lines: readonly Reworded[]): void {
    const mine = this.#lock(pick);
    if (!mine) return;
    const wanted = lines
      .map((one): Wanted => wantedOf(mine, one))
      .filter(({ id, sku }, at, all) => all.findIndex((one) => one.id === id && one.sku === sku) === at);
    const verdict = this.#model.amend(this.#promised(mine), wanted, {
      channel: channel ?? mine.channel,
      now: this.#now,
    });
    const amendment = { expectedVersion: mine.version, lines: wanted, channel, destination: undefined, priority: null };
    const terms = { rules, now: this.#now, override: null };
    this.#expect(decideAmend(mine, amendment, this.#supplies, terms), verdict);
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
    const candidates = [...this.#reservations.values()];
    const { effects, supplies } = healShortfall(sku, candidates, this.#supplies, rules, this.#now);
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
    this.#model.happen(sku, node, type === 'sale' || type === 'transfer' ? -quantity : quantity);
    if (type === 'transfer' && toNode !== null) this.#model.happen(sku, toNode, quantity);
    return 'done';
  }

  /** Rows, ledger and reservations agree with the model and with each other. */
  check(): void {
    const promisedAt = new Map<string, { held: number; confirmed: number }>(
      PLACES.map(({ name }) => [name, { held: 0, confirmed: 0 }]),
    );
    for (const mine of this.#reservations.values()) {
      this.#checkReservation(mine);
      for (const { kind, sku, node, held, confirmed } of mine.backings) {
        const at = kind === 'stock' ? promisedAt.get(`${sku}/${node}`) : null;
        if (at) Object.assign(at, { held: at.held + held, confirmed: at.confirmed + confirmed });
      }
    }
    for (const { sku, node, name } of PLACES) {
      const row = rowAt(this.#supplies.get(sku) ?? supplyOf(sku, []), node);
      const where = `of SKU ${sku} at node ${node}`;
      assertSame(row, { ...emptyRow(stockAt(node)), ...this.#model.rowOf(sku, node) }, `the row ${where}`);
      assertSame(this.#replayed.get(name) ?? {}, row, `the replay of the ledger ${where}`);
      assert.equal(rowFault(row), null);
      assert.equal(net(row), this.#model.shelf(sku, node).net);
      const { held, confirmed } = promisedAt.get(name) ?? { held: 0, confirmed: 0 };
      assertSame({ held: row.reserved, confirmed: row.committed }, { held, confirmed }, `promises ${where}`);
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

  #promised({ key }: Reservation): Promised {
    const promised = this.#model.promises.get(key);
    if (!promised) throw new Error(`the model does not know reservation ${key}`);
    return promised;
  }

  #reservation(key: number): Reservation {
    const mine = this.#reservations.get(key);
    if (!mine) throw new Error(`there is no reservation ${key}`);
    return mine;
  }

  #lock(pick: number): Reservation | undefined {
    const key = (pick % Math.max(1, this.#reservations.size)) + 1;
    const skus = this.#reservations.get(key)?.lines.map(({ sku }) => sku) ?? [];
    this.#reap(new Set(skus));
    return this.#reservations.get(key);
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
}

/** What a step means of a reservation as it is now: a backing, named as far as the step says, or by nothing at all. */
function selected({ lines, backings }: Reservation, { backing, quantity, names }: Named): Which {
  const meant = backings[backing % Math.max(1, backings.length)];
  if (!meant) return { quantity };
  const all = {
    line: lines[meant.line]?.id,
    sku: meant.sku,
    node: meant.kind === 'unbacked' ? null : meant.node,
    fulfilment: meant.fulfilment,
  };
  return { ...Object.fromEntries(names.map((name) => [name, all[name]])), quantity };
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
});

/** As `deepEqual` of flat objects, and many times as quick: it is asked thousands of times for each history. */
function assertSame(found: object, expected: object, what: string): void {
  const fields = Object.entries(expected);
  const isSame = fields.every(([name, value]) => (found as Readonly<Record<string, unknown>>)[name] === value);
  if (!isSame || Object.keys(found).length !== fields.length) assert.deepEqual(found, expected, what);
}
