/**
 * A pool on which histories are played: the engine's rules, used the way its data access does (whatever is overdue of a locked SKU is
 * reaped first), and the model beside them. Every decision is compared with what the model expects.
 */
import assert from 'node:assert/strict';
import { applyTransfers } from '../../arithmetic.ts';
import type { VerbEffect } from '../../decide-verb.ts';
import type { Inspection, JudgedUnits } from '../../decide-inspection.ts';
import { type FreedUnits, type Waiting, allAvailable, freeUnits, freedBy } from '../../free-units.ts';
import { reap } from '../../reap.ts';
import type { Decision } from '../../rejection.ts';
import { type Reservation, STAGES, type Stage, open } from '../../reservation.ts';
import type { Posting } from '../../posting.ts';
import type { SinceCapture, Watermark } from '../../feed.ts';
import type { FulfilmentUnits } from '../../select-units.ts';
import type { Terms } from '../../settlement.ts';
import type { SellingRules } from '../../selling-rules.ts';
import { withoutSpent } from '../../spent-lines.ts';
import type { CountedState } from '../../stock-states.ts';
import { type Supplies, type SupplyEffect, noSupply, suppliesAfter } from '../../supply.ts';
import { type SupplyPlace, type SupplyRow, emptyRow } from '../../supply-row.ts';
import { NOW, reservation, suppliesOf, supplyOf } from '../arbitraries.ts';
import { expire } from './holding.ts';
import type { Kept } from './market.ts';
import { type Count, MEANT_PICKS, type Named, selected } from './picks.ts';
import type { Promised, Which } from './piles.ts';
import { Pool, type Verdict } from './pool.ts';
import { mark, serve, serveAll } from './serving.ts';
import { Stages } from './stages.ts';
import type { Command } from './commands.ts';
import { SKUS, marketThat, rulesOf } from './world.ts';

export const rowName = (sku: number, { kind, node, detail }: SupplyPlace): string => `${sku}/${kind}/${node}/${detail}`;

/** What differs between playing on the rules alone, and what callers of a whole engine can say and do. */
export interface PlayedPoolOptions {
  /** Units are named as requests can: whatever has no node or fulfilment is not told apart by that, and moves say where from. */
  readonly isCaller: boolean;
  /** Whether node 4 closes. */
  readonly closes: boolean;
  /** Whether anybody waits, and promises are moved off short rows, or from where they may not stay. */
  readonly moves: boolean;
  /** Told of each command when the model has decided it, and of SKUs of which holds have run out. */
  readonly onCommand: (command: Command, verdict: Verdict) => void;
  readonly onReaped: (skus: ReadonlySet<number>) => void;
}
const nothing = (): void => undefined;

/** What waits for approval, and what has become of the others. */
export interface Inspected extends Inspection, JudgedUnits {
  readonly missing: number;
}

export class PlayedPool {
  readonly options: PlayedPoolOptions;
  readonly model: Pool;
  readonly reservations = new Map<number, Reservation>();
  /** What the postings of the ledger come to, by SKU and row. */
  readonly replayed = new Map<string, SupplyRow>();
  supplies: Supplies = suppliesOf(...SKUS.map((sku) => supplyOf(sku, [])));
  rules: SellingRules;
  /** By the place that each has taken. */
  readonly fences = new Map<number, Kept>();
  lastFence = 0;
  lastLine = 0;
  /** Of units that are to be looked at, in the order in which they opened. */
  readonly inspections: Inspected[] = [];
  /** As they were when those who wait were last asked. */
  #served = this.supplies;
  readonly stages = new Stages();
  /** What came and went, and when. */
  readonly #ledger: Entry[] = [];
  readonly #stageEntries: StageEntry[] = [];
  readonly watermarks = new Map<string, Watermark>();

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

  told(command: Command, verdict: Verdict): void {
    this.options.onCommand(command, verdict);
  }

  /** Does what is told now of the time at which it happened. */
  late(ms: number, play: () => void): void {
    this.model.at = this.now - ms;
    play();
    this.stages.note(this.model);
    this.model.at = this.now;
  }

