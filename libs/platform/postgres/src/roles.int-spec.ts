/** What a database administrator may have arranged before `migrate` runs, and what becomes of it (ADR 0015). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { OperatorError } from '@onepool/platform-config';
import { createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { auditRights } from './audit-rights.ts';
import type { SchemaDeclaration } from './migrations/migration-files.ts';
import { runMigrations } from './migrations/run-migrations.ts';
import { requireSchemas } from './require-schemas.ts';
import type { SchemaRights } from './rights.ts';
import { removeWrittenParts, writtenPart } from './spec-support/written-part.ts';

const rights: SchemaRights = {
  tables: { shelf: ['SELECT', 'INSERT', 'UPDATE'], ledger: ['SELECT', 'INSERT'], box: ['SELECT'] },
  functions: ['make_tray'],
};
const SCHEMA = 'shelves';
const first = {
  '0001-shelves': `
    CREATE TABLE shelf (id integer GENERATED ALWAYS AS IDENTITY, label text);
    CREATE TABLE ledger (id integer);
    CREATE FUNCTION make_tray(number integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
      BEGIN EXECUTE format('CREATE TABLE %I ()', 'tray_' || number); END $$;`,
};
const boxes = { '0002-boxes': 'CREATE TABLE box (id integer)' };
const both = { ...first, ...boxes };
const declared = (files: Readonly<Record<string, string>>, as = rights, schema = SCHEMA): SchemaDeclaration => ({
  schema,
  parts: [writtenPart('shelves', files, as)],
});

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: pg.Client;
const made: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.ownerUrl });
  await admin.connect();
});

afterEach(async () => {
  await admin.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; GRANT CONNECT ON DATABASE ${database.name} TO PUBLIC`);
  const { rows } = await admin.query<{ role: string }>('SELECT rolname AS role FROM pg_roles WHERE rolname = ANY($1)', [
    made.splice(0),
  ]);
  for (const { role } of rows) await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
});

afterAll(async () => {
  removeWrittenParts();
  await admin.end();
  await database.drop();
});

/** An address in the test's database, of a role that need not exist. */
function addressOf(role: string, password = 'secret'): string {
  return Object.assign(new URL(database.url), { username: role, password }).href;
}

/** A name for a role, which is the whole server's. */
function nameOf(what: string): string {
  const name = `${what}_${randomBytes(5).toString('hex')}`;
  made.push(name);
  return name;
}

async function makeRole(what: string, attributes = ''): Promise<string> {
  const name = nameOf(what);
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' ${attributes}`);
  return name;
}

