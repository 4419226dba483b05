/** The outbox in days: which of them its followers open, which are dropped, and that nothing is lost between them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import type pg from 'pg';
import { type Relay, startRelay } from '../relay/relay.ts';
import {
  append,
  type Bench,
  eventIds,
  eventually,
  factOf,
  openBench,
  PARTITIONS,
  readStream,
  SCHEMA,
  STREAM,
} from '../spec-support/messaging-bench.ts';
import { dropOutboxDays } from './drop-outbox-days.ts';
import { OutboxTail } from './outbox-tail.ts';

let bench: Bench;
let relays: Relay[];
beforeEach(async () => {
  relays = [];
  bench = await openBench({ createTestDatabase, openNats: createTestNatsAccount });
});
afterEach(async () => {
  await Promise.all(relays.map((one) => one.stop()));
  await bench.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `e${n}`);
const tell = (...ids: readonly string[]): Promise<void> => {
  const facts = ids.map((id) => factOf(id, id));
  return append(bench.pool, facts);
};

async function relay(pool = bench.openPool()): Promise<Relay> {
  const connection = await bench.connect();
  const started = startRelay({ pool, connection, schema: SCHEMA, stream: STREAM, partitionCount: PARTITIONS });
  relays.push(started);
  return started;
}

/** Waits until every partition is known to be complete and published up to the id, and has saved it. */
const settledAt = (id: number): Promise<unknown> =>
  eventually(
    async () => (await bench.pool.query<{ low: number }>(`SELECT low FROM ${SCHEMA}.relay_cursor`)).rows,
    (rows) => rows.length === PARTITIONS && rows.every(({ low }) => low >= id),
  );

async function published(...ids: string[]): Promise<void> {
  const running = await relay();
  await tell(...ids);
  await settledAt(ids.length);
  await running.stop();
}

/** Gives rows an older time of recording, in the partitions of their days. */
async function age(days: number, where = 'true'): Promise<void> {
  const older = `recorded_at - make_interval(days => ${days})`;
  await bench.pool.query(`UPDATE ${SCHEMA}.outbox SET recorded_at = ${older} WHERE ${where}`);
  await bench.pool.query(`SELECT ${SCHEMA}.make_partitions(14, 1000)`);
}

const dropDays = (): Promise<readonly string[]> => dropOutboxDays({ pool: bench.pool, schema: SCHEMA, days: 7 });

async function left(): Promise<string[]> {
  const { rows } = await bench.pool.query<{ event_id: string }>(`SELECT event_id FROM ${SCHEMA}.outbox ORDER BY id`);
  return rows.map((row) => row.event_id);
}

/** Tells a fact like another, by a clock that went back for a moment. */
const recordEarly = (like: string): Promise<unknown> =>
  bench.pool.query(
    `INSERT INTO ${SCHEMA}.outbox (partition, key, subject, event_id, type, source, time, data, recorded_at)
     SELECT partition, 'early', subject, 'early', type, source, time, data, recorded_at - interval '20 hours'
       FROM ${SCHEMA}.outbox WHERE event_id = $1`,
    [like],
  );

