import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { createTestDatabase, createTestNatsAccount, startTestNats, type TestNats } from '@onepool/testing-servers';
import { installFailpoints } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { toMessageHeaders } from '../cloud-event.ts';
import { appendToOutbox, outboxInsert, outboxParameters } from '../outbox/outbox-insert.ts';
import {
  append,
  type Bench,
  type BenchServers,
  eventIds,
  eventually,
  factOf,
  openBench,
  PARTITIONS,
  readStream,
  SCHEMA,
  STREAM,
} from '../spec-support/messaging-bench.ts';
import type { RelayHooks, RelayOptions } from './relay-options.ts';
import { startRelay, type Relay } from './relay.ts';

let bench: Bench;
const relays: Relay[] = [];
const target = { schema: SCHEMA, partitionCount: PARTITIONS };
const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

async function relay(hooks: RelayHooks = {}, options: Partial<RelayOptions> = {}): Promise<Relay> {
  const started = startRelay({
    pool: bench.openPool(),
    connection: await bench.connect(),
    schema: SCHEMA,
    stream: STREAM,
    partitionCount: PARTITIONS,
    leaseMs: 1_500,
    publishTimeoutMs: 700,
    hooks,
    ...options,
  });
  relays.push(started);
  return started;
}

async function streamHolds(ids: readonly string[]): Promise<string[]> {
  const connection = await bench.connect();
  return eventually(
    async () => eventIds(await readStream(connection)),
    (seen) => ids.every((id) => seen.includes(id)),
  );
}

const lows = async (): Promise<number[]> =>
  (await bench.pool.query<{ low: number }>(`SELECT low FROM ${SCHEMA}.relay_cursor ORDER BY partition`)).rows.map(
    (row) => row.low,
  );

/** Waits until every partition is known to be complete and published up to the id, and has saved it. */
const settledAt = (id: number): Promise<number[]> =>
  eventually(lows, (all) => all.length === PARTITIONS && all.every((low) => low === id));

async function begin(): Promise<pg.PoolClient> {
  const client = await bench.pool.connect();
  await client.query('BEGIN');
  return client;
}

async function end(client: pg.PoolClient, how: 'COMMIT' | 'ROLLBACK' = 'COMMIT'): Promise<void> {
  await client.query(how);
  client.release();
}

async function open(openNats: BenchServers['openNats'] = createTestNatsAccount): Promise<void> {
  bench = await openBench({ createTestDatabase, openNats });
}

afterEach(async () => {
  await Promise.all(relays.splice(0).map((running) => running.stop()));
  await bench.close();
});

