import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { AVAILABILITY, STOCK, STOCK_STREAM, PROMISE_BROKEN, SKU_CHANGED, STOCK_FACTS } from '@onepool/contracts';
import {
  type RunningConsumer,
  connectNats,
  ensureStream,
  messagingTables,
  toMessageHeaders,
} from '@onepool/platform-messaging';
import { createPool, partitionTables, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import { type Gap, consumeFacts } from './consume-facts.ts';

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let connection: NatsConnection;
const running: RunningConsumer[] = [];

beforeEach(async () => {
  nats = await createTestNatsAccount();
  connection = await connectNats({ url: nats.url, name: 'spec' });
  const manager = await jetstream(connection).jetstreamManager(false);
  await ensureStream(manager, STOCK_STREAM);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((consumer) => consumer.stop()));
  await connection.close();
  await nats.stop();
});

async function tell(subject: string, id: string, key: string, data: object): Promise<void> {
  const event = { id, key, type: subject, subject, source: '/spec', time: '2026-03-01T10:00:00.000Z' };
  await jetstream(connection).publish(subject, JSON.stringify(data), { headers: toMessageHeaders(event) });
}
const skuChanged = (sku: string, fromVersion: number, toVersion: number) =>
  tell(SKU_CHANGED, `sku/${sku}@${toVersion}`, `sku/${sku}`, {
    sku,
    fromVersion,
    toVersion,
    rows: [],
    since: 'the next release',
  });

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}
const durableOf = async (name: string) =>
  (await jetstream(connection).jetstreamManager(false)).consumers.info(STOCK_STREAM.name, name);

describe('a consumer of facts', () => {
  it('gives each fact to the handler of its name, and passes over the others', async () => {
    const told: string[] = [];
    const consumer = consumeFacts(AVAILABILITY, {
      connection,
      durable: 'reports',
      concurrency: 1,
      on: {
        skuChanged: async ({ data, key }) => void told.push(`${key} is at ${data.toVersion}`),
        reservation_confirmed: async ({ data }) => void told.push(`${data.reservation} is confirmed`),
      },
    });
    running.push(consumer);
    await skuChanged('mug', 0, 1);
    await tell(PROMISE_BROKEN, 'p-1', 'sku/mug', { sku: 'mug' });
    await tell('onepool.stock.reservation.confirmed.v1', 'r-1', 'reservation/prn_1/r-1', { reservation: 'r-1' });
    await until(() => told.length === 2);
    expect(told).toEqual(['sku/mug is at 1', 'r-1 is confirmed']);
    await until(async () => (await durableOf('reports')).num_ack_pending === 0);
    expect((await durableOf('reports')).config.filter_subject).toBe('onepool.stock.*.*.v1');
  });

  it('tells which versions of a key never came', async () => {
    const gaps: Gap[] = [];
    const on = { skuChanged: () => Promise.resolve() };
    running.push(consumeFacts(AVAILABILITY, { connection, durable: 'gaps', on, onGap: (gap) => gaps.push(gap) }));
    await skuChanged('mug', 0, 1);
    await skuChanged('cup', 4, 5);
    await skuChanged('mug', 3, 4);
    await skuChanged('cup', 5, 6);
    await until(() => gaps.length > 0);
    expect(gaps).toEqual([{ key: 'sku/mug', missingFrom: 1, missingTo: 3 }]);
  });

  it('takes each fact into effect once where it has an inbox, however often it is told', async () => {
    const database = await createTestDatabase();
    const pool = createPool({
      url: database.ownerUrl,
      max: 4,
      applicationName: 'spec',
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
      connectTimeoutMs: 5_000,
    });
    await runMigrations({
      url: database.ownerUrl,
      schemas: [{ schema: 'reports', parts: [partitionTables, messagingTables] }],
    });
    await pool.query('CREATE TABLE reports.effect (sku text, version int)');
    let handled = 0;
    const consumer = consumeFacts(AVAILABILITY, {
      connection,
      durable: 'reports',
      inbox: { pool, schema: 'reports' },
      on: {
        skuChanged: async ({ data }, client) =>
          void (await client.query('INSERT INTO reports.effect VALUES ($1, $2)', [data.sku, data.toVersion])),
      },
      hooks: { onHandled: () => void (handled += 1) },
    });
    for (const version of [1, 2, 1]) await skuChanged('mug', version - 1, version);
    await until(() => handled === 3);
    await consumer.stop();
    const { rows } = await pool.query('SELECT version FROM reports.effect ORDER BY version');
    expect(rows).toEqual([{ version: 1 }, { version: 2 }]);
    await pool.end();
    await database.drop();
  });

  it('reads one stream, and facts that there are', () => {
    const others = { ...STOCK, scope: 'others', facts: [{ ...STOCK_FACTS[1], id: 'other' }] } as const;
    const contract = { ...AVAILABILITY, modules: [STOCK, others] } as const;
    const on = { skuChanged: () => Promise.resolve(), other: () => Promise.resolve() };
    const consuming = (of: typeof contract | typeof AVAILABILITY, handlers: object) => () =>
      consumeFacts(of, { connection, durable: 'none', on: handlers });
    expect(consuming(contract, on)).toThrow('Facts of ONEPOOL_STOCK and ONEPOOL_OTHERS need a consumer each');
    expect(consuming(AVAILABILITY, on)).toThrow('tells no fact other');
    expect(consuming(AVAILABILITY, {})).toThrow('without handlers');
  });
});
