/**
 * `allocate.swap…`: pairs of orders that swap their nodes while no unit is free. 1,000 SKUs have one unit at each of ten nodes, and
 * each unit is promised to an order of its own: a swap finds only the units that its two orders give up. The engine is in this
 * process, the relay does not run.
 */
import { runClosedLoop } from '../measuring/closed-loop.ts';
import { cpuOf, cpuOfFamily, perRequest } from '../measuring/cpu.ts';
import { Results, interleave } from '../measuring/rounds.ts';
import { seeded } from '../measuring/seeded.ts';
import { medianOfAll } from '../measuring/statistics.ts';
import { FreePairs } from '../orders/free-pairs.ts';
import { OrderDesk } from '../orders/order-desk.ts';
import type { Order, Pair } from '../orders/order-desk.ts';
import { verifyOrders } from '../orders/verify-orders.ts';
import type { Key } from '../reporting/keys.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import type { Bench, Benchmark } from './benchmark.ts';

const FILLING = { skus: 1_000, nodesPerSku: 10, unitsPerRow: 1 };
const UNITS = FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow;
const OWNER = 'bench-orders';
const SETUP_SECONDS = 15;

/** A pair takes part in one request at a time, so callers and groups must leave some pairs free. */
const LOADS = {
  swap: { callers: 64, groups: 1 },
  swap_batch: { callers: 8, groups: 100 },
} as const;
type Turn = keyof typeof LOADS;

/** Turns below a second, as CI has them, would end before the first answer to a large request. */
const groupsOf = (turn: Turn, seconds: number): number => Math.ceil(LOADS[turn].groups / (seconds < 1 ? 10 : 1));

const FIGURES: Readonly<Record<Turn, string>> = {
  swap: 'allocate.swap_per_s',
  swap_batch: 'allocate.swap_batch_per_s',
};
const turnsFor = (keys: readonly Key[]): readonly Turn[] =>
  (Object.keys(LOADS) as Turn[]).filter((turn) => keys.some(({ key }) => key === FIGURES[turn]));

interface TurnResult {
  /** Swaps, not requests. */
  readonly perSecond: number;
  /** Of a request. */
  readonly p99Ms: number;
  readonly client: number | null;
  readonly postgres: number | null;
}

/** Orders of one SKU are at different nodes, because none has two units of it. */
async function promiseAll(desk: OrderDesk): Promise<readonly Pair[]> {
  const orders = await desk.promise(Array.from({ length: UNITS }, (_, place) => 1 + (place % FILLING.skus)));
  const ofSku = (sku: number): readonly Order[] => orders.filter((_, place) => place % FILLING.skus === sku);
  return Array.from({ length: FILLING.skus }, (_, sku) => inPairs(ofSku(sku))).flat();
}

const inPairs = (orders: readonly Order[]): readonly Pair[] =>
  orders.flatMap((one, place) => {
    const other = orders[place + 1];
    return place % 2 === 0 && other ? [[one, other] as const] : [];
  });

async function swapFor(
  turn: Turn,
  { desk, pairs }: { readonly desk: OrderDesk; readonly pairs: FreePairs },
  { servers: { postmaster }, seconds }: Bench,
): Promise<TurnResult> {
  const { callers } = LOADS[turn];
  const groups = groupsOf(turn, seconds);
  let swaps = 0;
  const call = async (): Promise<void> => {
    pairs.giveBack(await desk.swap(pairs.take(groups)));
    swaps += groups;
  };
  const before = { client: cpuOf(process.pid), postgres: cpuOfFamily(postmaster) };
  const { perSecond, p99Ms } = await runClosedLoop({ callers, seconds, call });
  return {
    perSecond: perSecond * groups,
    p99Ms,
    client: perRequest(before.client, cpuOf(process.pid), swaps),
    postgres: perRequest(before.postgres, cpuOfFamily(postmaster), swaps),
  };
}

async function takeTurns(turns: readonly Turn[], bench: Bench, database: BenchDatabase, desk: OrderDesk) {
  bench.progress.step(`orders: promising ${UNITS.toLocaleString('en-US')} units`, SETUP_SECONDS);
  const pairs = new FreePairs(await promiseAll(desk), seeded(23));
  const results = new Results<Turn, TurnResult>();
  for (const { round, contender: turn } of interleave(turns, bench.rounds)) {
    bench.progress.step(`orders, round ${round + 1} of ${bench.rounds}: ${turn}`, bench.seconds);
    await checkpoint(database);
    results.add(turn, await swapFor(turn, { desk, pairs }, bench));
  }
  return { results, orders: pairs.all.flat() };
}

function report(turns: readonly Turn[], results: Results<Turn, TurnResult>, { figures }: Bench): void {
  for (const turn of turns) {
    const rates = results.pick(turn, ({ perSecond }) => perSecond);
    figures.set(FIGURES[turn], rates);
    figures.detail(
      `allocate.${turn}_request_p99_ms`,
      results.pick(turn, ({ p99Ms }) => p99Ms),
    );
    figures.cpu.push({
      what: `allocate.${turn}`,
      client: medianOfAll(results.pick(turn, ({ client }) => client)),
      postgres: medianOfAll(results.pick(turn, ({ postgres }) => postgres)),
      app: null,
    });
  }
  figures.notes.set('allocate.cpu', 'of each swap, not of each request');
}

export const swaps: Benchmark = {
  estimate: (keys, { rounds, seconds }) => SETUP_SECONDS + turnsFor(keys).length * rounds * seconds,
  async run(keys, bench) {
    const turns = turnsFor(keys);
    const database = await createDatabase(bench.servers.databaseUrl, 'swaps', bench.servers.appUrl);
    await fillDatabase(database, FILLING);
    const desk = new OrderDesk({ ...database, owner: OWNER, queues: bench.queues });
    try {
      const { results, orders } = await takeTurns(turns, bench, database, desk);
      report(turns, results, bench);
      bench.progress.step('orders: verifying where they are', 2);
      const { skus: stockedSkus, unitsPerRow } = FILLING;
      await verifyOrders(database, { owner: OWNER, orders, stockedSkus, unitsPerRow, onHand: UNITS });
    } finally {
      await desk.close();
      await database.drop();
    }
  },
};