/** Names of the partitions that a statement's plan opens. */
async function opened(client: pg.PoolClient, { text, values }: pg.QueryConfig): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
  return new Set(JSON.stringify(rows).match(/outbox_(?:p\d{8}|default)(?=")/g) ?? []);
}

/** What is sent of a kind by whoever uses the client, from now on. */
function sent(client: pg.PoolClient, kind: RegExp): pg.QueryConfig[] {
  const statements: pg.QueryConfig[] = [];
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  Object.assign(client, {
    query: (...args: unknown[]) => {
      const [first, values] = args;
      const config =
        typeof first === 'string' ? { text: first, values: values as unknown[] } : (first as pg.QueryConfig);
      if (kind.test(config.text)) statements.push(config);
      return query(...args);
    },
  });
  return statements;
}

describe('days of the outbox', () => {
  it('go whole once they are over for their days, published and not before', async () => {
    await published('a', 'b', 'c');
    await tell('unpublished');
    await age(6, `event_id <> 'c'`);
    expect(await dropDays()).toEqual([]);
    await age(3, `event_id IN ('a', 'b')`);
    expect(await dropDays()).toEqual([expect.stringMatching(/^outbox_p\d{8}$/)]);
    expect(await left()).toEqual(['c', 'unpublished']);
    await age(3, `event_id = 'unpublished'`);
    expect(await dropDays()).toEqual([]);
  });

  it('are kept for a week at least, whoever asks', async () => {
    await expect(dropOutboxDays({ pool: bench.pool, schema: SCHEMA, days: 6 })).rejects.toThrow('at least 7 days');
    await expect(bench.pool.query(`SELECT ${SCHEMA}.drop_outbox_day(6)`)).rejects.toThrow('at least 7 days');
    await expect(bench.pool.query(`SELECT ${SCHEMA}.drop_outbox_day(NULL)`)).rejects.toThrow('at least 7 days');
  });

  it('stay while one relay partition is behind, but not those that all are through with', async () => {
    const ids = names(12);
    await published(...ids);
    await age(10, 'id > 6');
    await age(20, 'id <= 6');
    const behind = `partition = (SELECT partition FROM ${SCHEMA}.outbox WHERE id = 12)`;
    await bench.pool.query(`UPDATE ${SCHEMA}.relay_cursor SET low = 11 WHERE ${behind}`);
    expect(await dropDays()).toHaveLength(1);
    expect(await left()).toEqual(ids.slice(6));
    await bench.pool.query(`UPDATE ${SCHEMA}.relay_cursor SET low = 12 WHERE ${behind}`);
    expect(await dropDays()).toHaveLength(1);
    expect(await left()).toEqual([]);
  });

  it('stay while they hold facts of a partition that no relay knows', async () => {
    await published('a');
    await bench.pool.query(`UPDATE ${SCHEMA}.outbox SET partition = 77`);
    await age(10);
    expect(await dropDays()).toEqual([]);
  });

  it('wait for a long reader no longer than writers may wait behind them, and go when it has gone', async () => {
    await published('a');
    await age(10);
    const reader = await bench.pool.connect();
    await reader.query(`BEGIN; SELECT count(*) FROM ${SCHEMA}.outbox`);
    await expect(bench.pool.query(`SELECT ${SCHEMA}.drop_outbox_day(7)`)).rejects.toMatchObject({ code: '55P03' });
    const dropping = dropDays();
    await tell('meanwhile');
    await reader.query('COMMIT');
    reader.release();
    expect(await dropping).toHaveLength(1);
    expect(await left()).toEqual(['meanwhile']);
  });
});

describe('a relay', () => {
  it('publishes everything again, in order, when the stream is lost that several days had gone to', async () => {
    const running = await relay();
    const ids = names(40);
    await append(
      bench.pool,
      ids.map((id) => factOf(id, 'one key')),
    );
    await settledAt(ids.length);
    for (const [index, days] of [30, 20, 10].entries())
      await age(days, `id BETWEEN ${index * 10 + 1} AND ${index * 10 + 10}`);
    const connection = await bench.connect();
    const manager = await jetstream(connection).jetstreamManager(false);
    await manager.streams.delete(STREAM.name);
    const told = await eventually(
      async () => eventIds(await readStream(connection)),
      ({ length }) => length >= ids.length,
    );
    expect(told).toEqual(ids);
    await eventually(() => running.isReady(), Boolean);
  });

  it('publishes a row that was recorded twenty hours earlier than its id suggests', async () => {
    const running = await relay();
    await tell('before');
    await settledAt(1);
    await recordEarly('before');
    running.nudge();
    const connection = await bench.connect();
    await eventually(
      async () => eventIds(await readStream(connection)),
      (told) => told.includes('early'),
    );
  });

  it('opens the partitions of these days only, once it is through with what was before', async () => {
    const pool = bench.openPool();
    const client = await pool.connect();
    client.release();
    const statements = sent(client, /LEFT JOIN \(\s*SELECT e\.\*/);
    await tell('a');
    await relay(pool);
    await settledAt(1);
    const all = await opened(client, statements[0]!);
    expect(all.size).toBeGreaterThan(14);
    await tell('b');
    await settledAt(2);
    const some = await opened(client, statements.at(-1)!);
    expect([...some].sort()).toEqual([...all].sort().slice(0, some.size));
    expect(some.size).toBeLessThanOrEqual(4);
  });
});

describe('a tail', () => {
  it('opens the partitions of these days only, and tells a row of twenty hours earlier', async () => {
    const client = await bench.pool.connect();
    const statements = sent(client, /array_agg\(id::text\)/);
    const tail = new OutboxTail(client, SCHEMA);
    await eventually(
      () => tail.poll(),
      (told) => told !== null,
    );
    await tell('a');
    await eventually(
      () => tail.poll(),
      (told) => told?.keys.has('a') === true,
    );
    await tell('b');
    await tail.poll();
    await recordEarly('b');
    expect((await tail.poll())?.keys).toContain('early');
    const some = await opened(client, statements.at(-1)!);
    client.release();
    expect(some.size).toBeGreaterThan(0);
    expect(some.size).toBeLessThanOrEqual(5);
  });
});
