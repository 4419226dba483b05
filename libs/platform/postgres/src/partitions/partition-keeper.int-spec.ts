import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { auditRights } from '../audit-rights.ts';
import type { SchemaDeclaration } from '../migrations/migration-files.ts';
import { runMigrations } from '../migrations/run-migrations.ts';
import { createPool } from '../pool.ts';
import { removeWrittenParts, writtenPart } from '../spec-support/written-part.ts';
import { PartitionKeeper, type PartitionState } from './partition-keeper.ts';
import { partitionTables } from './partition-tables.ts';

const SCHEMA = 'shelves';
/** As a library with a table of each kind writes it: one that loses days, and one that only grows. */
const TABLES = `
  CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY, word text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, recorded_at)) PARTITION BY RANGE (recorded_at);
  CREATE INDEX note_word ON note (word);
  CREATE TABLE note_default PARTITION OF note DEFAULT;
  INSERT INTO partitioned_table VALUES ('note', 'day');
  CREATE TABLE book (entry int, recorded_at timestamptz NOT NULL, PRIMARY KEY (entry, recorded_at)) PARTITION BY RANGE (recorded_at);
  CREATE FUNCTION book_is_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the book is append-only'; END $$;
  CREATE TRIGGER book_is_closed BEFORE UPDATE OR DELETE OR TRUNCATE ON book FOR EACH STATEMENT EXECUTE FUNCTION book_is_closed();
  CREATE TABLE book_default PARTITION OF book DEFAULT;
  CREATE TRIGGER book_is_closed BEFORE UPDATE OR DELETE OR TRUNCATE ON book_default FOR EACH STATEMENT EXECUTE FUNCTION book_is_closed();
  INSERT INTO partitioned_table VALUES ('book', 'month');`;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let owner: pg.Pool;
let app: pg.Pool;
let states: readonly PartitionState[];
let told: (readonly string[])[];
let declaration: SchemaDeclaration;

const migrate = () => runMigrations({ url: database.ownerUrl, schemas: [declaration], runtimeUrl: database.url });
const poolOf = (url: string): pg.Pool =>
  createPool({
    url,
    max: 6,
    schema: SCHEMA,
    applicationName: 'partitions-spec',
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
  });

beforeEach(async () => {
  database = await createTestDatabase();
  const rights = { tables: { note: ['SELECT', 'INSERT'], book: ['SELECT', 'INSERT'] } } as const;
  declaration = { schema: SCHEMA, parts: [partitionTables, writtenPart('shelf', { '0001-create': TABLES }, rights)] };
  await migrate();
  owner = poolOf(database.ownerUrl);
  app = poolOf(database.url);
  states = [];
  told = [];
});
afterEach(async () => {
  removeWrittenParts();
  await Promise.all([owner.end(), app.end()]);
  await database.drop();
});

const keeper = (pool = app): PartitionKeeper =>
  new PartitionKeeper({
    pool,
    schema: SCHEMA,
    onState: (all) => (states = all),
    onWarnings: (warnings) => told.push(warnings),
  });
const write = (pool: pg.Pool, daysAgo: number): Promise<unknown> =>
  pool.query(
    `WITH at AS (SELECT clock_timestamp() - make_interval(days => $1) AS time), one AS (INSERT INTO note (word, recorded_at) SELECT $1::text, time FROM at)
     INSERT INTO book SELECT $1, time FROM at`,
    [daysAgo],
  );
