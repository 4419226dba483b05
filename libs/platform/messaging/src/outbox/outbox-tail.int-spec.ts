import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPool, partitionTables, runMigrations } from '@onepool/platform-postgres';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { messagingTables } from '../messaging-tables.ts';
import { appendToOutbox } from './outbox-insert.ts';
import { eventually } from '../spec-support/messaging-bench.ts';
import { OutboxTail } from './outbox-tail.ts';

const SCHEMA = 'public';

describe('the tail of an outbox', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let session: pg.PoolClient;
  let events = 0;
  beforeEach(async () => {
    database = await createTestDatabase();
    await runMigrations({
      url: database.ownerUrl,
      schemas: [{ schema: SCHEMA, parts: [partitionTables, messagingTables] }],
    });
    const timeouts = {
      statementTimeoutMs: 5_000,
      lockTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 30_000,
      connectTimeoutMs: 5_000,
    };
    pool = createPool({ url: database.ownerUrl, max: 5, applicationName: 'spec', ...timeouts });
    session = await pool.connect();
  });
  afterEach(async () => {
    session.release();
    await pool.end();
    await database.drop();
  });

  const append = (client: Pick<pg.ClientBase, 'query'>, ...keys: string[]): Promise<void> =>
    appendToOutbox(
      client,
      { schema: SCHEMA, partitionCount: 8 },
      keys.map((key) => ({
        id: `event-${events++}`,
        type: 't',
        source: '/s',
        time: new Date(0).toISOString(),
        subject: 'a',
        key,
        data: {},
      })),
    );
  const poll = async (tail: OutboxTail): Promise<readonly string[] | null> => {
    const told = await tail.poll();
    return told && [...told.keys].sort();
  };

  /** Transactions of other databases on the server count, too, so that beginning may take more than one look. */
  const begun = async (tail: OutboxTail): Promise<void> => {
    const first = await eventually(
      () => poll(tail),
      (told) => told !== null,
    );
    expect(first).toEqual([]);
  };

  it('begins at the present and then tells each event once', async () => {
    await append(pool, 'old');
    const tail = new OutboxTail(session, SCHEMA);
    await begun(tail);
    await append(pool, 'a', 'b');
    expect(await poll(tail)).toEqual(['a', 'b']);
    expect(await poll(tail)).toEqual([]);
    await append(pool, 'c');
    expect(await poll(tail)).toEqual(['c']);
  });

  it('tells an event whose commit comes late, after younger ones, and those only once', async () => {
    const tail = new OutboxTail(session, SCHEMA);
    await begun(tail);
    const late = await pool.connect();
    await late.query('BEGIN');
    await append(late, 'late');
    await append(pool, 'young');
    expect(await poll(tail)).toEqual(['young']);
    expect(await poll(tail)).toEqual([]);
    await late.query('COMMIT');
    late.release();
    expect(await poll(tail)).toEqual(['late']);
    expect(await poll(tail)).toEqual([]);
  });

  it('does not begin while a transaction from before it may still add to what it skipped', async () => {
    const before = await pool.connect();
    await before.query('BEGIN');
    await append(before, 'before');
    const tail = new OutboxTail(session, SCHEMA);
    expect(await poll(tail)).toBeNull();
    await append(pool, 'meanwhile');
    expect(await poll(tail)).toBeNull();
    await before.query('ROLLBACK');
    before.release();
    await begun(tail);
    await append(pool, 'after');
    expect(await poll(tail)).toContain('after');
  });
});
