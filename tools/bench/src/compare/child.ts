/**
 * One side of a comparison: servers, migrations, engine and app of the tree that this file was built in. Each side has a
 * PostgreSQL of its own, so that what vacuum and checkpoints of one side use is not counted as the other's.
 *
 * A revision from before this file existed is given the first one that ever was, which speaks to the code of that time.
 */
import { join } from 'node:path';
import { CONNECTIONS, generate } from '../http/generate.ts';
import type { Route } from '../http/requests.ts';
import { verifyHttp } from '../benchmarks/http.ts';
import { EngineContender } from '../contenders/engine.ts';
import type { Line } from '../contenders/contender.ts';
import { FactsStream } from '../events/facts-stream.ts';
import { runClosedLoop } from '../measuring/closed-loop.ts';
import { cpuOf, cpuOfFamily } from '../measuring/cpu.ts';
import { seeded } from '../measuring/seeded.ts';
import { startApp } from '../setting/app-process.ts';
import type { App } from '../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { startServers } from '../setting/servers.ts';
import type { Servers } from '../setting/servers.ts';
import { verify } from '../setting/verify.ts';
import type { EngineLoad, Reply, Request, TurnFigures, Workload } from './protocol.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const UNITS = FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow;
const HOT_SKU = 1;
const LINES_PER_CART = 3;
const CALLERS: Readonly<Record<EngineLoad, number>> = { hot: 64, uniform: 64, carts: 64, alone: 1 };

interface Measured {
  readonly operations: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** What a group needs and does. */
interface Ground {
  readonly database: BenchDatabase;
  /** The process whose CPU time is the app's. */
  readonly pid: number;
  run(name: string, seconds: number, seed: number): Promise<Measured>;
  verify(): Promise<void>;
  close(): Promise<void>;
}

function demand(load: EngineLoad, seed: number): () => readonly Line[] {
  const random = seeded(seed);
  const anySku = (): number => HOT_SKU + 1 + random(FILLING.skus - 1);
  if (load === 'hot') return () => [{ sku: HOT_SKU, quantity: 1 }];
  if (load !== 'carts') return () => [{ sku: anySku(), quantity: 1 }];
  return () => {
    const skus = new Set<number>();
    while (skus.size < LINES_PER_CART) skus.add(anySku());
    return [...skus].map((sku) => ({ sku, quantity: 1 }));
  };
}

async function engineGround(database: BenchDatabase): Promise<Ground> {
  const engine = new EngineContender({ ...database });
  return {
    database,
    pid: process.pid,
    run: async (name, seconds, seed) => {
      const load = name as EngineLoad;
      const lines = demand(load, seed);
      const before = engine.tally.reservations;
      const call = (): Promise<void> => engine.reserve(lines());
      const { perSecond, p99Ms } = await runClosedLoop({ callers: CALLERS[load], seconds, call });
      return { operations: engine.tally.reservations - before, perSecond, p99Ms };
    },
    verify: () => verify(database, [engine], UNITS),
    close: () => engine.close(),
  };
}

async function httpGround(database: BenchDatabase, servers: Servers): Promise<Ground> {
  const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
  const app: App = await startApp(database, servers);
  let held = 0;
  let turns = 0;
  return {
    database,
    pid: app.pid,
    run: async (name, seconds) => {
      const route = name as Route;
      const target = { url: app.url, key: app.key, skus: FILLING.skus };
      const { answered, perSecond, p99Ms } = await generate(route, target, Math.max(1, Math.round(seconds)));
      if (route === 'reserve') {
        held += answered;
        turns += 1;
      }
      return { operations: answered, perSecond, p99Ms };
    },
    verify: () => verifyHttp(database, app.principal, held, turns * CONNECTIONS, FILLING),
    close: async () => {
      await app.stop();
      await stream.close();
    },
  };
}

class Side {
  readonly #servers: Servers;
  readonly #grounds = new Map<string, Ground>();

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  async answer(request: Request): Promise<TurnFigures | undefined> {
    switch (request.ask) {
      case 'prepare':
        for (const group of request.groups) await this.#prepare(group);
        return undefined;
      case 'turn':
        return this.#turn(request.workload, request.seconds, request.seed);
      case 'finish':
        return this.#finish();
    }
  }

  async #prepare(group: string): Promise<void> {
    const database = await createDatabase(this.#servers.databaseUrl, `compare_${group}`, this.#servers.appUrl);
    await fillDatabase(database, FILLING);
    const ground = group === 'http' ? httpGround(database, this.#servers) : engineGround(database);
    this.#grounds.set(group, await ground);
  }

  async #turn(workload: Workload, seconds: number, seed: number): Promise<TurnFigures> {
    const [group = '', name = ''] = workload.split('.');
    const ground = this.#grounds.get(group);
    if (ground === undefined) throw new Error(`${group} has not been prepared`);
    await checkpoint(ground.database);
    const cpu = () => ({ app: cpuOf(ground.pid), postgres: cpuOfFamily(this.#servers.postmaster) });
    const before = cpu();
    const { operations, perSecond, p99Ms } = await ground.run(name, seconds, seed);
    const after = cpu();
    const used = (who: 'app' | 'postgres'): number => ((after[who] ?? NaN) - (before[who] ?? NaN)) / operations;
    return { operations, perSecond, p99Ms, appMicroseconds: used('app'), postgresMicroseconds: used('postgres') };
  }

  async #finish(): Promise<undefined> {
    for (const ground of this.#grounds.values()) {
      await ground.close();
      await ground.verify();
    }
  }
}

const [home = join(process.cwd(), '.onepool')] = process.argv.slice(2);
const servers = await startServers({ base: home, databaseUrl: undefined, natsUrl: undefined });
const side = new Side(servers);
const reply = (message: Reply): void => void process.send?.(message);
const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

process.on('message', (request: Request) => {
  side.answer(request).then(
    (figures) => reply({ ok: true, ...(figures === undefined ? {} : { figures }) }),
    (error: unknown) => reply({ ok: false, error: textOf(error) }),
  );
});
// The other end of the channel is the comparison: without it nobody asks and nobody would stop the servers.
process.once('disconnect', () => void servers.stop().finally(() => process.exit(0)));
reply({ ok: true });
