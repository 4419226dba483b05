/**
 * `reserve.*`: the engine in this process against the baselines, in one database, turn by turn. Everybody writes to the
 * same tables, so what has piled up there burdens all alike, but each sells SKUs of its own: a contender that finds its
 * rows as it left them is what one replica is in a shop. The relay does not run.
 */
import type { Contender, Line } from '../contenders/contender.ts';
import { EngineContender } from '../contenders/engine.ts';
import { LimitContender } from '../contenders/limit.ts';
import { MultiContender } from '../contenders/multi.ts';
import { SingleContender } from '../contenders/single.ts';
import { TwoReplicas } from '../contenders/two-replicas.ts';
import { runClosedLoop } from '../measuring/closed-loop.ts';
import { cpuOf, cpuOfFamily, perRequest } from '../measuring/cpu.ts';
import { Results, interleave } from '../measuring/rounds.ts';
import { seeded } from '../measuring/seeded.ts';
import { medianOfAll, ratios } from '../measuring/statistics.ts';
import type { Key } from '../reporting/keys.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { verify } from '../setting/verify.ts';
import type { Claim } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { COMPARISONS, SELLERS, sellerOf, turnsFor, workloadOf } from './reserve-turns.ts';
import type { Seller, TurnName, Workload } from './reserve-turns.ts';
import { tune } from './tune.ts';