describe('relay', () => {
  beforeEach(() => open());

  it('publishes CloudEvents in the order of each key, once, and becomes ready', async () => {
    const running = await relay();
    const events = names('e', 40).map((id, index) => factOf(id, `sku-${index % 5}`, { n: index, big: '12.50' }));
    await append(bench.pool, events);
    running.nudge();
    await streamHolds(events.map((event) => event.id));
    const messages = await readStream(await bench.connect());
    expect(messages).toHaveLength(40);
    for (let sku = 0; sku < 5; sku += 1) {
      const mine = eventIds(messages.filter((message) => message.headers?.get('ce-partitionkey') === `sku-${sku}`));
      expect(mine).toEqual(events.filter((event) => event.key === `sku-${sku}`).map((event) => event.id));
    }
    expect(messages[0]?.headers?.get('ce-specversion')).toBe('1.0');
    expect(messages[0]?.headers?.get('Nats-Msg-Id')).toBe(eventIds(messages)[0]);
    expect(running.isReady()).toBe(true);
  });

  const epochs = async (): Promise<(string | undefined)[]> =>
    (await readStream(await bench.connect())).map((message) => message.headers?.get('ce-streamepoch'));

  it('tells with each fact the epoch of its stream, and begins another before it fills a lost one again', async () => {
    const { look } = await relayOnDemand({});
    await append(bench.pool, [factOf('first', 'sku'), factOf('second', 'sku')]);
    await streamHolds(['first', 'second']);
    await look();
    expect(new Set(await epochs())).toEqual(new Set(['1']));
    await (await jetstream(await bench.connect()).jetstreamManager(false)).streams.delete(STREAM.name);
    await look();
    await streamHolds(['first', 'second']);
    expect(new Set(await epochs())).toEqual(new Set(['2']));
  });

  it('goes back only once the new epoch is committed, so that a crash in between hides no loss', async () => {
    const { running, look } = await relayOnDemand({});
    await append(bench.pool, [factOf('first', 'sku')]);
    await streamHolds(['first']);
    await look();
    const rewinds: string[] = [];
    let failures = 0;
    installFailpoints({
      isPlanted: () => false,
      pass(name) {
        if (name !== 'messaging.relay_epoch.before_commit') return undefined;
        failures += 1;
        return Promise.reject(new Error('killed'));
      },
    });
    await (await jetstream(await bench.connect()).jetstreamManager(false)).streams.delete(STREAM.name);
    void look().catch(() => undefined);
    await eventually(
      () => failures,
      (count) => count > 0,
    );
    await running.stop();
    installFailpoints(null);
    await relay({ onRewind: (rewind) => rewinds.push(rewind.reason) });
    await streamHolds(['first']);
    expect(new Set(await epochs())).toEqual(new Set(['2']));
    expect(new Set(rewinds)).toEqual(new Set(['stream_recreated']));
  });

  it('neither waits for nor skips a transaction that commits late', async () => {
    await relay();
    const late = await begin();
    await appendToOutbox(late, target, [factOf('late', 'sku-late')]);
    await append(
      bench.pool,
      names('early', 20).map((id) => factOf(id, id)),
    );
    await streamHolds(names('early', 20));
    await append(bench.pool, [factOf('after', 'sku-after')]);
    expect(await streamHolds(['after'])).not.toContain('late');
    await end(late);
    await streamHolds(['late']);
    await settledAt(22);
  });

  it('passes ids of transactions that rolled back', async () => {
    await relay();
    const doomed = await begin();
    await appendToOutbox(doomed, target, [factOf('doomed', 'sku')]);
    await append(bench.pool, [factOf('kept', 'sku')]);
    await end(doomed, 'ROLLBACK');
    expect(await streamHolds(['kept'])).toEqual(['kept']);
    await settledAt(2);
  });

  it('loses nothing with two relays, delayed commits and a takeover, and keeps the order of each key', async () => {
    const [first] = [await relay(), await relay()];
    const writers = names('w', 6).map(async (writer, index) => {
      for (let n = 0; n < 15; n += 1) {
        const client = await begin();
        await appendToOutbox(client, target, [factOf(`${writer}-${n}`, writer)]);
        // Some transactions stay open while others overtake them.
        for (let hold = 0; hold < (index * n) % 7; hold += 1) await client.query('SELECT pg_sleep(0.005)');
        await end(client);
      }
    });
    await first?.stop();
    await Promise.all(writers);
    const all = names('w', 6).flatMap((writer) => names(`${writer}-`, 15));
    const seen = await streamHolds(all);
    for (const writer of names('w', 6)) {
      const mine = seen.filter((id) => id.startsWith(`${writer}-`));
      expect([...new Set(mine)]).toEqual(names(`${writer}-`, 15));
    }
  });

  it('has one owner of each partition, and a deposed one changes nothing', async () => {
    const [one, two] = [await relay(), await relay()];
    await eventually(
      () => [...one.ownedPartitions(), ...two.ownedPartitions()].length,
      (count) => count === PARTITIONS,
    );
    const owner = one.ownedPartitions().length > 0 ? one : two;
    // Another owner with a newer epoch, as after a takeover from a relay that had been suspended.
    await bench.pool.query(
      `UPDATE ${SCHEMA}.relay_cursor SET owner = 'usurper', epoch = epoch + 1, lease_until = 'infinity', low = 7`,
    );
    await eventually(
      () => owner.ownedPartitions().length,
      (count) => count === 0,
    );
    await append(bench.pool, [factOf('unseen', 'sku')]);
    await eventually(
      () => two.ownedPartitions().length + one.ownedPartitions().length,
      (count) => count === 0,
    );
    expect(await lows()).toEqual(new Array(PARTITIONS).fill(7));
  });

  /** Takes messages out of the stream as nobody may: the server refuses purges, but not narrower limits. */
  async function lose(keep: number): Promise<void> {
    const manager = await jetstream(await bench.connect()).jetstreamManager(false);
    await manager.streams.update(STREAM.name, { max_msgs: keep });
    await manager.streams.update(STREAM.name, { max_msgs: -1 });
  }

  /** A relay that looks at the stream when it is told to, and never between the two halves of a loss. */
  async function relayOnDemand(hooks: RelayHooks): Promise<{ running: Relay; look(): Promise<void> }> {
    const connection = await bench.connect();
    const running = await relay(hooks, { connection, verifyIntervalMs: 3_600_000 });
    let looks = 0;
    const look = async (): Promise<void> => {
      // It looks after a reconnect, and before it publishes anything more.
      await connection.reconnect();
      const id = `look${looks++}`;
      await append(bench.pool, [factOf(id, 'look')]);
      await streamHolds([id]);
    };
    return { running, look };
  }

  it.each([
    ['all', 0],
    ['most', 2],
  ])(
    'publishes again, in order, when %s of the stream is gone though its last sequence is as it was',
    async (_, keep) => {
      const rewinds: string[] = [];
      const { running, look } = await relayOnDemand({ onRewind: (rewind) => rewinds.push(rewind.reason) });
      const events = names('e', 30).map((id, index) => factOf(id, `sku-${index % 3}`));
      await append(bench.pool, events);
      await streamHolds(names('e', 30));
      await look();
      // A stream cannot be bounded to nothing, so one more message takes the place of those that are to go.
      const connection = await bench.connect();
      if (keep === 0) await connection.request('onepool.stock.other.v1', '{}', { timeout: 60_000 });
      await lose(Math.max(1, keep));
      expect(eventIds(await readStream(connection))).toHaveLength(Math.max(1, keep));
      await look();
      const read = async (): Promise<string[]> => eventIds(await readStream(connection)).slice(Math.max(1, keep));
      const ids = (await eventually(read, (seen) => names('e', 30).every((id) => seen.includes(id)))).filter((id) =>
        id.startsWith('e'),
      );
      expect([...ids].sort()).toEqual([...names('e', 30)].sort());
      for (const key of [0, 1, 2])
        expect(ids.filter((id) => Number(id.slice(1)) % 3 === key)).toEqual(
          names('e', 30).filter((_name, index) => index % 3 === key),
        );
      expect(new Set(rewinds)).toEqual(new Set(['stream_purged']));
      await eventually(() => running.isReady(), Boolean);
      // Once filled up the stream is found whole, however often it is looked at.
      const before = rewinds.length;
      for (let time = 0; time < 3; time += 1) await look();
      expect(rewinds).toHaveLength(before);
    },
  );

  it('is not ready while the stream lacks what it had acknowledged', async () => {
    const readiness: boolean[] = [];
    const { running, look } = await relayOnDemand({ onRewind: () => readiness.push(running.isReady()) });
    await append(bench.pool, [factOf('first', 'sku'), factOf('second', 'sku')]);
    await streamHolds(['first', 'second']);
    await look();
    await eventually(() => running.isReady(), Boolean);
    await lose(1);
    await look();
    expect(readiness.length).toBeGreaterThan(0);
    expect(readiness).not.toContain(true);
    await eventually(() => running.isReady(), Boolean);
  });

  it('lets nobody purge the stream or delete its messages, also one that was made without that', async () => {
    const manager = await jetstream(await bench.connect()).jetstreamManager(false);
    await manager.streams.add({ name: STREAM.name, subjects: STREAM.subjects });
    const warned: string[] = [];
    await relay({ onWarnings: (warnings) => warned.push(...warnings) });
    await append(bench.pool, [factOf('kept', 'sku')]);
    await streamHolds(['kept']);
    await expect(manager.streams.purge(STREAM.name)).rejects.toThrow(/purge/i);
    await expect(manager.streams.deleteMessage(STREAM.name, 1)).rejects.toThrow(/delete/i);
    expect(await streamHolds(['kept'])).toEqual(['kept']);
    expect(warned).toEqual([]);
  });

  it('publishes a backlog whose rows are larger than is read at once, and none twice', async () => {
    const big = 'x'.repeat(300_000);
    const random = (n: number): string => `${n}-${big}`;
    await append(
      bench.pool,
      names('big', 12).map((id, n) => factOf(id, 'sku', { text: random(n) })),
    );
    await append(
      bench.pool,
      names('small', 700).map((id, n) => factOf(id, `sku-${n % 50}`)),
    );
    await relay();
    const seen = await streamHolds([...names('big', 12), ...names('small', 700)]);
    expect(seen).toHaveLength(712);
    expect(seen.filter((id) => id.startsWith('big'))).toEqual(names('big', 12));
    await settledAt(712);
  });

  it('goes on by itself after its PostgreSQL session was ended', async () => {
    await relay();
    await append(bench.pool, [factOf('before', 'sku')]);
    await streamHolds(['before']);
    await bench.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await eventually(() => append(bench.pool, [factOf('after', 'sku')]).then(() => true), Boolean);
    await streamHolds(['before', 'after']);
  });

  it('publishes the other keys while one row cannot be published, and that one once it can', async () => {
    const running = await relay();
    const stray = { ...factOf('stray', 'sku-stray'), subject: 'onepool.elsewhere.sku.changed.v1' };
    await append(bench.pool, [stray, factOf('behind', 'sku-stray'), factOf('fine', 'sku-fine')]);
    expect(await streamHolds(['fine'])).toEqual(['fine']);
    await running.stop();
    await relay({}, { stream: { ...STREAM, subjects: [...STREAM.subjects, 'onepool.elsewhere.>'] } });
    expect(await streamHolds(['stray', 'behind'])).toEqual(['fine', 'stray', 'behind']);
  });
});

