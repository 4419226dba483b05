import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { commitPoint, installFailpoints } from '@onepool/platform-failpoints';
import { factKey, messagingTables } from '@onepool/platform-messaging';
import { partitionTables, runMigrations } from '@onepool/platform-postgres';
import { newTaskId, taskTables } from '@onepool/platform-tasks';
import { createTestDatabase } from '@onepool/testing-servers';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import type pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';

import { dataSourceOptions, poolOf } from './data-source.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { unitOfWorkTables } from './unit-of-work-tables.ts';
import type { Work } from './work.ts';

const SCHEMA = 'spec';
const COMMIT = commitPoint('spec.unit');
const CHANGED = {
  subject: 'onepool.spec.shelf.changed.v1',
  data: Type.Object({ shelf: Type.String(), fromVersion: Type.Integer(), toVersion: Type.Integer() }),
};

interface Shelf {
  code: string;
  items: number;
}
const ShelfEntity = new EntitySchema<Shelf>({
  name: 'shelf',
  columns: { code: { type: 'text', primary: true }, items: { type: 'integer' } },
});

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let dataSource: DataSource;
let pool: pg.Pool;
let told: { facts: number; tasks: number }[];
let units: UnitOfWork;

const unitsOn = (source: DataSource): UnitOfWork =>
  new UnitOfWork({
    dataSource: source,
    schema: SCHEMA,
    source: '/onepool/spec',
    partitionCount: 2,
    onCommitted: (written) => void told.push(written),
  });

const open = (max = 6): Promise<DataSource> =>
  new DataSource(
    dataSourceOptions({
      url: database.ownerUrl,
      schema: SCHEMA,
      entities: [ShelfEntity],
      max,
      applicationName: 'spec',
    }),
  ).initialize();

beforeAll(async () => {
  database = await createTestDatabase();
  const parts = [partitionTables, messagingTables, taskTables, unitOfWorkTables];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas: [{ schema: SCHEMA, parts }] });
  dataSource = await open();
  pool = poolOf(dataSource);
  await pool.query('CREATE TABLE shelf (code text PRIMARY KEY, items integer NOT NULL)');
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});
beforeEach(async () => {
  told = [];
  units = unitsOn(dataSource);
  await pool.query('DELETE FROM shelf; DELETE FROM aggregate; DELETE FROM outbox; DELETE FROM inbox; DELETE FROM task');
});
afterEach(() => installFailpoints(null));

const shelfKey = (code: string): string => factKey('shelf', code);

/** Adds an item to each shelf, and tells it. */
async function add(work: Work, codes: readonly string[]): Promise<void> {
  for (const code of codes) {
    const shelf = await work.manager.findOneBy(ShelfEntity, { code });
    await work.manager.save(ShelfEntity, { code, items: (shelf?.items ?? 0) + 1 });
    work.tell(shelfKey(code), CHANGED, { shelf: code });
  }
}

const put = (codes: readonly string[], on = units): Promise<void> =>
  on.run({ commit: COMMIT, locks: codes.map(shelfKey) }, (work) => add(work, codes));

/** Meanwhile whoever commits a new shelf loses the connection. */
async function endSessionsAtCommit(work: () => Promise<void>): Promise<void> {
  await pool.query(`CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON shelf DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_session()`);
  try {
    await work();
  } finally {
    await pool.query('DROP TRIGGER ends ON shelf; DROP FUNCTION end_session()');
  }
}

interface Fact {
  readonly key: string;
  readonly event_id: string;
  readonly data: { shelf: string; fromVersion: number; toVersion: number };
}
const facts = async (): Promise<Fact[]> =>
  (await pool.query<Fact>('SELECT key, event_id, data FROM outbox ORDER BY id')).rows;
