import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TcpProxy, createTestDatabase } from '@onepool/testing-servers';
import { commitPoint, installFailpoints } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { classifyPgError, TransactionOutcomeUnknownError, TransactionRolledBackError } from './errors.ts';
import { inTransaction } from './in-transaction.ts';
import { createPool } from './pool.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
const pools: pg.Pool[] = [];
const servers: Server[] = [];

function open(url = database.ownerUrl, max = 2): pg.Pool {
  const pool = createPool({
    url,
    max,
    applicationName: 'pool-spec',
    statementTimeoutMs: 1_000,
    lockTimeoutMs: 200,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    schema: 'public',
  });
  pools.push(pool);
  return pool;
}

/** Forwards to the test server, and cuts both ends when the client sends a message that contains `cutAt`. */
async function cuttingProxy(cutAt: string): Promise<string> {
  const { hostname, port } = new URL(database.ownerUrl);
  const server = createServer((client: Socket) => {
    const upstream = connect(Number(port), hostname);
    const cut = (): void => {
      client.destroy();
      upstream.end();
    };
    client.on('error', cut).on('close', cut);
    upstream.on('error', cut).on('close', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (chunk) => {
      upstream.write(chunk);
      if (chunk.includes(cutAt)) client.destroy();
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return database.ownerUrl.replace(`${hostname}:${port}`, `127.0.0.1:${address.port}`);
}

beforeAll(async () => {
  database = await createTestDatabase();
  await open().query('CREATE TABLE item (id bigint PRIMARY KEY, quantity bigint CHECK (quantity >= 0))');
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
  servers.splice(0).forEach((server) => server.close());
});

afterAll(async () => {
  await database.drop();
});

const COMMIT = commitPoint('spec.transaction');

describe('createPool', () => {
  it('gives the session its timeouts and its search path before the first statement', async () => {
    const { rows } = await open().query(
      `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
              current_setting('idle_in_transaction_session_timeout') AS idle, current_schema() AS schema`,
    );
    expect(rows).toEqual([{ statement: '1s', lock: '200ms', idle: '5s', schema: 'public' }]);
  });

  it('reads int8 and int8[] as numbers and timestamptz as Date', async () => {
    const { rows } = await open().query(
      `SELECT 9007199254740991::int8 AS big, ARRAY[1, NULL, 3]::int8[] AS list, now() AS at`,
    );
    expect(rows[0]).toEqual({ big: Number.MAX_SAFE_INTEGER, list: [1, null, 3], at: expect.any(Date) });
  });

  it('refuses an int8 that a number cannot hold, and stays usable', async () => {
    const pool = open();
    await expect(pool.query('SELECT 9223372036854775807::int8 AS big')).rejects.toThrow('not a safe integer');
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('survives the end of an idle session and of one that is lent out', async () => {
    const [victims, killer] = [open(), open()];
    const lent = await victims.connect();
    const ended = new Promise<void>((resolve) => lent.once('end', resolve));
    await killer.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'pool-spec'`,
    );
    await ended;
    await expect(lent.query('SELECT 1')).rejects.toThrow();
    lent.release();
    expect((await victims.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('classifies a statement that took too long', async () => {
    const error: unknown = await open()
      .query('SELECT pg_sleep(30)')
      .catch((caught: unknown) => caught);
    expect(classifyPgError(error)).toBe('statement_timeout');
  });
});

describe('inTransaction', () => {
  it('commits what the work returned', async () => {
    const pool = open();
    expect(
      await inTransaction(
        pool,
        COMMIT,
        async (client) => (await client.query('INSERT INTO item VALUES (1, 1)')).rowCount,
      ),
    ).toBe(1);
    expect((await pool.query('SELECT quantity FROM item WHERE id = 1')).rows).toEqual([{ quantity: 1 }]);
  });

  it('passes its failpoints while nothing is committed, and once all is', async () => {
    const seen: [string, number | undefined][] = [];
    const count = (): Promise<{ rows: { count: number }[] }> =>
      open(database.ownerUrl).query('SELECT count(*)::int AS count FROM item WHERE id = 8');
    installFailpoints({
      pass: async (name) => void seen.push([name, (await count()).rows[0]?.count]),
      isPlanted: () => false,
    });
    try {
      await inTransaction(open(), COMMIT, (client) => client.query('INSERT INTO item VALUES (8, 1)'));
    } finally {
      installFailpoints(null);
    }
    expect(seen).toEqual([
      [COMMIT.before, 0],
      [COMMIT.after, 1],
    ]);
  });

  it('rolls back when a failpoint fails before its commit', async () => {
    const fail = (name: string) => (name === COMMIT.before ? Promise.reject(new Error('stopped')) : undefined);
    installFailpoints({ pass: fail, isPlanted: () => false });
    const pool = open(database.ownerUrl, 1);
    const work = inTransaction(pool, COMMIT, (client) => client.query('INSERT INTO item VALUES (9, 1)'));
    await expect(work).rejects.toThrow('stopped');
    installFailpoints(null);
    expect((await pool.query('SELECT id FROM item WHERE id = 9')).rows).toEqual([]);
    expect(pool.totalCount).toBe(1);
  });

  it('rolls back and rethrows the error of the work, and lends the same session again', async () => {
    const pool = open(database.ownerUrl, 1);
    const error: unknown = await inTransaction(pool, COMMIT, async (client) => {
      await client.query('INSERT INTO item VALUES (2, 1)');
      await client.query('INSERT INTO item VALUES (3, -1)');
    }).catch((caught: unknown) => caught);
    expect(classifyPgError(error)).toBe('check_violation');
    expect((await pool.query('SELECT id FROM item WHERE id IN (2, 3)')).rows).toEqual([]);
    expect(pool.totalCount).toBe(1);
  });

  it('does not report success when an error inside was swallowed', async () => {
    const work = inTransaction(open(), COMMIT, async (client) => {
      await client.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(work).rejects.toBeInstanceOf(TransactionRolledBackError);
  });

  it('says that the outcome is unknown when the connection is cut after COMMIT was sent', async () => {
    const pool = open(await cuttingProxy('COMMIT'));
    const work = inTransaction(pool, COMMIT, (client) => client.query('INSERT INTO item VALUES (4, 1)'));
    await expect(work).rejects.toBeInstanceOf(TransactionOutcomeUnknownError);
    expect(pool.totalCount).toBe(0);
  });

  it('gives a connection that fell silent up after one time-out, not one more for the rollback', async () => {
    const proxy = await TcpProxy.to(Number(new URL(database.ownerUrl).port));
    const pool = open(proxy.url(database.ownerUrl));
    const asked: unknown[] = [];
    const work = inTransaction(pool, COMMIT, async (client) => {
      await client.query('SELECT 1');
      const query = client.query.bind(client) as (...asked: unknown[]) => unknown;
      jest.spyOn(client, 'query').mockImplementation(((...parameters: unknown[]) => {
        asked.push(parameters[0]);
        return query(...parameters);
      }) as never);
      proxy.swallow();
      await client.query('INSERT INTO item VALUES (6, 1)');
    });
    await expect(work).rejects.toThrow('timeout');
    expect(asked).toEqual(['INSERT INTO item VALUES (6, 1)']);
    expect(pool.totalCount).toBe(0);
    await proxy.close();
  });

  it('says plainly that it failed when the connection is cut before COMMIT', async () => {
    const pool = open(await cuttingProxy('INSERT'));
    const error: unknown = await inTransaction(pool, COMMIT, (client) =>
      client.query('INSERT INTO item VALUES (5, 1)'),
    ).catch((caught: unknown) => caught);
    expect(error).not.toBeInstanceOf(TransactionOutcomeUnknownError);
    expect(classifyPgError(error)).toBe('connection');
    expect(pool.totalCount).toBe(0);
  });
});
