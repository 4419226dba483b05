/** An app that is installed late: it has the catalogue from snapshots and facts, whatever happens meanwhile. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  type Client,
  MemoryMirror,
  PostgresMirror,
  createClient,
  followSnapshots,
  mirrorTables,
  valueOf,
} from '@onepool/client';
import { AVAILABILITY, factStream } from '@onepool/contracts';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';

const SKUS = 1_500;
const CHANGES = 120;
const KINDS = ['skus', 'nodes', 'channels', 'thresholds'] as const;
type Kind = (typeof KINDS)[number];

let app: AppFixture;
let onepool: Client<typeof AVAILABILITY>;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;

beforeAll(async () => {
  [app, database] = await Promise.all([createAppFixture(), createTestDatabase()]);
  onepool = createClient(AVAILABILITY, { http: { url: app.origin }, apiKey: app.key });
  const schemas = [{ schema: 'late', parts: [mirrorTables] }];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas });
  const patience = { statementTimeoutMs: 60_000, lockTimeoutMs: 60_000, idleInTransactionTimeoutMs: 60_000 };
  pool = createPool({
    url: database.url,
    max: 4,
    schema: 'late',
    applicationName: 'late',
    connectTimeoutMs: 60_000,
    ...patience,
  });
  for (let from = 0; from < SKUS; from += 500) {
    const skus = Array.from({ length: 500 }, (_, n) => ({ sku: `sku-${from + n}`, title: `SKU ${from + n}` }));
    valueOf(await onepool.putSkus({ body: { skus } }));
  }
  valueOf(await onepool.putNodes({ body: { nodes: [{ node: 'paris', type: 'store' }] } }));
  valueOf(await onepool.putChannels({ body: { channels: [{ channel: 'web', type: 'web', nodes: 'all' }] } }));
});
afterAll(async () => {
  await onepool.close();
  await app.close();
  await pool.end();
  await database.drop();
});

const PAGES = {
  skus: 'snapshotSkus',
  nodes: 'snapshotNodes',
  channels: 'snapshotChannels',
  thresholds: 'snapshotThresholds',
} as const;
interface Page {
  readonly items: readonly { readonly key: string; readonly value: unknown }[];
  readonly nextCursor: string | null;
}

/** What the source itself says of a kind, page by page. */
async function sourceOf(kind: Kind): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let query: Record<string, string> = {}; ;) {
    const { items, nextCursor } = (await app.http(PAGES[kind], { query })).body as Page;
    for (const { key, value } of items) if (value !== null) found.set(key, value);
    if (nextCursor === null) return found;
    query = { cursor: nextCursor };
  }
}

/** Changes of every kind, made, undone and made again; `half` is called in the middle. */
async function change(half: () => Promise<void>): Promise<void> {
  for (let turn = 0; turn < CHANGES; turn += 1) {
    const sku = `sku-${(turn * 37) % SKUS}`;
    valueOf(await onepool.putSkus({ body: { skus: [{ sku, title: `Turn ${turn}` }, { sku: `new-${turn}` }] } }));
    valueOf(
      await onepool.putNodes({ body: { nodes: [{ node: `node-${turn % 7}`, type: 'store', name: `${turn}` }] } }),
    );
    const threshold = { scope: 'node', sku, quantity: turn % 3 } as const;
    valueOf(await onepool.putThresholds({ body: { thresholds: [threshold] } }));
    if (turn === CHANGES / 2) await half();
  }
}

it('a consumer that starts late has the whole catalogue, which changes meanwhile and whose stream is lost and filled again', async () => {
  const memory = new MemoryMirror(AVAILABILITY);
  const stored = new PostgresMirror(AVAILABILITY, { pool, schema: 'late', name: 'catalogue' });
  const anew: string[] = [];
  const follow = {
    client: onepool,
    connection: app.caller,
    module: 'catalog',
    lookIntervalMs: 200,
    pageItems: 100,
  } as const;
  const changing = change(async () => {
    const manager = await jetstreamManager(app.caller);
    await manager.streams.delete(factStream('catalog').name);
  });
  const hooks = { onAnew: (reason: string) => void anew.push(reason) };
  const mirrors = [
    followSnapshots(AVAILABILITY, { ...follow, durable: 'late-memory', into: memory, hooks }),
    followSnapshots(AVAILABILITY, { ...follow, durable: 'late-stored', into: stored }),
  ];
  await changing;
  await Promise.all(mirrors.map((mirror) => mirror.ready()));
  for (const kind of KINDS) {
    const source = await sourceOf(kind);
    const isEqual = (found: ReadonlyMap<string, unknown>): true | undefined =>
      isDeepStrictEqual(found, source) ? true : undefined;
    await eventually(() => isEqual(new Map(memory.entries(kind))));
    await eventually(async () => {
      const { rows } = await pool.query<{ key: string; value: unknown }>(
        `SELECT key, value FROM late.mirrored('catalogue', $1)`,
        [kind],
      );
      return isEqual(new Map(rows.map(({ key, value }) => [key, value])));
    });
    expect(source.size).toBeGreaterThan(0);
  }
  expect(anew).toContain('first_time');
  expect(anew.length).toBeGreaterThan(1);
  await Promise.all(mirrors.map((mirror) => mirror.stop()));
});