async function rows<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  return (await owner.query<Row>(sql)).rows;
}
const partitionsOf = async (table: string): Promise<string[]> =>
  (
    await rows<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = '${table}'::regclass ORDER BY 1`,
    )
  ).map(({ name }) => name);

describe('the keeper of partitions', () => {
  it('makes today and fourteen days ahead, with the indexes and without an identity of their own, and then has nothing to do', async () => {
    await keeper().once();
    const made = await partitionsOf('note');
    expect(made).toHaveLength(16);
    expect(states).toEqual([
      { table: 'book', daysAhead: expect.any(Number), hasFallen: false },
      { table: 'note', daysAhead: expect.any(Number), hasFallen: false },
    ]);
    for (const { daysAhead } of states) expect(daysAhead).toBeGreaterThan(14);
    await write(app, 0);
    await write(app, 0);
    expect(await rows('SELECT id, tableoid::regclass::text <> $$note_default$$ AS own FROM note ORDER BY id')).toEqual([
      { id: 1, own: true },
      { id: 2, own: true },
    ]);
    const [index] = await rows<{ parts: number }>(
      `SELECT count(*)::int AS parts FROM pg_inherits WHERE inhparent = 'note_word'::regclass`,
    );
    expect(index?.parts).toBe(16);
    await keeper().once();
    expect(await partitionsOf('note')).toEqual(made);
  });

  it('moves what fell into the default partition of twenty days, of a table that only grows, too', async () => {
    for (let day = 20; day >= 0; day -= 1) await write(app, day);
    const before = await rows('SELECT id, word, recorded_at FROM note ORDER BY id');
    expect((await rows('SELECT FROM ONLY note_default')).length).toBe(21);
    await keeper().once();
    expect(await rows('SELECT id, word, recorded_at FROM note ORDER BY id')).toEqual(before);
    expect(await rows('SELECT FROM note_default UNION ALL SELECT FROM book_default')).toEqual([]);
    expect(await rows('SELECT count(*)::int AS entries FROM book')).toEqual([{ entries: 21 }]);
    expect(await partitionsOf('note')).toHaveLength(36);
    expect(states.every(({ hasFallen }) => !hasFallen)).toBe(true);
  });

  it('is one of two at a time, and what they make is the same', async () => {
    for (let day = 5; day >= 0; day -= 1) await write(app, day);
    await Promise.all([keeper().once(), keeper().once(), keeper().once()]);
    const calls = Array.from({ length: 4 }, () =>
      owner.query(`SELECT make_partitions(60, 20)`).catch((error) => error),
    );
    for (const outcome of await Promise.all(calls))
      if (outcome instanceof pg.DatabaseError) expect(outcome.code).toBe('55P03');
    await keeper().once();
    expect(await rows('SELECT FROM note_default')).toEqual([]);
    expect(await rows('SELECT count(*)::int AS notes FROM note')).toEqual([{ notes: 6 }]);
  });

  it('waits for a long reader no longer than writers may wait behind it, and makes the partition when the reader has gone', async () => {
    await write(app, 3);
    const reader = await owner.connect();
    await reader.query('BEGIN; SELECT FROM note; SELECT FROM book');
    const outcome = await app.query('SELECT make_partitions(14, 1)').then(String, ({ code }: pg.DatabaseError) => code);
    const keeping = keeper().once();
    await write(app, 0);
    await reader.query('COMMIT');
    reader.release();
    expect(outcome).toBe('55P03');
    await keeping;
    expect(await rows('SELECT FROM note_default')).toEqual([]);
    expect(await rows('SELECT count(*)::int AS notes FROM note')).toEqual([{ notes: 2 }]);
  });

  it('warns when few days are left and when rows have fallen, once, and says when that is over', async () => {
    const watch = keeper();
    await watch.once();
    expect([watch.warnings, told]).toEqual([[], []]);
    for (const name of (await partitionsOf('note')).slice(3)) await owner.query(`DROP TABLE ${name}`);
    await owner.query(
      'REVOKE EXECUTE ON FUNCTION make_partitions FROM PUBLIC; ALTER FUNCTION make_partitions RENAME TO gone',
    );
    await write(app, 400);
    await expect(watch.once()).rejects.toMatchObject({ code: '42883' });
    await expect(watch.once()).rejects.toMatchObject({ code: '42883' });
    const warnings = [
      'rows of book fell into its default partition',
      expect.stringMatching(/^note has partitions for \d\.\d days, fewer than 3$/),
      'rows of note fell into its default partition',
    ];
    expect(watch.warnings).toEqual(warnings);
    await owner.query('ALTER FUNCTION gone RENAME TO make_partitions');
    await watch.once();
    expect(watch.warnings).toEqual([]);
    expect(told).toEqual([warnings, []]);
  });

  it('does not go back to what a slow look has seen before a later one', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let looks = 0;
    let seen = (): void => undefined;
    const hasSeen = new Promise<void>((resolve) => (seen = resolve));
    const query = async (text: string): Promise<pg.QueryResult> => {
      const found = await app.query(text);
      if (++looks > 1) return found;
      seen();
      await held;
      return found;
    };
    const slowAtFirst = { query, connect: () => app.connect() } as unknown as pg.Pool;
    await keeper().once();
    await write(owner, 400);
    await owner.query('ALTER FUNCTION make_partitions RENAME TO gone');
    const watch = keeper(slowAtFirst);
    const slow = watch.once();
    await hasSeen;
    await owner.query('ALTER FUNCTION gone RENAME TO make_partitions');
    await watch.once();
    expect(watch.warnings).toEqual([]);
    goOn();
    await expect(slow).rejects.toMatchObject({ code: '42883' });
    expect([watch.warnings, told]).toEqual([[], []]);
  });
});

describe('a partition', () => {
  it('of a table that only grows lets nobody change, delete or truncate, its owner neither', async () => {
    await keeper().once();
    for (const name of ['book', ...(await partitionsOf('book'))]) {
      await expect(owner.query(`UPDATE ${name} SET entry = 1`)).rejects.toThrow('append-only');
      await expect(owner.query(`DELETE FROM ${name}`)).rejects.toThrow('append-only');
      await expect(owner.query(`TRUNCATE ${name}`)).rejects.toThrow('append-only');
    }
  });

  it('is open to the app through its table only', async () => {
    await keeper().once();
    const [first = ''] = await partitionsOf('note');
    await expect(app.query(`SELECT FROM ${first}`)).rejects.toMatchObject({ code: '42501' });
    await expect(app.query(`INSERT INTO ${first} (word) VALUES ('x')`)).rejects.toMatchObject({ code: '42501' });
    await expect(app.query(`SELECT make_partition('note', 'day', now())`)).rejects.toMatchObject({ code: '42501' });
  });

  it('has no rights of its own: the audit finds them, and the next migrate takes them away', async () => {
    await keeper().once();
    expect(await auditRights(app, declaration)).toEqual([]);
    const [first = ''] = await partitionsOf('note');
    const [role] = (await app.query<{ name: string }>('SELECT current_user AS name')).rows;
    await owner.query(`GRANT SELECT ON ${first} TO ${role?.name}`);
    expect(await auditRights(app, declaration)).toEqual([
      `rights were granted on the partition ${first}: its parent's are enough`,
    ]);
    expect((await migrate())[0]?.grants).toEqual([`REVOKE SELECT ON TABLE ${SCHEMA}.${first} FROM "${role?.name}"`]);
  });

  it.each(['-1', '61', 'NULL'])('is not made %s days ahead', async (days) => {
    await expect(app.query(`SELECT make_partitions(${days}, 1)`)).rejects.toThrow('0 to 60 days ahead');
  });
});
