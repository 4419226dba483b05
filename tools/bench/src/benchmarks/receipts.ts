/**
 * `receipt.*`: 10,000 units arrive of a SKU for which as many confirmed orders of one unit wait, over HTTP at one replica, which
 * serves them in slices. Alone, and beside reservations of other SKUs at a fixed rate.
 */
import type { ReceiptRequest } from '@onepool/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { Pool } from 'undici';
import { skuCode } from '../contenders/contender.ts';
import { FactsStream } from '../events/facts-stream.ts';
import { relayed } from '../feeds/feed-book.ts';
import { holdBody } from '../http/requests.ts';
import { runOpenLoop } from '../measuring/open-loop.ts';
import { Results, interleave } from '../measuring/rounds.ts';
import { seeded } from '../measuring/seeded.ts';
import { percentile, ratios } from '../measuring/statistics.ts';
import { OrderDesk } from '../orders/order-desk.ts';
import type { Order } from '../orders/order-desk.ts';
import { verifyOrders } from '../orders/verify-orders.ts';
import type { Key } from '../reporting/keys.ts';
import { type App, startApp } from '../setting/app-process.ts';
import { type BenchDatabase, checkpoint, createDatabase, fillDatabase, withClient } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';

const STOCKED = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 1_000 };
const UNITS = STOCKED.skus * STOCKED.nodesPerSku * STOCKED.unitsPerRow;
const BACKORDERS = 10_000;
const OWNER = 'bench-backorders';
const NODE = 'n1';
const RESERVATIONS_PER_SECOND = 500;
const CONNECTIONS = 64;
const POLL_MS = 5;
const DEADLINE_MS = 120_000;
const SETUP_SECONDS = 15;
const PROMISING_SECONDS = 8;

const TURNS = ['alone', 'idle', 'beside'] as const;
type Turn = (typeof TURNS)[number];
const NEEDS: Readonly<Record<string, readonly Turn[]>> = {
  'receipt.backorders_10k_ms': ['alone'],
  'receipt.p99_during_vs_idle': ['idle', 'beside'],
};
const turnsFor = (keys: readonly Key[]): readonly Turn[] =>
  TURNS.filter((turn) => keys.some(({ key }) => NEEDS[key]?.includes(turn)));
const receivesIn = (turn: Turn): boolean => turn !== 'idle';

interface TurnResult {
  /** From sending the receipt until every order has its unit; 0 where none came. */
  readonly servedMs: number;
  /** Of a reservation of another SKU; 0 where there were none. */
  readonly p99Ms: number;
}

class ReceiptRun {
  readonly results = new Results<Turn, TurnResult>();
  readonly #bench: Bench;
  readonly #database: BenchDatabase;
  readonly #app: App;
  readonly #desk: OrderDesk;
  readonly #pool: Pool;
  readonly #random = seeded(31);
  readonly #orders: Order[] = [];
  #receipts = 0;

  constructor(bench: Bench, database: BenchDatabase, app: App) {
    this.#bench = bench;
    this.#database = database;
    this.#app = app;
    this.#desk = new OrderDesk({ ...database, owner: OWNER, queues: bench.queues });
    this.#pool = new Pool(app.url, { connections: CONNECTIONS });
  }