/** Of each seller: one hot SKU, then those that are asked for at random. */
const SKUS_EACH = 10_001;
const FILLING = { skus: SKUS_EACH * SELLERS.length, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const hotSkuOf = (seller: Seller): number => 1 + SELLERS.indexOf(seller) * SKUS_EACH;
const CALLERS: Readonly<Record<Workload, number>> = { hot: 64, uniform: 64, carts: 64, alone: 1 };
const LINES_PER_CART = 3;
const SETUP_SECONDS = 15;
const TUNE_SECONDS = 0.7;

interface TurnResult {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly clientMicroseconds: number | null;
  readonly postgresMicroseconds: number | null;
}

/** The lines of the next request; each seller's the same but for their SKUs with the same seed. */
function demand(workload: Workload, seller: Seller, seed: number): () => readonly Line[] {
  const random = seeded(seed);
  const hotSku = hotSkuOf(seller);
  const anySku = (): number => hotSku + 1 + random(SKUS_EACH - 1);
  const line = (sku: number): Line => ({ sku, quantity: 1 });
  if (workload === 'hot') return () => [line(hotSku)];
  if (workload !== 'carts') return () => [line(anySku())];
  return () => {
    const skus = new Set<number>();
    while (skus.size < LINES_PER_CART) skus.add(anySku());
    return [...skus].map(line);
  };
}

class ReserveRun {
  readonly #results = new Results<TurnName, TurnResult>();
  readonly #claims: Claim[] = [];
  readonly #engine: EngineContender;
  readonly #limit: LimitContender;
  readonly #two: TwoReplicas;
  readonly #baselines = new Map<TurnName, Contender>();
  #batchSize = 1;

  readonly #bench: Bench;
  readonly #database: BenchDatabase;

  constructor(bench: Bench, database: BenchDatabase) {
    this.#bench = bench;
    this.#database = database;
    const { queues } = bench;
    this.#engine = new EngineContender({ ...database, ...(queues === undefined ? {} : { queues }) });
    this.#limit = new LimitContender(database);
    this.#two = new TwoReplicas({ ...database, ...(queues === undefined ? {} : { queues }) });
    this.#claims.push(this.#engine, this.#limit, this.#two);
  }

  async tuneBaselines(turns: readonly TurnName[]): Promise<void> {
    for (const turn of turns) {
      if (!/_(multi|single)$/.test(turn)) continue;
      this.#bench.progress.step(`tuning ${turn}`, TUNE_SECONDS * 4);
      const workload = workloadOf(turn);
      const seconds = Math.min(TUNE_SECONDS, this.#bench.seconds);
      const load = { callers: CALLERS[workload], seconds, lines: demand(workload, sellerOf(turn), 1) };
      const tuned = await tune<Contender>(this.#candidates(turn), load);
      this.#baselines.set(turn, tuned.contender);
      this.#claims.push(...tuned.tried);
      this.#bench.figures.notes.set(`tuned.reserve.${turn}`, tuned.label);
    }
    await this.#load('hot_engine', Math.min(TUNE_SECONDS, this.#bench.seconds), 1);
  }

  #candidates(turn: TurnName) {
    const database = this.#database;
    const alone = workloadOf(turn) === 'alone';
    const sizes = alone ? [1] : this.#bench.quick ? [8, 32] : [4, 8, 16, 32, 64];
    if (turn.endsWith('_single')) {
      const make = (connections: number) => () => new SingleContender({ ...database, connections });
      return sizes.map((size) => ({ label: `${size} connections`, make: make(size) }));
    }
    return sizes.flatMap((connections) =>
      [true, false].map((pipelined) => ({
        label: `${connections} connections, ${pipelined ? 'pipelined' : 'one statement at a time'}`,
        make: () => new MultiContender({ ...database, connections, pipelined }),
      })),
    );
  }

  async rounds(turns: readonly TurnName[]): Promise<void> {
    const { rounds, seconds, progress } = this.#bench;
    for (const { round, contender } of interleave(turns, rounds)) {
      if (contender === turns[0]) await checkpoint(this.#database);
      progress.step(`reserve, round ${round + 1} of ${rounds}: ${contender}`, seconds);
      this.#results.add(contender, await this.#turn(contender, round));
    }
  }

  async #turn(turn: TurnName, round: number): Promise<TurnResult> {
    const { postmaster } = this.#bench.servers;
    const before = { client: cpuOf(process.pid), postgres: cpuOfFamily(postmaster), requests: this.#requests() };
    const result = await this.#load(turn, this.#bench.seconds, round + 2);
    const requests = this.#requests() - before.requests;
    return {
      ...result,
      clientMicroseconds: perRequest(before.client, cpuOf(process.pid), requests),
      postgresMicroseconds: perRequest(before.postgres, cpuOfFamily(postmaster), requests),
    };
  }

  async #load(turn: TurnName, seconds: number, seed: number): Promise<{ perSecond: number; p99Ms: number }> {
    if (turn === 'hot_limit') {
      return { perSecond: await this.#limit.run(hotSkuOf('limit'), this.#batchSize, seconds), p99Ms: Number.NaN };
    }
    const workload = workloadOf(turn);
    const contender = sellerOf(turn) === 'two' ? this.#two : (this.#baselines.get(turn) ?? this.#engine);
    const lines = demand(workload, sellerOf(turn), seed);
    const callers = turn === 'hot_engine_512' ? 512 : CALLERS[workload];
    this.#engine.takeBatchSize();
    const result = await runClosedLoop({ callers, seconds, call: () => contender.reserve(lines()) });
    if (turn === 'hot_engine') this.#batchSize = this.#engine.takeBatchSize();
    return result;
  }

  #requests(): number {
    return this.#claims.reduce((sum, { tally }) => sum + tally.reservations, 0);
  }

  report(keys: readonly Key[], turns: readonly TurnName[]): void {
    const { figures } = this.#bench;
    for (const { key } of keys) {
      const comparison = COMPARISONS[key];
      if (comparison === undefined) continue;
      const { over, under, of } = comparison;
      const pick = (turn: TurnName) => this.#results.pick(turn, (result) => result[of]);
      figures.set(key, ratios(pick(over), pick(under)));
    }
    if (keys.some(({ key }) => key === 'reserve.hot_per_s')) {
      figures.set(
        'reserve.hot_per_s',
        this.#results.pick('hot_engine', ({ perSecond }) => perSecond),
      );
    }
    for (const turn of turns) {
      figures.detail(
        `reserve.${turn}_per_s`,
        this.#results.pick(turn, ({ perSecond }) => perSecond),
      );
      const p99s = this.#results.pick(turn, ({ p99Ms }) => p99Ms);
      if (p99s.every(Number.isFinite)) figures.detail(`reserve.${turn}_p99_ms`, p99s);
      const cpu = (choose: (result: TurnResult) => number | null): number | null =>
        medianOfAll(this.#results.pick(turn, choose));
      figures.cpu.push({
        what: `reserve.${turn}`,
        client: cpu((result) => result.clientMicroseconds),
        postgres: cpu((result) => result.postgresMicroseconds),
        app: null,
      });
    }
    figures.notes.set('reserve.limit_batch', `${this.#batchSize} reservations`);
  }

  async verify(): Promise<void> {
    this.#bench.progress.step('verifying what reserve wrote', 2);
    await verify(this.#database, mergeClaims(this.#claims), FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow);
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine, this.#limit, this.#two, ...this.#baselines.values()].map((one) => one.close()));
  }
}

/** Contenders of one owner share its rows. */
export function mergeClaims(claims: readonly Claim[]): readonly Claim[] {
  const merged = new Map<string, Claim>();
  for (const { owner, tally } of claims) {
    const known = merged.get(owner)?.tally ?? { reservations: 0, lines: 0, units: 0 };
    const sum = {
      reservations: known.reservations + tally.reservations,
      lines: known.lines + tally.lines,
      units: known.units + tally.units,
    };
    merged.set(owner, { owner, tally: sum });
  }
  return [...merged.values()];
}

export const reserve: Benchmark = {
  estimate: (keys, { rounds, seconds, quick }) => {
    const turns = turnsFor(keys.map(({ key }) => key));
    const tuned = turns.filter((turn) => /_(multi|single)$/.test(turn)).length;
    return SETUP_SECONDS + turns.length * rounds * seconds + tuned * TUNE_SECONDS * (quick ? 4 : 10);
  },
  async run(keys, bench) {
    bench.progress.step('reserve: filling 5 × 10,001 SKUs × 10 nodes', SETUP_SECONDS);
    const database = await createDatabase(bench.servers.databaseUrl, 'reserve', bench.servers.appUrl);
    await fillDatabase(database, FILLING);
    const turns = turnsFor(keys.map(({ key }) => key));
    const run = new ReserveRun(bench, database);
    try {
      await run.tuneBaselines(turns);
      await run.rounds(turns);
      run.report(keys, turns);
      await run.verify();
    } finally {
      await run.close();
      await database.drop();
    }
  },
};
