/** The app's role: what is declared for it fits the schema, and more than rows it may not (ADR 0015). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditRights, createPool, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { createAvailabilityApp } from './availability-app.ts';
import { CATALOG_SCHEMA, SCHEMA } from './config.ts';
import { schemas } from './database.ts';
import { feed, feedsOn, refusalsOf } from './feed-specs/feeding.ts';
import { type AppFixture, createAppFixture } from './testing/app-fixture.ts';
import { type PoolFixture, SPEC, createPoolFixture } from './testing/pool-fixture.ts';

let pool: PoolFixture;
let role: pg.Pool;

const poolOf = (url: string, max = 2): pg.Pool =>
  createPool({
    url,
    max,
    schema: SCHEMA,
    applicationName: 'roles-spec',
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  });

beforeAll(async () => {
  pool = await createPoolFixture(2, 3);
  role = poolOf(pool.url);
});

afterAll(async () => {
  await role.end();
  await pool.close();
});

const refused = (sql: string, code = '42501'): Promise<void> =>
  expect(role.query(sql).then(() => `${sql} was allowed`)).rejects.toMatchObject({ code });

describe('the declared rights', () => {
  it('name every table, and nothing that is not there', async () => {
    const owner = poolOf(pool.ownerUrl);
    for (const declaration of schemas) expect(await auditRights(owner, declaration)).toEqual([]);
    await owner.end();
  });

  it('are rows only: no table may be emptied, changed, dropped, or given a trigger', async () => {
    const tables: { name: string }[] = await pool.dataSource.query(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
      [SCHEMA],
    );
    expect(tables.length).toBeGreaterThan(20);
    for (const { name } of tables) {
      await refused(`TRUNCATE ${name}`);
      await refused(`ALTER TABLE ${name} ADD COLUMN more integer`);
      await refused(`ALTER TABLE ${name} DISABLE TRIGGER ALL`);
      await refused(`DROP TABLE ${name}`);
      await refused(`CREATE TRIGGER t BEFORE INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()`);
    }
  });

  it.each([
    'UPDATE ledger SET quantity = quantity + 1',
    'DELETE FROM ledger',
    'UPDATE outbox SET key = key',
    `INSERT INTO identity.role (name, scopes) VALUES ('mine', '{all}')`,
    'UPDATE identity.api_key SET revoked_at = NULL',
    'UPDATE identity.identity_version SET epoch = epoch + 1',
    `INSERT INTO migration (name, sha256) VALUES ('stock/9999-later', '')`,
    'DELETE FROM reservation',
    'CREATE TABLE mine (n integer)',
    'CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
    `SET session_replication_role = 'replica'`,
    'SELECT ledger_is_append_only()',
  ])('do not reach to: %s', (sql) => refused(sql));
});

describe('the stock', () => {
  it('is held and counted by a role that the schema of the catalogue does not let in', async () => {
    const apart = await createPoolFixture(2, 1);
    try {
      const name = new URL(apart.url).username;
      await apart.dataSource.query(`REVOKE ALL ON SCHEMA ${CATALOG_SCHEMA} FROM ${name}`);
      await apart.receive('sku1', 'n1', 2);
      const lines = [{ sku: 'sku1', quantity: 2 }];
      expect(await apart.engine().hold(SPEC, { id: 'h1', channel: 'web', lines })).toMatchObject({ ok: true });
      const feeds = feedsOn(apart);
      expect(await feed(feeds, [{ sku: 'sku1', node: 'n2', quantity: 3 }], {})).toMatchObject({ rows: { applied: 1 } });
      await feeds.close();
    } finally {
      await apart.close();
    }
  });
});

describe('functions with rights of their owner', () => {
  it('build no SQL out of what a caller says', async () => {
    await refused(`SELECT index_feed_stage(1, 1, 'line); DROP TABLE ledger; --')`, 'P0001');
    await refused(`SELECT drop_feed_stage(1, 'x')`, '22P02');
  });

  it('take no object of a caller for one of the schema', async () => {
    const client = await role.connect();
    await client.query('BEGIN; CREATE TEMP TABLE feed_stage (mine integer); SET LOCAL search_path = pg_temp');
    await client.query(`SELECT ${SCHEMA}.create_feed_stage(77, 1)`);
    const { rows } = await client.query(`SELECT * FROM ${SCHEMA}.feed_stage_77_1`);
    expect(rows).toEqual([]);
    await expect(client.query(`SELECT mine FROM ${SCHEMA}.feed_stage_77_1`)).rejects.toMatchObject({ code: '42703' });
    await client.query('ROLLBACK');
    client.release();
  });
});

describe('an owner that is no superuser', () => {
  it('suffices for every migration, and for feeds with all they do to their staging tables', async () => {
    const made = await createTestDatabase();
    const admin = poolOf(made.ownerUrl);
    const owner = `owner_${made.name}`;
    await admin.query(
      `CREATE ROLE ${owner} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE ${made.name} TO ${owner}`,
    );
    const ownerUrl = Object.assign(new URL(made.ownerUrl), { username: owner, password: 'secret' }).href;
    const reports = await runMigrations({ schemas, url: ownerUrl, runtimeUrl: made.url });
    expect(reports.map(({ warning }) => warning)).toEqual(schemas.map(() => undefined));
    const other = await createPoolFixture(2, 3, { ...made, ownerUrl });
    const feeds = feedsOn(other);
    try {
      const rows = [
        { sku: 'sku1', node: 'n1', quantity: 4, recordId: 'r1' },
        { sku: 'sku1', node: 'n1', quantity: 4, recordId: 'r2' },
        { sku: 'sku2', node: 'n1', quantity: 6, recordId: 'r1' },
      ];
      const done = await feed(feeds, rows, { id: 'whole', completeness: 'full' });
      expect(done).toMatchObject({ state: 'done', rows: { received: 3, applied: 1, refused: 2 } });
      expect(await refusalsOf(feeds, 'whole')).toMatchObject([{ code: 'row.duplicate' }, { code: 'record.duplicate' }]);
      expect(await feed(feeds, [{ sku: 'sku2', node: 'n2', quantity: 1 }], { mode: 'delta' })).toMatchObject({
        state: 'done',
        rows: { applied: 1 },
      });
      const left = await admin.query(`SELECT relname FROM pg_class WHERE relname LIKE 'feed\\_stage\\_%'`);
      expect(left.rows).toEqual([]);
    } finally {
      await feeds.close();
      await other.close();
      await admin.query(`DROP OWNED BY ${owner} CASCADE`);
      await admin.end();
      await made.drop();
      const server = poolOf(pool.ownerUrl);
      await server.query(`DROP ROLE ${owner}`);
      await server.end();
    }
  });
});

describe('feeds that were under way before there was a role of the app', () => {
  it('are let in to their staging tables by the next migrate', async () => {
    const owner = poolOf(pool.ownerUrl);
    await owner.query('CREATE TABLE feed_stage_900_1 (LIKE feed_stage)');
    await refused('SELECT FROM feed_stage_900_1');
    await runMigrations({ schemas, url: pool.ownerUrl, runtimeUrl: pool.url });
    expect((await role.query('DELETE FROM feed_stage_900_1')).rowCount).toBe(0);
    await owner.query('DROP TABLE feed_stage_900_1');
    await owner.end();
  });
});

describe('the app', () => {
  let app: AppFixture;
  beforeAll(async () => {
    app = await createAppFixture();
  });
  afterAll(() => app.close());

  it('does not migrate, and says what to do when that was not done', async () => {
    const empty = await createTestDatabase();
    const start = createAvailabilityApp({ ...app.config, DATABASE_URL: empty.url }, app.logger);
    await expect(start).rejects.toThrow(/^The schema identity lacks .* migrations: run this app's migrate.*$/);
    await empty.drop();
  });

  it('says nothing about its role when that has rows only', () => {
    expect(app.log.filter((line) => line.includes("The app's role"))).toEqual([]);
  });

  it('warns, in one line, when it is started as the owner', async () => {
    const before = app.log.length;
    const asOwner = { ...app.config, DATABASE_URL: app.database.ownerUrl, ONEPOOL_INSTANCE: 'as-owner' };
    await (await createAvailabilityApp(asOwner, app.logger)).close();
    const warnings = app.log.slice(before).filter((line) => line.includes("The app's role"));
    expect(warnings).toEqual([expect.stringContaining('give DATABASE_URL a role of its own')]);
  });
});
