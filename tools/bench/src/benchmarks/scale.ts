/**
 * `scale.*`: whether the engine slows down as the tables grow. Databases of 10 thousand, 1 million and 10 million SKUs
 * with one stock row each stand side by side; the load is the same 10,000 SKUs in each, and once the whole table.
 * Every turn follows a checkpoint and a short uncounted load, and is too short to meet another checkpoint.
 */
import { EngineContender } from '../contenders/engine.ts';
import type { Contender } from '../contenders/contender.ts';
import { runClosedLoop } from '../measuring/closed-loop.ts';
import type { LoopResult } from '../measuring/closed-loop.ts';
import { Results, interleave } from '../measuring/rounds.ts';
import { seeded } from '../measuring/seeded.ts';
import { ratios } from '../measuring/statistics.ts';
import { inWorkingSet } from '../measuring/working-set.ts';
import type { Key } from '../reporting/keys.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { verify } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';

const CALLERS = 64;
const UNITS_PER_ROW = 1_000_000;
/** After a checkpoint every page is logged whole when it is first touched; the counted time begins past the worst of it. */
const WARM_SHARE = 0.25;

const SIZES = {
  '10k': { skus: 10_000, fillSeconds: 3 },
  '1m': { skus: 1_000_000, fillSeconds: 25 },
  '10m': { skus: 10_000_000, fillSeconds: 300 },
} as const;
type Size = keyof typeof SIZES;
type Load = 'set' | 'random';
type Turn = `${Load}_${Size}`;

/** How much longer a reservation takes in the bigger table: the smaller one's rate over the bigger one's. */
const COMPARISONS: Readonly<Record<string, { readonly small: Turn; readonly big: Turn }>> = {
  'scale.reserve_1m_vs_10k': { small: 'set_10k', big: 'set_1m' },
  'scale.reserve_10m_vs_10k': { small: 'set_10k', big: 'set_10m' },
  'scale.random_10m_vs_10k': { small: 'set_10k', big: 'random_10m' },
};

const turnsFor = (keys: readonly Key[]): readonly Turn[] => [
  ...new Set(keys.flatMap(({ key }) => Object.values(COMPARISONS[key] ?? {}) as Turn[])),
];
const sizeOf = (turn: Turn): Size => turn.split('_')[1] as Size;
const sizesOf = (turns: readonly Turn[]): readonly Size[] => [...new Set(turns.map(sizeOf))];

interface Table {
  readonly database: BenchDatabase;
  readonly engine: EngineContender;
}

function skuOf(turn: Turn, random: (below: number) => number): number {
  const { skus } = SIZES[sizeOf(turn)];
  return turn.startsWith('random') ? 1 + random(skus) : inWorkingSet(skus, random);
}

const load = (turn: Turn, contender: Contender, seconds: number, seed: number): Promise<LoopResult> => {
  const random = seeded(seed);
  const call = (): Promise<void> => contender.reserve([{ sku: skuOf(turn, random), quantity: 1 }]);
  return runClosedLoop({ callers: CALLERS, seconds, call });
};

async function fill(sizes: readonly Size[], { servers, progress, queues }: Bench): Promise<Map<Size, Table>> {
  const tables = new Map<Size, Table>();
  for (const size of sizes) {
    const { skus, fillSeconds } = SIZES[size];
    progress.step(`scale: filling ${skus.toLocaleString('en-US')} stock rows`, fillSeconds);
    const database = await createDatabase(servers.databaseUrl, `scale_${size}`, servers.appUrl);
    await fillDatabase(database, { skus, nodesPerSku: 1, unitsPerRow: UNITS_PER_ROW });
    tables.set(size, {
      database,
      engine: new EngineContender({ ...database, ...(queues === undefined ? {} : { queues }) }),
    });
  }
  return tables;
}

async function takeTurns(turns: readonly Turn[], tables: ReadonlyMap<Size, Table>, bench: Bench) {
  const results = new Results<Turn, LoopResult>();
  const { rounds, seconds, progress } = bench;
  for (const { round, contender: turn } of interleave(turns, rounds)) {
    const table = tables.get(sizeOf(turn));
    if (table === undefined) continue;
    progress.step(`scale, round ${round + 1} of ${rounds}: ${turn}`, seconds);
    await checkpoint(table.database);
    await load(turn, table.engine, seconds * WARM_SHARE, 1);
    results.add(turn, await load(turn, table.engine, seconds, round + 2));
  }
  return results;
}

export const scale: Benchmark = {
  estimate: (keys, { rounds, seconds }) => {
    const turns = turnsFor(keys);
    const filling = sizesOf(turns).reduce((sum, size) => sum + SIZES[size].fillSeconds, 0);
    return filling + turns.length * rounds * seconds * (1 + WARM_SHARE);
  },
  async run(keys, bench) {
    const turns = turnsFor(keys);
    const tables = await fill(sizesOf(turns), bench);
    try {
      const results = await takeTurns(turns, tables, bench);
      const rates = (turn: Turn): readonly number[] => results.pick(turn, ({ perSecond }) => perSecond);
      for (const { key } of keys) {
        const comparison = COMPARISONS[key];
        if (comparison) bench.figures.set(key, ratios(rates(comparison.small), rates(comparison.big)));
      }
      for (const turn of turns) bench.figures.detail(`scale.${turn}_per_s`, rates(turn));
      for (const [size, { database, engine }] of tables) {
        bench.progress.step(`scale: verifying ${size}`, 1);
        await verify(database, [engine], SIZES[size].skus * UNITS_PER_ROW);
      }
    } finally {
      for (const { database, engine } of tables.values()) {
        await engine.close();
        await database.drop();
      }
    }
  },
};