const items = async (): Promise<Record<string, number>> => {
  const { rows } = await pool.query<Shelf>('SELECT code, items FROM shelf ORDER BY code');
  return Object.fromEntries(rows.map((row) => [row.code, row.items]));
};
const count = async (table: string): Promise<number> =>
  (await pool.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n;

describe('a unit of work', () => {
  it('saves entities, facts, tasks and versions in one commit', async () => {
    await units.run({ commit: COMMIT, locks: [shelfKey('a/1')] }, async (work) => {
      await add(work, ['a/1', 'a/1']);
      expect(work.versionOf(shelfKey('a/1'))).toBe(2);
      work.task({ id: newTaskId(), kind: 'tidy', key: 'a/1', payload: {} });
    });
    expect(await items()).toEqual({ 'a/1': 2 });
    expect(await facts()).toEqual([
      { key: 'shelf/a%2F1', event_id: 'shelf/a%2F1@1', data: { shelf: 'a/1', fromVersion: 0, toVersion: 1 } },
      { key: 'shelf/a%2F1', event_id: 'shelf/a%2F1@2', data: { shelf: 'a/1', fromVersion: 1, toVersion: 2 } },
    ]);
    expect(await count('task')).toBe(1);
    expect(told).toEqual([{ facts: 2, tasks: 1 }]);
  });

  it('leaves nothing behind when it fails, wherever that is', async () => {
    const failing = units.run({ commit: COMMIT, locks: [shelfKey('a')] }, async (work) => {
      await add(work, ['a']);
      work.task({ id: newTaskId(), kind: 'tidy', key: 'a', payload: {} });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    installFailpoints({ pass: () => Promise.reject(new Error('killed')), isPlanted: () => false });
    await expect(put(['a'])).rejects.toThrow('killed');
    installFailpoints(null);
    expect([await items(), await facts(), await count('task'), await count('aggregate'), told]).toEqual([
      {},
      [],
      0,
      0,
      [],
    ]);
    await put(['a']);
    expect(await items()).toEqual({ a: 1 });
  });

  it('does not pass for done when a statement in it failed and was overlooked', async () => {
    const overlooked = units.run({ commit: COMMIT, locks: [] }, async (work) => {
      await work.client.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(overlooked).rejects.toMatchObject({ name: 'TransactionRolledBackError' });
  });

  it('says that the outcome is unknown when the connection goes while it commits, and its pool goes on', async () => {
    await endSessionsAtCommit(() =>
      expect(put(['a'])).rejects.toMatchObject({ name: 'TransactionOutcomeUnknownError' }),
    );
    await put(['b']);
    expect(await items()).toEqual({ b: 1 });
  });

  it('tells nothing of an aggregate that it has not locked', async () => {
    const unlocked = units.run({ commit: COMMIT, locks: [shelfKey('a')] }, (work) => add(work, ['b']));
    await expect(unlocked).rejects.toThrow('shelf/b is not locked');
    expect(await items()).toEqual({});
  });
});

describe('a look', () => {
  it('sees everything as of one moment, whatever is committed meanwhile, and writes nothing', async () => {
    await put(['a']);
    const seen = await units.look(async ({ manager, client, versionsOf }) => {
      const before = await manager.findBy(ShelfEntity, {});
      await put(['a', 'b']);
      await expect(client.query('SAVEPOINT s; UPDATE shelf SET items = 9')).rejects.toMatchObject({ code: '25006' });
      await client.query('ROLLBACK TO s');
      return [before, await manager.findBy(ShelfEntity, {}), await versionsOf(['a', 'b'].map(shelfKey))];
    });
    const shelves = [{ code: 'a', items: 1 }];
    expect(seen).toEqual([
      shelves,
      shelves,
      new Map([
        [shelfKey('a'), 1],
        [shelfKey('b'), 0],
      ]),
    ]);
    await put(['b']);
    expect(await items()).toEqual({ a: 2, b: 2 });
  });
});

describe('a fact of others', () => {
  it('takes effect once, whoever else is delivered it at the same time', async () => {
    const receive = () =>
      units.receive('spec', { id: 'e1' }, { commit: COMMIT, locks: [shelfKey('a')] }, (work) => add(work, ['a']));
    const outcomes = await Promise.all([receive(), receive(), receive()]);
    expect(outcomes.sort()).toEqual(['duplicate', 'duplicate', 'effect']);
    expect(await items()).toEqual({ a: 1 });
    await expect(
      units.receive('spec', { id: 'e2' }, { commit: COMMIT, locks: [] }, () => Promise.reject(new Error('no'))),
    ).rejects.toThrow('no');
    expect(await count('inbox')).toBe(1);
  });
});

describe('a unit of work on a pool, of a program without entities', () => {
  const put = (code: string, units: UnitOfWork, then: (work: Work) => void = () => undefined) =>
    units.run({ commit: COMMIT, locks: [shelfKey(code)] }, async (work) => {
      await work.client.query('INSERT INTO spec.shelf VALUES ($1, 1)', [code]);
      work.tell(shelfKey(code), CHANGED, { shelf: code });
      then(work);
    });
  const onPool = (): UnitOfWork => new UnitOfWork({ pool, schema: SCHEMA, source: '/onepool/spec', partitionCount: 2 });

  it('saves rows and facts in one commit, or nothing, and gives its connection back', async () => {
    const units = onPool();
    await put('a', units);
    await expect(put('b', units, () => expect(0).toBe(1))).rejects.toThrow('toBe');
    expect(await items()).toEqual({ a: 1 });
    expect((await facts()).map(({ event_id }) => event_id)).toEqual(['shelf/a@1']);
    expect(pool.totalCount - pool.idleCount).toBe(0);
  });

  it('has no entities, and says so', async () => {
    await expect(put('a', onPool(), (work) => work.manager)).rejects.toThrow('have a pool and no data source');
    expect(await items()).toEqual({});
  });

  it('says that the outcome is unknown when the connection goes while it commits, and its pool goes on', async () => {
    await endSessionsAtCommit(() =>
      expect(put('a', onPool())).rejects.toMatchObject({ name: 'TransactionOutcomeUnknownError' }),
    );
    await put('b', onPool());
    expect(await items()).toEqual({ b: 1 });
  });
});

describe('writers that race', () => {
  it('never wait for each other in a ring, lose no change, and tell facts in the order of versions', async () => {
    const other = await open();
    const both = [units, unitsOn(other)] as const;
    const codes = ['a', 'b', 'c', 'd', 'e'];
    const unit = fc.record({ on: fc.nat(1), codes: fc.shuffledSubarray(codes, { minLength: 1 }) });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(unit, { minLength: 2, maxLength: 12 }), async (race) => {
          await pool.query('DELETE FROM shelf; DELETE FROM aggregate; DELETE FROM outbox');
          await Promise.all(race.map((one) => put(one.codes, both[one.on as 0 | 1])));
          const expected = codes.flatMap((code): [string, number][] => {
            const times = race.filter((one) => one.codes.includes(code)).length;
            return times === 0 ? [] : [[code, times]];
          });
          expect(await items()).toEqual(Object.fromEntries(expected));
          const versions = new Map<string, number>();
          for (const { key, data } of await facts()) {
            expect(data.fromVersion).toBe(versions.get(key) ?? 0);
            expect(data.toVersion).toBe(data.fromVersion + 1);
            versions.set(key, data.toVersion);
          }
          expect([...versions].sort()).toEqual(expected.map(([code, times]) => [shelfKey(code), times]));
        }),
        { numRuns: 40 },
      );
    } finally {
      await other.destroy();
    }
  });
});
