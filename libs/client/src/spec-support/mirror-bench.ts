/** A source of shelves, and mirrors of it that can be started, stopped and killed. */
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '@onepool/platform-messaging';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import type pg from 'pg';
import {
  type AnewReason,
  type FollowOptions,
  type FollowedMirror,
  type KindsOf,
  MemoryMirror,
  type MirrorChange,
  type MirrorStore,
  PostgresMirror,
  createClient,
  followSnapshots,
  mirrorTables,
} from '../index.ts';
import { SHELVES, type ShelvesApp, openShelvesApp } from './shelves-app.ts';
import { ShelfSource } from './shelf-source.ts';

export type Shelves = KindsOf<typeof SHELVES>;
export type StoreName = 'memory' | 'postgres';
type Options = FollowOptions<typeof SHELVES>;
const SCHEMA = 'reports';

/** The servers come from the specs, because only specs may import the testing library. */
export interface MirrorServers {
  /** The owner's address, and that of the role which an app works as. */
  readonly database: { readonly ownerUrl: string; readonly url: string };
  readonly nats: { readonly url: string };
}

export interface RunningMirror {
  readonly mirror: FollowedMirror;
  readonly store: MirrorStore<Shelves>;
  readonly changes: MirrorChange<Shelves>[];
  readonly anew: AnewReason[];
  readonly errors: unknown[];
  /** What is read, by kind and code. */
  read(): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
  /** As `kill -9`: nothing that it holds is given back, and nothing more comes of it. */
  kill(): Promise<void>;
}

export class MirrorBench {
  readonly source: ShelfSource;
  readonly #servers: MirrorServers;
  readonly #app: ShelvesApp;
  readonly #pool: pg.Pool;
  readonly #client: ReturnType<typeof openClient>;
  readonly #running = new Set<RunningMirror>();
  /** Mirrors that were killed, and may still be held up somewhere. */
  readonly #killed: Promise<void>[] = [];
  #count = 0;

  private constructor(servers: MirrorServers, source: ShelfSource, app: ShelvesApp) {
    this.#servers = servers;
    this.source = source;
    this.#app = app;
    this.#client = openClient(app);
    this.#pool = this.#openPool('reader');
  }

  static async open(servers: MirrorServers): Promise<MirrorBench> {
    const source = await ShelfSource.open(servers.database.ownerUrl, servers.nats.url);
    const schemas = [{ schema: SCHEMA, parts: [mirrorTables] }];
    await runMigrations({ url: servers.database.ownerUrl, runtimeUrl: servers.database.url, schemas });
    return new MirrorBench(servers, source, await openShelvesApp(servers.nats.url, source.read));
  }

  /** Mirrors in PostgreSQL of one name are replicas; one in memory is alone. */
  async start(kind: StoreName, options: Partial<Options> & { readonly name?: string } = {}): Promise<RunningMirror> {
    const { name = 'shelves', ...more } = options;
    const session = `mirror-${(this.#count += 1)}`;
    const connection = await connectNats({ url: this.#servers.nats.url, name: session });
    const changes: MirrorChange<Shelves>[] = [];
    const anew: AnewReason[] = [];
    const errors: unknown[] = [];
    const onChanged = (told: readonly MirrorChange<Shelves>[]) => void changes.push(...told);
    const pool = kind === 'postgres' ? this.#openPool(session) : undefined;
    const store =
      pool === undefined
        ? new MemoryMirror(SHELVES, { onChanged })
        : new PostgresMirror(SHELVES, { pool, schema: SCHEMA, name, onChanged: async (told) => onChanged(told) });
    const mirror = followSnapshots(SHELVES, {
      client: this.#client,
      connection,
      module: 'shelves',
      durable: name,
      into: store,
      pageItems: 3,
      lookIntervalMs: 100,
      hooks: { onAnew: (reason) => void anew.push(reason), onError: (error) => void errors.push(error) },
      ...more,
    });
    const started: RunningMirror = {
      mirror,
      store,
      changes,
      anew,
      errors,
      read: async () => (store instanceof MemoryMirror ? readMemory(store) : this.#readRows(name)),
      stop: async () => {
        this.#running.delete(started);
        await mirror.stop();
        await this.#end(connection, pool, session);
      },
      kill: async () => {
        this.#running.delete(started);
        this.#killed.push(mirror.stop());
        await this.#end(connection, pool, session);
      },
    };
    this.#running.add(started);
    return started;
  }

  /** Whoever is held up has to be let go before. */
  async close(): Promise<void> {
    for (const running of this.#running) await running.kill();
    await Promise.all(this.#killed);
    await this.#client.close();
    await this.#app.close();
    await this.source.close();
    await this.#pool.end();
  }

  /** Sessions that hang are ended by the server; what they had begun is rolled back. */
  async #end(connection: NatsConnection, pool: pg.Pool | undefined, session: string): Promise<void> {
    await connection.close();
    if (pool === undefined) return;
    void pool.end();
    const terminate = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1';
    await this.#pool.query(terminate, [session]);
  }

  async #readRows(name: string): Promise<Record<string, unknown>> {
    const text = `
      SELECT 'shelves/' || key AS name, value FROM ${SCHEMA}.mirrored($1, 'shelves')
       UNION ALL SELECT 'aisles/' || key, value FROM ${SCHEMA}.mirrored($1, 'aisles') ORDER BY 1`;
    const { rows } = await this.#pool.query<{ name: string; value: unknown }>(text, [name]);
    return Object.fromEntries(rows.map(({ name: of, value }) => [of, value]));
  }

  #openPool(applicationName: string): pg.Pool {
    return createPool({
      url: this.#servers.database.url,
      max: 6,
      applicationName,
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
      connectTimeoutMs: 5_000,
    });
  }
}

const openClient = (app: ShelvesApp) =>
  createClient(SHELVES, { http: { url: app.url }, apiKey: app.key, retry: { pauseMs: 5, pauseMsMax: 50 } });

function readMemory(store: MemoryMirror<typeof SHELVES>): Record<string, unknown> {
  const kinds = ['aisles', 'shelves'] as const;
  const named = kinds.flatMap((kind) =>
    [...store.entries(kind)].map(([key, value]) => [`${kind}/${key}`, value] as const),
  );
  return Object.fromEntries(named.sort(([one], [other]) => (one < other ? -1 : 1)));
}