  /** Does what the engine does by itself. */
  #now(act: () => void): void {
    this.stages.note(this.model);
    const { at } = this.model;
    this.model.at = this.now;
    act();
    this.stages.note(this.model);
    this.model.at = at;
  }

  reap(locked: ReadonlySet<number>): void {
    this.#now(() => this.#reap(locked));
    this.serve();
  }

  #reap(locked: ReadonlySet<number>): void {
    const expected = expire(this.model, locked);
    for (const mine of this.reservations.values()) {
      const effect = reap(mine, this.supplies, { locked, now: this.now });
      assert.equal(effect !== null, expected.has(mine.key));
      if (effect) this.accept(effect);
    }
    if (expected.size > 0) this.options.onReaped(locked);
  }

  expect(decision: Decision<VerbEffect>, verdict: Verdict): void {
    assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
    if (decision.ok) {
      this.accept(decision.value);
      this.inspect(decision.value.effect);
    }
    this.serve();
  }

  /** Units that have come to quality control at a node wait there for approval. */
  inspect({ postings }: SupplyEffect): void {
    const rows = new Map<string, { readonly sku: number; readonly node: number; open: number }>();
    for (const { sku, at, to, quantity } of postings) {
      if (to !== 'quality_control' || at.kind !== 'stock') continue;
      const row = rows.get(rowName(sku, at)) ?? { sku, node: at.node, open: 0 };
      rows.set(rowName(sku, at), { ...row, open: row.open + quantity });
    }
    for (const row of rows.values()) this.inspections.push({ ...row, ...UNJUDGED });
  }

  accept({ reservation: after, effect }: VerbEffect): void {
    this.#noteStages(after);
    this.reservations.set(after.key, after);
    this.apply(effect);
  }

  /** Everybody, since nobody knows who may wait. */
  waiting(): Waiting {
    return { candidates: [...this.reservations.values()], hasMore: false, budget: Infinity };
  }

  /** What decisions have freed since this was last called is offered to those who wait. */
  serve(): void {
    this.#now(() => this.#serve());
  }

  #serve(): void {
    for (const sku of SKUS) {
      const [before, after] = [this.#served.get(sku), this.supplies.get(sku)];
      if (!before || !after || before === after) continue;
      serve(this.model, sku);
      this.#offer(sku, freedBy(before, after));
      mark(this.model, sku);
    }
    this.#leaveOutSpent();
    this.#served = this.supplies;
  }

  #leaveOutSpent(): void {
    const spent = SKUS.flatMap((sku) => withoutSpent(this.supplies.get(sku) ?? noSupply(sku)) ?? []);
    if (spent.length === 0) return;
    const supplies = new Map(spent.map(({ supply }) => [supply.sku, supply]));
    this.supplies = suppliesAfter(this.supplies, { supplies, postings: [] });
  }

  /** Others may have what is free of a SKU than before. */
  serveAll(sku: number): void {
    this.#now(() => {
      serveAll(this.model, sku);
      this.#offer(sku, allAvailable(this.supplies.get(sku) ?? noSupply(sku)));
      this.served();
    });
  }

  #offer(sku: number, freed: readonly FreedUnits[]): void {
    const { effects, effect } = freeUnits(sku, freed, this.waiting(), this.supplies, this.terms(false));
    for (const one of effects) this.accept(one);
    this.apply(effect);
  }

  /** A decision has offered what it freed by itself. */
  served(): void {
    for (const sku of SKUS) if (this.#served.get(sku) !== this.supplies.get(sku)) mark(this.model, sku);
    this.#leaveOutSpent();
    this.#served = this.supplies;
  }

  apply(effect: SupplyEffect): void {
    this.supplies = suppliesAfter(this.supplies, effect);
    for (const posting of effect.postings) {
      const name = rowName(posting.sku, posting.at);
      if (posting.at.kind === 'stock' && (COUNTED.has(posting.from) || COUNTED.has(posting.to)))
        this.#ledger.push({ ...posting, occurredAt: this.model.at });
      const before = this.replayed.get(name) ?? emptyRow(posting.at);
      this.replayed.set(name, applyTransfers(before, [posting]));
    }
  }

  #noteStages({ key, backings }: Reservation): void {
    const before = this.reservations.get(key)?.backings ?? [];
    for (const { no, kind, sku, node, ...past } of backings)
      for (const stage of STAGES) {
        const units = past[stage] - (before[no]?.[stage] ?? 0);
        if (units !== 0 && kind === 'stock')
          this.#stageEntries.push({ sku, node, stage, units, occurredAt: this.model.at });
      }
  }

  /** Units that have come to a state of a row since then, less those that have left it. */
  sinceIn(sku: number, node: number, state: CountedState, captured: number): number {
    return this.#ledger
      .filter((one) => one.sku === sku && one.at.node === node && one.occurredAt > captured)
      .reduce((all, { from, to, quantity }) => all + (Number(to === state) - Number(from === state)) * quantity, 0);
  }

  /** What a count is placed in time by. */
  since(sku: number, node: number, stage: Stage | null, captured: number): SinceCapture {
    const later = this.#ledger.filter((one) => one.sku === sku && one.at.node === node && one.occurredAt > captured);
    const moved = (into: (account: string) => boolean): number =>
      later.reduce((all, { from, to, quantity }) => all + (Number(into(to)) - Number(into(from))) * quantity, 0);
    const physicalDelta = -moved((account) => account === 'external');
    const sidelined = moved((account) => account === 'damaged' || account === 'quality_control');
    if (stage === null) return { physicalDelta, acknowledged: 0, sidelined };
    const open = [...this.reservations.values()]
      .flatMap(({ backings }) => backings)
      .filter((one) => one.kind === 'stock' && one.sku === sku && one.node === node);
    const afterwards = this.#stageEntries.filter(
      (one) => one.sku === sku && one.node === node && one.stage === stage && one.occurredAt > captured,
    );
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, units) => total + units, 0);
    const acknowledged = sum(open.map((one) => one[stage])) - sum(afterwards.map(({ units }) => units));
    return { physicalDelta, acknowledged, sidelined };
  }
}

export const UNJUDGED = { approved: 0, rejected: 0, missing: 0 } as const;

/** Accounts of whose entries a count asks. */
const COUNTED: ReadonlySet<string> = new Set(['external', 'damaged', 'quality_control']);

interface Entry extends Posting {
  readonly occurredAt: number;
}

interface StageEntry {
  readonly sku: number;
  readonly node: number;
  readonly stage: Stage;
  readonly units: number;
  readonly occurredAt: number;
}
