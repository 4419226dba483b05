/**
 * `reject.p99_ms`: a node says that units it works on are not there, 100 times a second over HTTP, sent when due whether or not
 * earlier ones were answered. One replica, its relay at work; the units stay promised and stand at no node from then on.
 */
import type { RejectRequest, Reservation } from '@onepool/contracts';
import { Pool } from 'undici';
import { FactsStream } from '../events/facts-stream.ts';
import { cpuOf, cpuOfFamily, perRequest } from '../measuring/cpu.ts';
import { runOpenLoop } from '../measuring/open-loop.ts';
import { Results } from '../measuring/rounds.ts';
import { seeded } from '../measuring/seeded.ts';
import { medianOfAll, percentile } from '../measuring/statistics.ts';
import { OrderDesk, fulfilmentOf } from '../orders/order-desk.ts';
import type { Order } from '../orders/order-desk.ts';
import { verifyOrders } from '../orders/verify-orders.ts';
import { startApp } from '../setting/app-process.ts';
import type { App } from '../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 1_000 };
const UNITS = FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow;
const PER_SECOND = 100;
const CONNECTIONS = 64;
const WARM_SECONDS = 1;
const SETUP_SECONDS = 25;

interface Rejection {
  readonly order: Order;
  readonly milliseconds: number;
}

interface TurnResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly client: number | null;
  readonly postgres: number | null;
  readonly app: number | null;
}

class RejectRun {
  readonly results = new Results<'reject', TurnResult>();
  readonly #bench: Bench;
  readonly #app: App;
  readonly #pool: Pool;
  readonly #orders: readonly Order[];
  readonly #after: Order[] = [];
  #sent = 0;

  constructor(bench: Bench, app: App, orders: readonly Order[]) {
    this.#bench = bench;
    this.#app = app;
    this.#orders = orders;
    this.#pool = new Pool(app.url, { connections: CONNECTIONS });
  }

  async warm(): Promise<void> {
    await this.#rejectFor(WARM_SECONDS);
  }

  async take(): Promise<void> {
    const { postmaster } = this.#bench.servers;
    const before = { client: cpuOf(process.pid), postgres: cpuOfFamily(postmaster), app: cpuOf(this.#app.pid) };
    const begun = performance.now();
    const milliseconds = await this.#rejectFor(this.#bench.seconds);
    const requests = milliseconds.length;
    this.results.add('reject', {
      p50Ms: percentile(milliseconds, 0.5),
      p99Ms: percentile(milliseconds, 0.99),
      perSecond: (requests * 1_000) / (performance.now() - begun),
      client: perRequest(before.client, cpuOf(process.pid), requests),
      postgres: perRequest(before.postgres, cpuOfFamily(postmaster), requests),
      app: perRequest(before.app, cpuOf(this.#app.pid), requests),
    });
  }

  async #rejectFor(seconds: number): Promise<readonly number[]> {
    const done = await runOpenLoop({ perSecond: PER_SECOND, seconds, send: () => this.#reject() });
    this.#after.push(...done.map(({ order }) => order));
    return done.map(({ milliseconds }) => milliseconds);
  }

  async #reject(): Promise<Rejection> {
    const order = this.#orders[this.#sent++];
    if (order === undefined) throw new Error('more rejections than orders');
    const asked: RejectRequest = {
      commandId: `reject-${order.id}`,
      fulfilment: fulfilmentOf(order),
      quantity: 1,
      effect: 'quantity',
    };
    const begun = performance.now();
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: `/v1/reservations/${order.id}/reject`,
      headers: { authorization: `Bearer ${this.#app.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    const text = await body.text();
    const milliseconds = performance.now() - begun;
    if (statusCode !== 200) throw new WrongResultsError(`a rejection was answered ${statusCode}: ${text}`);
    const { version } = JSON.parse(text) as Reservation;
    return { order: { id: order.id, version, node: null }, milliseconds };
  }

  /** Every order: those whose unit was rejected stand at no node, the others where they stood. */
  verify(database: BenchDatabase): Promise<void> {
    return verifyOrders(database, {
      owner: this.#app.principal,
      orders: [...this.#after, ...this.#orders.slice(this.#sent)],
      stockedSkus: FILLING.skus,
      unitsPerRow: FILLING.unitsPerRow,
      onHand: UNITS - this.#sent,
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** As many as will be rejected, of random SKUs, each given to its node. */
async function submitOrders(database: BenchDatabase, owner: string, bench: Bench): Promise<readonly Order[]> {
  const desk = new OrderDesk({ ...database, owner, queues: bench.queues });
  const random = seeded(29);
  const count = Math.ceil(PER_SECOND * (WARM_SECONDS + bench.rounds * bench.seconds) + bench.rounds);
  try {
    const promised = await desk.promise(Array.from({ length: count }, () => 1 + random(FILLING.skus)));
    return await desk.submit(promised);
  } finally {
    await desk.close();
  }
}

function report({ results }: RejectRun, { figures }: Bench): void {
  const pick = <K extends keyof TurnResult>(member: K): readonly TurnResult[K][] =>
    results.pick('reject', (result) => result[member]);
  figures.set('reject.p99_ms', pick('p99Ms'));
  figures.detail('reject.p50_ms', pick('p50Ms'));
  figures.detail('reject.answered_per_s', pick('perSecond'));
  figures.cpu.push({
    what: 'reject',
    client: medianOfAll(pick('client')),
    postgres: medianOfAll(pick('postgres')),
    app: medianOfAll(pick('app')),
  });
}

export const rejections: Benchmark = {
  estimate: (_keys, { rounds, seconds }) => SETUP_SECONDS + WARM_SECONDS + rounds * seconds,
  async run(_keys, bench) {
    const { servers, progress, rounds, seconds } = bench;
    progress.step('orders: starting one replica, giving orders to nodes', SETUP_SECONDS);
    const database = await createDatabase(servers.databaseUrl, 'reject', servers.appUrl);
    await fillDatabase(database, FILLING);
    const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
    const app = await startApp(database, servers);
    const run = new RejectRun(bench, app, await submitOrders(database, app.principal, bench));
    try {
      await run.warm();
      for (let round = 0; round < rounds; round += 1) {
        progress.step(`orders, round ${round + 1} of ${rounds}: reject`, seconds);
        await checkpoint(database);
        await run.take();
      }
      report(run, bench);
    } finally {
      await run.close();
      await app.stop();
      await stream.close();
    }
    await run.verify(database);
    await database.drop();
  },
};