describe('a relay whose NATS goes away', () => {
  let nats: TestNats;
  beforeEach(async () => {
    nats = await startTestNats();
    await open(() => Promise.resolve(nats));
  });

  it('refills a stream that was wiped while the server was killed', async () => {
    const rewinds: string[] = [];
    await relay({ onRewind: (rewind) => rewinds.push(rewind.reason) });
    await append(
      bench.pool,
      names('e', 30).map((id, index) => factOf(id, `sku-${index % 3}`)),
    );
    await streamHolds(names('e', 30));
    await nats.kill();
    await append(bench.pool, [factOf('during', 'sku-0')]);
    await nats.restart({ wipe: true });
    const seen = await streamHolds([...names('e', 30), 'during']);
    expect(new Set(rewinds)).toEqual(new Set(['stream_recreated']));
    const ofOneKey = seen.filter((id) => id === 'during' || Number(id.slice(1)) % 3 === 0);
    expect([...new Set(ofOneKey)]).toEqual([...names('e', 30).filter((_, index) => index % 3 === 0), 'during']);
  });

  it('publishes again what the stream lost at its end, even after others filled the sequence up', async () => {
    const [kept, lost, others] = [names('kept', 5), names('lost', 5), names('other', 5)];
    const publishAndStop = async (ids: readonly string[], lastId: number): Promise<void> => {
      const running = await relay();
      await append(
        bench.pool,
        ids.map((id) => factOf(id, 'sku')),
      );
      await settledAt(lastId);
      await running.stop();
    };
    await publishAndStop(kept, 5);
    const forgetWhatFollows = await nats.checkpoint();
    await publishAndStop(lost, 10);
    expect(await streamHolds(lost)).toEqual([...kept, ...lost]);
    await forgetWhatFollows();
    const connection = await bench.connect();
    for (const id of others) {
      const fact = factOf(id, 'sku');
      await jetstream(connection).publish(fact.subject, '{}', { msgID: id, headers: toMessageHeaders(fact) });
    }
    expect(eventIds(await readStream(connection))).toEqual([...kept, ...others]);
    const rewinds: string[] = [];
    await relay({ onRewind: (rewind) => rewinds.push(rewind.reason) });
    expect(await streamHolds(lost)).toEqual([...kept, ...others, ...lost]);
    expect(rewinds).toEqual(['stream_lost_tail']);
  });

  it('goes on by itself after NATS was away', async () => {
    const running = await relay();
    await append(bench.pool, [factOf('before', 'sku')]);
    await streamHolds(['before']);
    await nats.kill();
    await eventually(
      () => running.isReady(),
      (ready) => !ready,
    );
    await append(bench.pool, [factOf('during', 'sku')]);
    await nats.restart();
    expect(await streamHolds(['before', 'during'])).toEqual(['before', 'during']);
    await eventually(() => running.isReady(), Boolean);
  });

  it('raises the backlog alarm while nothing can be published', async () => {
    const backlogs: { rows: number; alarm: boolean; lagSeconds: number }[] = [];
    await relay({ onBacklog: (backlog) => backlogs.push(backlog) }, { backlogLimit: 3 });
    await append(bench.pool, [factOf('first', 'sku')]);
    await streamHolds(['first']);
    await nats.kill();
    await append(
      bench.pool,
      names('e', 9).map((id) => factOf(id, 'sku')),
    );
    const alarm = await eventually(
      () => backlogs.at(-1),
      (last) => last?.alarm === true,
    );
    expect(alarm?.rows).toBe(4);
  });
});

describe('outbox', () => {
  beforeEach(() => open());

  it('refuses an event that no message could carry', async () => {
    const huge = factOf('huge', 'sku', { text: 'x'.repeat(900_001) });
    await expect(append(bench.pool, [huge])).rejects.toThrow('above 900000');
  });

  it('asks for the transaction id before it takes the first outbox id', async () => {
    const sql = outboxInsert(SCHEMA).replace(/\$(\d)::(\w+)\[\]/g, `'{}'::$2[]`);
    const { rows } = await bench.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/One-Time Filter: \(pg_current_xact_id\(\)/);
  });

  it('gives ids in array order, also as a part of a larger statement', async () => {
    const events = names('e', 50).map((id) => factOf(id, 'sku'));
    await bench.pool.query(
      `WITH touched AS (SELECT 1), appended AS (${outboxInsert(SCHEMA)} RETURNING id) SELECT count(*) FROM appended`,
      outboxParameters(events, PARTITIONS),
    );
    const { rows } = await bench.pool.query<{ event_id: string }>(`SELECT event_id FROM ${SCHEMA}.outbox ORDER BY id`);
    expect(rows.map((row) => row.event_id)).toEqual(names('e', 50));
  });
});
