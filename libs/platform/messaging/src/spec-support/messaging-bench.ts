/** What the integration specs share: a database with the messaging tables, NATS, and conditions to wait on. */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { commitPoint } from '@onepool/platform-failpoints';
import { createPool, inTransaction, partitionTables, runMigrations } from '@onepool/platform-postgres';
import pg from 'pg';
import type { FactEvent } from '../cloud-event.ts';
import { connectNats } from '../nats/connect-nats.ts';
import { messagingTables } from '../messaging-tables.ts';
import { appendToOutbox } from '../outbox/outbox-insert.ts';

export const SCHEMA = 'facts';
export const STREAM = { name: 'FACTS', subjects: ['onepool.stock.>'] };
export const PARTITIONS = 4;
const SUBJECT = 'onepool.stock.sku.changed.v1';

interface TestDatabase {
  readonly ownerUrl: string;
  drop(): Promise<void>;
}

interface TestNats {
  readonly url: string;
  stop(): Promise<void>;
}

/** The servers come from the specs, because only specs may import the testing library. */
export interface BenchServers {
  readonly createTestDatabase: () => Promise<TestDatabase>;
  /** An account on a shared server, or a server of the spec's own for what ends it. */
  readonly openNats: () => Promise<TestNats>;
}

export interface Bench {
  readonly database: TestDatabase;
  readonly pool: pg.Pool;
  connect(name?: string): Promise<NatsConnection>;
  openPool(): pg.Pool;
  close(): Promise<void>;
}

export async function openBench(servers: BenchServers): Promise<Bench> {
  const [database, nats] = await Promise.all([servers.createTestDatabase(), servers.openNats()]);
  const pools: pg.Pool[] = [];
  const connections: NatsConnection[] = [];
  const openPool = (): pg.Pool => {
    const pool = createPool({
      url: database.ownerUrl,
      max: 12,
      applicationName: 'messaging-spec',
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
      connectTimeoutMs: 5_000,
    });
    pools.push(pool);
    return pool;
  };
  const pool = openPool();
  await runMigrations({
    url: database.ownerUrl,
    schemas: [{ schema: SCHEMA, parts: [partitionTables, messagingTables] }],
  });
  return {
    database,
    pool,
    openPool,
    async connect(name = 'spec') {
      const connection = await connectNats({ url: nats.url, name });
      connections.push(connection);
      return connection;
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(pools.map((open) => open.end()));
      await Promise.all([nats.stop(), database.drop()]);
    },
  };
}

export function factOf(id: string, key: string, data: unknown = {}): FactEvent {
  return { id, key, data, type: SUBJECT, subject: SUBJECT, source: '/spec', time: '2026-03-01T10:00:00.000Z' };
}

export async function append(pool: pg.Pool, events: readonly FactEvent[]): Promise<void> {
  const commit = commitPoint('spec.append');
  await inTransaction(pool, commit, (client) =>
    appendToOutbox(client, { schema: SCHEMA, partitionCount: PARTITIONS }, events),
  );
}

/** Every message of the stream, from the first. */
export async function readStream(connection: NatsConnection): Promise<JsMsg[]> {
  const manager = await jetstream(connection).jetstreamManager(false);
  const { state } = await manager.streams.info(STREAM.name);
  const messages: JsMsg[] = [];
  if (state.messages === 0) return messages;
  const consumer = await jetstream(connection).consumers.get(STREAM.name);
  for await (const message of await consumer.consume()) {
    messages.push(message);
    if (message.info.pending === 0) break;
  }
  return messages;
}

export const eventIds = (messages: readonly JsMsg[]): string[] =>
  messages.map((message) => message.headers?.get('ce-id') ?? '');

/** Waits until the condition holds, and says what it last saw if it never does. Errors count as "not yet". */
export async function eventually<T>(
  read: () => Promise<T> | T,
  holds: (value: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await read();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await delay(20);
  }
  throw new Error(`The condition did not come to hold; last seen: ${String(JSON.stringify(last) ?? last)}`, {
    cause: last,
  });
}
