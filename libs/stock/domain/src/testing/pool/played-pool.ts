/**
 * A pool on which histories are played: the engine's rules, used the way its data access does (whatever is overdue of a locked SKU is
 * reaped first), and the model beside them. Every decision is compared with what the model expects.
 */
import assert from 'node:assert/strict';
import { applyTransfers } from '../../arithmetic.ts';
import type { VerbEffect } from '../../decide-verb.ts';
import { reap } from '../../reap.ts';
import type { Decision } from '../../rejection.ts';
import { type Reservation, open } from '../../reservation.ts';
import type { FulfilmentUnits } from '../../select-units.ts';
import type { Terms } from '../../settlement.ts';
import type { SellingRules } from '../../selling-rules.ts';
import { type Supplies, type SupplyEffect, suppliesAfter } from '../../supply.ts';
import { type SupplyRow, emptyRow, stockAt } from '../../supply-row.ts';
import { NOW, reservation, suppliesOf, supplyOf } from '../arbitraries.ts';
import { expire } from './holding.ts';
import type { Kept } from './market.ts';
import { type Count, MEANT_PICKS, type Named, selected } from './picks.ts';
import type { Promised, Which } from './piles.ts';
import { Pool, type Verdict } from './pool.ts';
import type { Command } from './commands.ts';
import { PLACES, SKUS, marketThat, rulesOf } from './world.ts';

/** What differs between playing on the rules alone, and what callers of a whole engine can say and do. */
export interface PlayedPoolOptions {
  /** Units are named as requests can: whatever has no node or fulfilment is not told apart by that, and moves say where from. */
  readonly isCaller: boolean;
  /** Whether node 4 closes. */
  readonly closes: boolean;
  /** Whether promises are moved off short rows, or from where they may not stay. */
  readonly moves: boolean;
  /** Told of each command when the model has decided it, and of SKUs of which holds have run out. */
  readonly onCommand: (command: Command, verdict: Verdict) => void;
  readonly onReaped: (skus: ReadonlySet<number>) => void;
}
const nothing = (): void => undefined;

export class PlayedPool {
  readonly options: PlayedPoolOptions;
  readonly model: Pool;
  readonly reservations = new Map<number, Reservation>();
  /** What the postings of the ledger come to, by row. */
  readonly replayed = new Map<string, SupplyRow>(PLACES.map(({ node, name }) => [name, emptyRow(stockAt(node))]));
  supplies: Supplies = suppliesOf(...SKUS.map((sku) => supplyOf(sku, [])));
  rules: SellingRules;
  /** By the place that each has taken. */
  readonly fences = new Map<number, Kept>();
  lastFence = 0;

  constructor(options: Partial<PlayedPoolOptions> = {}) {
    const always = { isCaller: false, closes: true, moves: true, onCommand: nothing, onReaped: nothing };
    this.options = { ...always, ...options };
    this.model = new Pool(marketThat(this.options.closes), NOW);
    this.rules = rulesOf(this.options.closes);
  }

  get now(): number {
    return this.model.now;
  }

  terms(isByHand: boolean): Terms {
    return { rules: this.rules, now: this.now, override: isByHand ? 'by_hand' : null };
  }

  /** What the model knows of a reservation. */
  promised({ key }: Reservation): Promised {
    return this.model.promised(key);
  }

  reservation(key: number): Reservation {
    const mine = this.reservations.get(key);
    if (!mine) throw new Error(`there is no reservation ${key}`);
    return mine;
  }

  lock(pick: number, count: Count = open): Reservation | undefined {
    const key = this.pick(pick, count);
    if (key === undefined) return undefined;
    this.lockAll([key]);
    return this.reservations.get(key);
  }

  /** Small picks are of those that have units as they are meant, if any has. */
  pick(pick: number, count: Count = open): number | undefined {
    const all = [...this.reservations.values()];
    const meant = pick < MEANT_PICKS ? all.filter(({ backings }) => backings.some((one) => count(one) > 0)) : [];
    const some = meant.length > 0 ? meant : all;
    return some[pick % Math.max(1, some.length)]?.key;
  }

  /** All at once, as the engine does. */
  lockAll(keys: readonly number[]): void {
    const lines = keys.flatMap((key) => this.reservation(key).lines);
    if (lines.length > 0) this.reap(new Set(lines.map(({ sku }) => sku)));
  }

  selected(mine: Reservation, named: Named, count: Count = open): Which {
    const which = selected(mine, named, count);
    if (!this.options.isCaller) return which;
    return { ...which, node: which.node ?? undefined, fulfilment: which.fulfilment ?? undefined };
  }

  /** Units of a fulfilment; of one that nobody may know, if none has been picked. */
  ofFulfilment(pick: number, named: Named, count: Count): [Reservation | undefined, FulfilmentUnits] {
    const mine = this.lock(pick, count);
    const { fulfilment, ...which } = this.selected(mine ?? reservation(), named, count);
    const some = mine?.backings.find((one) => count(one) > 0)?.fulfilment;
    if (this.options.isCaller) delete which.node;
    return [mine, { ...which, fulfilment: fulfilment ?? some ?? 'f1' }];
  }

  reap(locked: ReadonlySet<number>): void {
    const expected = expire(this.model, locked);
    for (const mine of this.reservations.values()) {
      const effect = reap(mine, this.supplies, { locked, now: this.now });
      assert.equal(effect !== null, expected.has(mine.key));
      if (effect) this.accept(effect);
    }
    if (expected.size > 0) this.options.onReaped(locked);
  }

  told(command: Command, verdict: Verdict): void {
    this.options.onCommand(command, verdict);
  }

  expect(decision: Decision<VerbEffect>, verdict: Verdict): void {
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) this.accept(decision.value);
  }

  accept({ reservation: after, effect }: VerbEffect): void {
    this.reservations.set(after.key, after);
    this.apply(effect);
  }

  apply(effect: SupplyEffect): void {
    this.supplies = suppliesAfter(this.supplies, effect);
    for (const posting of effect.postings) {
      const name = `${posting.sku}/${posting.at.node}`;
      const before = this.replayed.get(name);
      if (!before) throw new Error(`a posting at ${name}, which is not in the market`);
      this.replayed.set(name, applyTransfers(before, [posting]));
    }
  }
}
