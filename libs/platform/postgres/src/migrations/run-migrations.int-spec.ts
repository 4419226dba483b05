import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OperatorError } from '@onepool/platform-config';
import { createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { requireSchemas } from '../require-schemas.ts';
import { removeWrittenParts, writtenPart } from '../spec-support/written-part.ts';
import { waitForPostgres } from '../wait-for-postgres.ts';
import type { SchemaDeclaration } from './migration-files.ts';
import { runMigrations } from './run-migrations.ts';

const CREATE = 'CREATE TABLE shelf (id int PRIMARY KEY); INSERT INTO shelf VALUES (1);';
const GROW = 'UPDATE shelf SET id = id + 1';
const BREAK = 'CREATE TABLE half (id int);\n\nSELECT 1 / 0 AS\n';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

afterEach(async () => {
  removeWrittenParts();
  await client.end();
  await database.drop();
});

const shelves = (files: Readonly<Record<string, string>>, schema = 'shelves'): SchemaDeclaration => ({
  schema,
  parts: [writtenPart('shelf', files, { tables: { shelf: ['SELECT'] } })],
});
const migrate = async (...schemas: readonly SchemaDeclaration[]): Promise<readonly string[]> =>
  (await runMigrations({ url: database.ownerUrl, schemas })).flatMap(({ applied }) => applied);
const rows = async (sql: string): Promise<unknown[]> => (await client.query(sql)).rows as unknown[];

describe('runMigrations', () => {
  it('applies each migration once when five replicas start at once, and remembers it', async () => {
    const declaration = shelves({ '0001-create': CREATE, '0002-grow': GROW });
    const applied = (await Promise.all(Array.from({ length: 5 }, () => migrate(declaration)))).flat();
    expect(applied).toEqual(['shelf/0001-create', 'shelf/0002-grow']);
    expect(await rows('SELECT id FROM shelves.shelf')).toEqual([{ id: 2 }]);
    expect(await rows('SELECT name, octet_length(sha256) AS hash FROM shelves.migration ORDER BY name')).toEqual([
      { name: 'shelf/0001-create', hash: 32 },
      { name: 'shelf/0002-grow', hash: 32 },
    ]);
  });

  it('applies the parts of a schema in the order of their list, and a later file of an early part when it comes', async () => {
    const box = writtenPart('box', { '0001-create': 'CREATE TABLE box AS TABLE shelf' }, { tables: {} });
    const early = shelves({ '0001-create': CREATE });
    const late = shelves({ '0001-create': CREATE, '0002-grow': GROW });
    expect(await migrate({ ...early, parts: [...early.parts, box] })).toEqual(['shelf/0001-create', 'box/0001-create']);
    expect(await migrate({ ...late, parts: [...late.parts, box] })).toEqual(['shelf/0002-grow']);
  });

  it('leaves nothing half applied when a migration fails, says where it did, and finishes once it is mended', async () => {
    const failing = migrate(shelves({ '0001-create': CREATE, '0002-break': BREAK }));
    await expect(failing).rejects.toThrow('shelf/0002-break.sql, line 4: syntax error at end of input');
    const dividing = migrate(shelves({ '0001-create': CREATE, '0002-break': 'SELECT 1 / 0' }));
    await expect(dividing).rejects.toMatchObject({ message: 'shelf/0002-break.sql: division by zero', code: '22012' });
    expect(await rows(`SELECT to_regclass('shelves.shelf') AS shelf`)).toEqual([{ shelf: null }]);
    expect(await migrate(shelves({ '0001-create': CREATE }))).toEqual(['shelf/0001-create']);
  });

  it('keeps the schemas before the one that fails, and goes on from there', async () => {
    const first = shelves({ '0001-create': CREATE }, 'first');
    await expect(migrate(first, shelves({ '0001-create': 'SELECT 1 / 0' }, 'second'))).rejects.toThrow('zero');
    const second = shelves({ '0001-create': CREATE }, 'second');
    const reports = await runMigrations({ url: database.ownerUrl, schemas: [first, second] });
    expect(reports).toMatchObject([
      { schema: 'first', applied: [] },
      { schema: 'second', applied: ['shelf/0001-create'] },
    ]);
  });

  it('refuses a migration that was changed after it was applied, with its name, when that was and what to do, and changes nothing', async () => {
    await migrate(shelves({ '0001-create': CREATE }));
    const changed = shelves({ '0001-create': `${CREATE} -- and a word`, '0002-grow': GROW });
    const sentence =
      /^The migration shelf\/0001-create\.sql was changed after it was applied to the schema shelves on \d{4}-\d\d-\d\dT.*Z: restore the file/;
    await expect(migrate(changed)).rejects.toThrow(OperatorError);
    await expect(migrate(changed)).rejects.toThrow(sentence);
    await expect(requireSchemas({ url: database.ownerUrl, schemas: [changed] })).rejects.toThrow(sentence);
    expect(await rows('SELECT id FROM shelves.shelf')).toEqual([{ id: 1 }]);
  });

  it('refuses tables that it knows no migrations of', async () => {
    await client.query('CREATE SCHEMA shelves; CREATE TABLE shelves.migrations (name text)');
    await expect(migrate(shelves({ '0001-create': CREATE }))).rejects.toThrow(
      'The schema shelves has tables, and no record of the migrations that made them: give this app an empty schema.',
    );
  });

  it('gives functions a search_path in which temporary tables come last', async () => {
    const body = `BEGIN RETURN current_setting('search_path'); END`;
    const definer = `CREATE FUNCTION path() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$ ${body} $$`;
    await migrate(shelves({ '0001-create': CREATE, '0002-path': definer }));
    expect(await rows('SELECT shelves.path()')).toEqual([{ path: 'shelves, pg_temp' }]);
  });
});

describe('waitForPostgres', () => {
  it('gives up within its bound when nobody listens', async () => {
    await expect(waitForPostgres({ url: 'postgres://localhost:1/none', timeoutMs: 600 })).rejects.toThrow();
  });

  it('does not wait for a database that will never exist', async () => {
    const url = new URL(database.ownerUrl);
    url.pathname = '/no_such_database';
    await expect(waitForPostgres({ url: url.href })).rejects.toMatchObject({ code: '3D000' });
  });
});
