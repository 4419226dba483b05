import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import { commitPoint, installFailpoints } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { TransactionOutcomeUnknownError } from './errors.ts';
import { type PipelinedWrite, inPipelinedTransaction, transactionSentAtOnce } from './in-pipelined-transaction.ts';
import { createPool } from './pool.ts';

const COMMIT = commitPoint('spec.transaction');

describe('a pipelined transaction', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({
      url: database.ownerUrl,
      max: 1,
      pipeline: true,
      applicationName: 'spec',
      statementTimeoutMs: 5_000,
      lockTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
    });
    await pool.query('CREATE TABLE item (id int PRIMARY KEY)');
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const ids = async (): Promise<number[]> =>
    (await pool.query<{ id: number }>('SELECT id FROM item ORDER BY id')).rows.map(({ id }) => id);
  const writing = (send: PipelinedWrite['send']): PipelinedWrite => ({ commit: COMMIT, send });
  const insert = (client: pg.PoolClient, id: number) => () => [client.query('INSERT INTO item VALUES ($1)', [id])];

  it('commits what it writes and answers its result', async () => {
    expect(
      await inPipelinedTransaction(pool, async (client) => ({ result: 'done', write: writing(insert(client, 1)) })),
    ).toBe('done');
    expect(await ids()).toEqual([1]);
  });

  it('passes its failpoints before its writes and after its commit, and none without writes', async () => {
    const passed: string[] = [];
    installFailpoints({ pass: (name) => void passed.push(name), isPlanted: () => false });
    try {
      await inPipelinedTransaction(pool, async () => ({ result: null, write: null }));
      expect(passed).toEqual([]);
      const sentBy = (client: pg.PoolClient) => () => {
        passed.push('sent');
        return [client.query('SELECT 1')];
      };
      await inPipelinedTransaction(pool, async (client) => ({ result: null, write: writing(sentBy(client)) }));
      const client = await pool.connect();
      await transactionSentAtOnce(client, COMMIT, () => [client.query('SELECT 1')]);
      client.release();
    } finally {
      installFailpoints(null);
    }
    expect(passed).toEqual([COMMIT.before, 'sent', COMMIT.after, COMMIT.before, COMMIT.after]);
  });

  it('rolls back when there is nothing to write, though its reading part wrote', async () => {
    const work = async (client: pg.PoolClient) => {
      await client.query('INSERT INTO item VALUES (2)');
      return { result: null, write: null };
    };
    await inPipelinedTransaction(pool, work);
    expect(await ids()).toEqual([1]);
  });

  it('rolls back as a whole when one write is refused, and the connection goes on', async () => {
    const work = async (client: pg.PoolClient) => ({
      result: null,
      write: writing(() => [...insert(client, 3)(), ...insert(client, 1)()]),
    });
    await expect(inPipelinedTransaction(pool, work)).rejects.toMatchObject({ code: '23505' });
    expect(await ids()).toEqual([1]);
  });

  it('rolls back and rethrows what the deciding part throws', async () => {
    const work = async (client: pg.PoolClient) => {
      await client.query('INSERT INTO item VALUES (4)');
      throw new Error('no');
    };
    await expect(inPipelinedTransaction(pool, work)).rejects.toThrow('no');
    expect(await ids()).toEqual([1]);
  });

  it('rolls back and rethrows when the writes cannot even be sent, and gives the connection back', async () => {
    const work = async (client: pg.PoolClient) => {
      await client.query('INSERT INTO item VALUES (5)');
      const send = (): never => {
        throw new Error('too large');
      };
      return { result: null, write: writing(send) };
    };
    await expect(inPipelinedTransaction(pool, work)).rejects.toThrow('too large');
    expect(await ids()).toEqual([1]);
    expect({ idle: pool.idleCount, all: pool.totalCount }).toEqual({ idle: 1, all: 1 });
  });

  it('says that the outcome is unknown when the session ends once the writes were sent', async () => {
    const work = async (client: pg.PoolClient) => ({
      result: null,
      write: writing(() => [...insert(client, 5)(), client.query('SELECT pg_terminate_backend(pg_backend_pid())')]),
    });
    await expect(inPipelinedTransaction(pool, work)).rejects.toThrow(TransactionOutcomeUnknownError);
    expect(await ids()).toEqual([1]);
  });

  it('may be sent at once, and several behind one another on one connection', async () => {
    const client = await pool.connect();
    const [one, other] = await Promise.all([
      transactionSentAtOnce(client, COMMIT, () => [
        client.query('INSERT INTO item VALUES (6)'),
        client.query('SELECT 1 AS x'),
      ]),
      transactionSentAtOnce(client, COMMIT, () => [client.query('INSERT INTO item VALUES (7)')]),
    ]);
    expect(one[1].rows).toEqual([{ x: 1 }]);
    expect(other[0].rowCount).toBe(1);
    expect(await Promise.all([client.query('DELETE FROM item WHERE id > 5')])).toMatchObject([{ rowCount: 2 }]);
    client.release();
  });

  it('sent at once is undone as a whole when one of its writes is refused; what was sent behind it stands', async () => {
    const client = await pool.connect();
    const [refused, behind] = await Promise.allSettled([
      transactionSentAtOnce(client, COMMIT, () => [...insert(client, 8)(), ...insert(client, 1)()]),
      transactionSentAtOnce(client, COMMIT, () => [client.query('INSERT INTO item VALUES (9)')]),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: '23505' } });
    expect(behind.status).toBe('fulfilled');
    client.release();
    expect(await ids()).toEqual([1, 9]);
    await pool.query('DELETE FROM item WHERE id = 9');
  });
});