async function ask(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${SCHEMA}` });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const sql of statements) rows = (await client.query(sql)).rows as unknown[];
    return rows;
  } finally {
    await client.end();
  }
}

const migrate = async (owner: string, app: string, files: Readonly<Record<string, string>> = both, as = rights) =>
  (await runMigrations({ url: owner, schemas: [declared(files, as)], runtimeUrl: app }))[0]!;
const startApp = (url: string, files: Readonly<Record<string, string>> = both) =>
  requireSchemas({ url, schemas: [declared(files)], connectTimeoutMs: 1_000 });
const refusal = (work: Promise<unknown>): Promise<OperatorError> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => (error instanceof OperatorError ? error : Promise.reject(error as Error)),
  );

describe('migrate and the role of an app', () => {
  it('makes the role with the password of its address, with exactly the declared rights, and never in plain text', async () => {
    const app = nameOf('app');
    expect(await migrate(database.ownerUrl, addressOf(app))).toMatchObject({ role: app, warning: undefined });
    expect(await startApp(addressOf(app))).toEqual([]);
    await ask(addressOf(app), `INSERT INTO shelf (label) VALUES ('a')`, `UPDATE shelf SET label = 'b'`, 'TABLE box');
    await ask(addressOf(app), 'SELECT make_tray(7)');
    for (const sql of [
      'DELETE FROM shelf',
      'TRUNCATE shelf',
      'ALTER TABLE shelf ADD COLUMN x integer',
      'DROP TABLE shelf',
      'UPDATE ledger SET id = 1',
      'DELETE FROM ledger',
      'CREATE TABLE mine ()',
      'TABLE tray_7',
    ])
      await expect(ask(addressOf(app), sql)).rejects.toMatchObject({ code: '42501' });
    const { rows } = await admin.query('SELECT rolpassword AS kept FROM pg_authid WHERE rolname = $1', [app]);
    expect(rows[0]).toEqual({ kept: expect.stringMatching(/^SCRAM-SHA-256\$/) });
  });

  it('changes nothing when it is run again, and follows the declaration when that changes', async () => {
    const app = addressOf(nameOf('app'));
    await migrate(database.ownerUrl, app);
    expect(await migrate(database.ownerUrl, app)).toMatchObject({ applied: [], grants: [] });
    const narrower = { tables: { ...rights.tables, shelf: ['SELECT'] } } as const;
    const { grants } = await migrate(database.ownerUrl, app, both, narrower);
    expect(grants).toEqual([
      expect.stringMatching(/^REVOKE INSERT, UPDATE ON TABLE shelves.shelf FROM/),
      expect.stringMatching(/^REVOKE EXECUTE ON FUNCTION shelves.make_tray\(integer\) FROM/),
    ]);
    expect((await refusal(startApp(app))).message).toMatch(
      /lacks rights .*GRANT INSERT, UPDATE ON TABLE shelves.shelf/,
    );
  });

  it('gives a table of a later migration its rights together with it', async () => {
    const app = addressOf(nameOf('app'));
    await migrate(database.ownerUrl, app, first);
    expect((await migrate(database.ownerUrl, app)).applied).toEqual(['shelves/0002-boxes']);
    await ask(app, 'TABLE box');
  });

  it('works for an owner that may make neither roles nor schemas, in what an administrator made beforehand', async () => {
    const owner = await makeRole('owner');
    const app = await makeRole('app');
    await admin.query(`CREATE SCHEMA ${SCHEMA} AUTHORIZATION ${owner}`);
    await migrate(addressOf(owner), addressOf(app));
    expect(await startApp(addressOf(app))).toEqual([]);
    await ask(addressOf(app), 'SELECT make_tray(1)');
  });

  it('says which SQL an administrator has to run when the role is absent and may not be made, and changes nothing', async () => {
    const owner = await makeRole('owner');
    await admin.query(`CREATE SCHEMA ${SCHEMA} AUTHORIZATION ${owner}`);
    const { message } = await refusal(migrate(addressOf(owner), addressOf('app_that_is_not', 'hidden')));
    expect(message).toContain(`CREATE ROLE "app_that_is_not" LOGIN PASSWORD '…';`);
    expect(message).not.toContain('hidden');
    expect(await ask(addressOf(owner), `SELECT to_regclass('shelves.shelf') AS shelf`)).toEqual([{ shelf: null }]);
  });

  it('needs no grant for what the role has through a group', async () => {
    const group = nameOf('group');
    const app = await makeRole('app');
    await admin.query(`CREATE ROLE ${group} NOLOGIN; GRANT ${group} TO ${app}`);
    await migrate(database.ownerUrl, addressOf(await makeRole('other')));
    await admin.query(
      `GRANT USAGE ON SCHEMA ${SCHEMA} TO ${group}; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${SCHEMA} TO ${group}`,
    );
    const { grants } = await migrate(database.ownerUrl, addressOf(app), both, {
      tables: { shelf: ['SELECT', 'INSERT'] },
    });
    expect(grants).toEqual([]);
  });

  it('asks who the sessions of the app work as, whatever user its address names', async () => {
    const [login, worker] = [await makeRole('login'), await makeRole('worker')];
    await admin.query(`GRANT ${worker} TO ${login}; ALTER ROLE ${login} SET role = ${worker}`);
    expect(await migrate(database.ownerUrl, addressOf(login))).toMatchObject({ role: worker });
    expect(await startApp(addressOf(login))).toEqual([]);
  });

  it('never changes a password: one that is wrong is said to be', async () => {
    const app = await makeRole('app');
    const { message } = await refusal(migrate(database.ownerUrl, addressOf(app, 'mistyped')));
    expect(message).toMatch(new RegExp(`refuses the role ${app} .*correct user and password in DATABASE_URL`));
    expect(message).not.toContain('mistyped');
    expect(await ask(addressOf(app), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('makes no role when a migration or a grant fails', async () => {
    const app = nameOf('app');
    const broken = { ...both, '0003-broken': 'SELECT 1 / 0' };
    const rolesNamed = async (): Promise<number | null> =>
      (await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [app])).rowCount;
    await expect(migrate(database.ownerUrl, addressOf(app), broken)).rejects.toThrow('zero');
    expect(await rolesNamed()).toBe(0);

    await migrate(database.ownerUrl, addressOf(await makeRole('other')));
    const owner = await makeRole('owner', 'CREATEROLE');
    await admin.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO ${owner}; GRANT SELECT ON ${SCHEMA}.migration TO ${owner}`);
    const { message } = await refusal(migrate(addressOf(owner), addressOf(app)));
    expect(message).toMatch(/may not grant what the app needs.* Nothing was changed/);
    expect(await rolesNamed()).toBe(0);
  });

  it('lets five apps of one role migrate at once, a schema each', async () => {
    const app = addressOf(nameOf('app'));
    const apps = ['a', 'b', 'c', 'd', 'e'].map((schema) => declared(boxes, { tables: { box: ['SELECT'] } }, schema));
    const each = apps.map((one) => ({ url: database.ownerUrl, schemas: [one], runtimeUrl: app }));
    await Promise.all(each.map((options) => runMigrations(options)));
    expect(await requireSchemas({ url: app, schemas: apps })).toEqual([]);
    for (const { schema } of apps) await admin.query(`DROP SCHEMA ${schema} CASCADE`);
  });

  it('lets the role CONNECT where not everybody may', async () => {
    const app = await makeRole('app');
    await admin.query(`REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`);
    await migrate(database.ownerUrl, addressOf(app));
    expect(await startApp(addressOf(app))).toEqual([]);
  });

  it('leaves a schema of a later release as it is', async () => {
    const app = addressOf(nameOf('app'));
    await migrate(database.ownerUrl, app);
    const older = { tables: { shelf: ['SELECT'] } } as const;
    expect(await migrate(database.ownerUrl, app, first, older)).toMatchObject({
      applied: [],
      grants: [],
      warning: expect.stringContaining('later release'),
    });
    await ask(app, 'TABLE box');
  });

  it('says who has to be asked when tables belong to another owner', async () => {
    await migrate(database.ownerUrl, addressOf(nameOf('app')), first);
    const stranger = await makeRole('stranger');
    await admin.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO ${stranger}`);
    expect((await refusal(migrate(addressOf(stranger), addressOf(await makeRole('app'))))).message).toMatch(
      new RegExp(`The role ${stranger} of DATABASE_OWNER_URL lacks a right`),
    );
  });

  it.each([
    [
      'an address nobody listens at',
      'postgres://a:b@127.0.0.1:1/x',
      /does not answer \(.*ECONNREFUSED.*\): start it, or correct/,
    ],
    ['something that is no address', 'postgres://a:b@127.0.0.1:port/x', /is no address like postgres:/],
  ])('says in a sentence what to do about %s', async (_, url, sentence) => {
    const migrating = runMigrations({ url, schemas: [declared(both)], connectTimeoutMs: 300 });
    expect((await refusal(migrating)).message).toMatch(sentence);
    expect((await refusal(startApp(url))).message).toMatch(sentence);
  });
});

describe('an app that starts', () => {
  it.each([
    ['nothing was migrated', {}, /lacks 2 of 2 migrations: run this app's migrate/],
    ['a migration is missing', first, /lacks 1 of 2 migrations/],
  ])('refuses when %s', async (_, files, sentence) => {
    const app = addressOf(nameOf('app'));
    await migrate(database.ownerUrl, app, files, { tables: {} });
    const { message } = await refusal(startApp(app));
    expect(message).toMatch(sentence);
    expect(message).not.toContain('\n');
  });

  it('refuses when its role was never let in to the schema', async () => {
    await migrate(database.ownerUrl, addressOf(nameOf('app')));
    const other = await makeRole('other');
    expect((await refusal(startApp(addressOf(other)))).message).toMatch(
      `The role ${other} may not use the schema shelves`,
    );
  });

  it('goes on with a schema of a later release, and says so', async () => {
    const app = addressOf(nameOf('app'));
    await migrate(database.ownerUrl, app);
    expect(await startApp(app, first)).toEqual([expect.stringContaining('of a later release')]);
  });

  it.each([
    ['a superuser', true],
    ['the owner of its tables', false],
  ])('warns when its role is %s, and works', async (_, isSuperuser) => {
    const role = await makeRole('single', isSuperuser ? 'SUPERUSER' : '');
    await admin.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
    const { warning, grants } = await migrate(addressOf(role), addressOf(role));
    expect({ warning, grants }).toEqual({ warning: expect.stringContaining(`The app's role ${role}`), grants: [] });
    expect(await startApp(addressOf(role))).toEqual([warning]);
  });
});

describe('the audit of a declaration', () => {
  it('finds nothing to say about one that fits', async () => {
    await migrate(database.ownerUrl, addressOf(nameOf('app')));
    expect(await auditRights(admin, declared(both))).toEqual([]);
  });

  it("names tables without a right, rights without a table, and functions whose search_path is the caller's", async () => {
    await migrate(database.ownerUrl, addressOf(nameOf('app')));
    await admin.query(`ALTER FUNCTION ${SCHEMA}.make_tray RESET search_path`);
    const tables = { shelf: ['SELECT'], ledger: ['SELECT'], gone: ['SELECT'] } as const;
    expect(await auditRights(admin, declared(both, { ...rights, tables }))).toEqual([
      'no right is declared for the table box',
      'rights are declared for a table gone, which does not exist',
      "the function make_tray has its owner's rights and no fixed search_path",
    ]);
  });
});