  /** Backorders of every SKU that has no stock are allowed. */
  async allow(skus: number): Promise<void> {
    const names = Array.from({ length: skus }, (_, place) => skuCode(STOCKED.skus + 1 + place));
    await this.#ask(
      'PUT',
      '/v1/allowances',
      { allowances: [{ allowance: 'bench', skus: names, cap: BACKORDERS }] },
      200,
    );
  }

  async take(turn: Turn): Promise<void> {
    if (turn === 'idle') {
      const latencies = await this.#reserveFor(Math.max(2, this.#bench.seconds));
      return this.results.add(turn, { servedMs: 0, p99Ms: percentile(latencies, 0.99) });
    }
    const sku = STOCKED.skus + 1 + this.#receipts++;
    const waiting = await this.#desk.promise(
      Array.from({ length: BACKORDERS }, () => sku),
      { mayWait: true },
    );
    this.#orders.push(...waiting.map(({ id, version }) => ({ id, version: version + 1, node: NODE })));
    await relayed(this.#database);
    await checkpoint(this.#database);
    const latencies: number[] = [];
    let isServed = false;
    const served = this.#receive(sku).finally(() => (isServed = true));
    while (turn === 'beside' && !isServed) latencies.push(...(await this.#reserveFor(0.25)));
    const servedMs = await served;
    this.results.add(turn, { servedMs, p99Ms: latencies.length > 0 ? percentile(latencies, 0.99) : 0 });
  }

  async #receive(sku: number): Promise<number> {
    const begun = performance.now();
    const receipt: ReceiptRequest = {
      id: `receipt-${sku}`,
      source: 'wms',
      lines: [{ sku: skuCode(sku), node: NODE, quantity: BACKORDERS }],
    };
    await withClient(this.#database, async (client) => {
      await this.#ask('POST', '/v1/receipts', receipt, 201);
      await allServed(client, sku);
    });
    return performance.now() - begun;
  }

  /** Milliseconds of each reservation of a random SKU that has stock. */
  #reserveFor(seconds: number): Promise<readonly number[]> {
    const send = async (): Promise<number> => {
      const begun = performance.now();
      await this.#ask('POST', '/v1/reservations', holdBody(1 + this.#random(STOCKED.skus)), 201);
      return performance.now() - begun;
    };
    return runOpenLoop({ perSecond: RESERVATIONS_PER_SECOND, seconds, send });
  }

  async #ask(method: 'POST' | 'PUT', path: string, body: unknown, expected: number): Promise<void> {
    const { statusCode, body: answer } = await this.#pool.request({
      method,
      path,
      headers: { authorization: `Bearer ${this.#app.key}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode !== expected) throw new WrongResultsError(`${method} ${path} was answered ${statusCode}: ${text}`);
  }

  /** Every order has the unit that it waited for. */
  verify(): Promise<void> {
    return verifyOrders(this.#database, {
      owner: OWNER,
      orders: this.#orders,
      stockedSkus: STOCKED.skus,
      unitsPerRow: STOCKED.unitsPerRow,
      onHand: UNITS + this.#receipts * BACKORDERS,
    });
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#desk.close();
  }
}

/** @throws WrongResultsError when orders still wait at the deadline. */
async function allServed(client: pg.Client, sku: number): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const { rows } = await client.query<{ committed: number }>(
      `SELECT coalesce(sum(committed - shortfall), 0)::float8 AS committed FROM stock WHERE sku_key = $1`,
      [sku],
    );
    const committed = rows[0]?.committed ?? 0;
    if (committed === BACKORDERS) return;
    if (performance.now() > end) throw new WrongResultsError(`${BACKORDERS - committed} backorders were not served`);
    await delay(POLL_MS);
  }
}

function report(keys: readonly Key[], { results }: ReceiptRun, { figures }: Bench): void {
  const turns = turnsFor(keys);
  const p99 = (turn: Turn) => results.pick(turn, ({ p99Ms }) => p99Ms);
  const served = (turn: Turn) => results.pick(turn, ({ servedMs }) => servedMs);
  if (turns.includes('alone')) figures.set('receipt.backorders_10k_ms', served('alone'));
  if (!turns.includes('beside')) return;
  figures.set('receipt.p99_during_vs_idle', ratios(p99('beside'), p99('idle')));
  figures.detail('receipt.idle_p99_ms', p99('idle'));
  figures.detail('receipt.during_p99_ms', p99('beside'));
  figures.detail('receipt.backorders_10k_beside_ms', served('beside'));
  figures.notes.set(
    'receipt.reservations_per_s',
    `${RESERVATIONS_PER_SECOND} of other SKUs, at a fixed rate over HTTP`,
  );
}

export const receipts: Benchmark = {
  estimate: (keys, { rounds, seconds }) => {
    const turns = turnsFor(keys);
    const each = turns.map((turn) => (receivesIn(turn) ? PROMISING_SECONDS : Math.max(2, seconds)));
    return SETUP_SECONDS + rounds * each.reduce((sum, one) => sum + one, 0);
  },
  async run(keys, bench) {
    const { servers, progress, rounds } = bench;
    const turns = turnsFor(keys);
    const skus = rounds * turns.filter(receivesIn).length;
    progress.step('orders: filling the stock, starting one replica', SETUP_SECONDS);
    const database = await createDatabase(servers.databaseUrl, 'receipts', servers.appUrl);
    await fillDatabase(database, { ...STOCKED, skusWithoutStock: skus });
    const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
    const app = await startApp(database, servers);
    const run = new ReceiptRun(bench, database, app);
    try {
      await run.allow(skus);
      for (const { round, contender: turn } of interleave(turns, rounds)) {
        const seconds = receivesIn(turn) ? PROMISING_SECONDS : Math.max(2, bench.seconds);
        progress.step(`orders, round ${round + 1} of ${rounds}: receipt, ${turn}`, seconds);
        await run.take(turn);
      }
      report(keys, run, bench);
      await relayed(database);
    } finally {
      await run.close();
      await app.stop();
      await stream.close();
    }
    await run.verify();
    await database.drop();
  },
};
