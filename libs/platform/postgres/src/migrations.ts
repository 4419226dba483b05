import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import type { DataSource, Logger, MigrationInterface, QueryRunner } from 'typeorm';
import { grantsFor } from './grants.ts';
import { explained } from './operator-sentences.ts';
import { sessionOptions } from './pool.ts';
import { type SchemaRights, combineRights } from './rights.ts';
import { findOrMakeRole } from './runtime-role.ts';
import { readSchemaObjects } from './schema-objects.ts';
import { MIGRATIONS_TABLE, migrationRights, readAppliedMigrations, readRole } from './schema-state.ts';
import { waitForPostgres } from './wait-for-postgres.ts';

/** A TypeORM migration class. Its name ends in a 13-digit JavaScript timestamp, by which migrations are ordered. */
export type Migration = new () => MigrationInterface;

export interface MigrationOptions {
  /** Of the role that owns the schema, `DATABASE_OWNER_URL`. Of the server itself: the lock lives in the session. */
  readonly url: string;
  /** Created if absent. It is the `search_path` of the migrations, and the table of applied migrations lives in it. */
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** Whom the app logs in as (`DATABASE_URL`), and what it may do there. Without it nothing is granted. */
  readonly runtime?: { readonly url: string; readonly rights: SchemaRights };
  /** How long to wait for a server that is still starting, 30 s unless told. */
  readonly connectTimeoutMs?: number;
}

export interface MigrationReport {
  /** The migrations that this call applied. */
  readonly applied: readonly string[];
  /** The app's role, if one was named and the schema is not of a later release. */
  readonly role: string | undefined;
  /** GRANT and REVOKE as they were run. */
  readonly grants: readonly string[];
  /** Why nothing was granted, if the role needs nothing: a sentence. */
  readonly warning: string | undefined;
}

/** TypeORM prints to the console even with logging off; what a caller needs is in the result and in the error. */
const silent: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

/**
 * Brings a schema up to date as its owner, and gives the app's role exactly the rights that are declared (ADR 0015).
 *
 * Any number of callers may be at it at once: a session advisory lock derived from the schema's name lets one through
 * at a time, and those behind find nothing left to do. The lock and the migrations share one session, so a lock that is
 * lost takes the migrations with it. A role that is made, pending migrations and grants are one transaction: if one fails,
 * none is applied. A schema that knows migrations of a later release is left as it is.
 *
 * @throws OperatorError, a sentence, for whatever the operator or a database administrator has to mend.
 */
export async function runMigrations(options: MigrationOptions): Promise<MigrationReport> {
  const setting = options.runtime?.url === options.url ? 'DATABASE_URL' : 'DATABASE_OWNER_URL';
  try {
    await waitForPostgres({ url: options.url, timeoutMs: options.connectTimeoutMs ?? 30_000 });
    return await onOwnSession(options, (dataSource, runner) => migrateUnderLock(dataSource, runner, options));
  } catch (error) {
    throw explained(error, { url: options.url, setting });
  }
}

async function onOwnSession<T>(
  options: MigrationOptions,
  work: (dataSource: DataSource, runner: QueryRunner) => Promise<T>,
): Promise<T> {
  // Loaded here, because programs that import this library and never migrate start in half the time without TypeORM.
  const { DataSource } = await import('typeorm');
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    migrations: [...options.migrations],
    migrationsTableName: MIGRATIONS_TABLE,
    migrationsTransactionMode: 'all',
    installExtensions: false,
    poolSize: 1,
    applicationName: `${options.schema}-migrations`,
    extra: { options: sessionOptions({ search_path: pg.escapeIdentifier(options.schema) }) },
    logger: silent,
  });
  await dataSource.initialize();
  try {
    const runner = dataSource.createQueryRunner();
    try {
      return await work(dataSource, runner);
    } finally {
      await runner.release();
    }
  } finally {
    // Ending the session also releases the advisory lock, whatever happened before.
    await dataSource.destroy();
  }
}

async function migrateUnderLock(
  dataSource: DataSource,
  runner: QueryRunner,
  options: MigrationOptions,
): Promise<MigrationReport> {
  const { schema, migrations, runtime } = options;
  const client = (await runner.connect()) as pg.PoolClient;
  await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`onepool.migrations.${schema}`]);
  const before = await readAppliedMigrations(client, schema);
  const own = new Set(migrations.map(({ name }) => name));
  if (before?.some((name) => !own.has(name))) {
    const warning = `The schema ${schema} is of a later release; it was left as it is.`;
    return { applied: [], role: undefined, grants: [], warning };
  }
  await runner.startTransaction();
  try {
    const role = runtime && (await findOrMakeRole(client, { url: runtime.url, setting: 'DATABASE_URL' }));
    await makeSchema(client, schema);
    const { MigrationExecutor } = await import('typeorm');
    const executor = new MigrationExecutor(dataSource, runner);
    executor.transaction = 'all';
    const applied = (await executor.executePendingMigrations()).map(({ name }) => name);
    const granted =
      role === undefined || !runtime
        ? { grants: [], warning: undefined }
        : await grant(client, schema, role, combineRights(runtime.rights, migrationRights));
    await runner.commitTransaction();
    return { applied, role, ...granted };
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/** `IF NOT EXISTS` asks for the right to create a schema even where there is one. */
async function makeSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
}

async function grant(
  client: pg.ClientBase,
  schema: string,
  role: string,
  rights: SchemaRights,
): Promise<Pick<MigrationReport, 'grants' | 'warning'>> {
  const { warning } = await readRole(client, schema, role);
  if (warning !== undefined) return { grants: [], warning };
  const compare = async () => grantsFor(role, rights, await readSchemaObjects(client, schema, role));
  const { missing, excess } = await compare();
  const grants = [...excess, ...missing];
  try {
    for (const statement of grants) await client.query(statement);
  } catch (cause) {
    throw needsAdministrator(grants, cause);
  }
  // Whoever may not grant is often told so by a notice only.
  const left = (await compare()).missing;
  if (left.length > 0) throw needsAdministrator(left, undefined);
  return { grants, warning };
}

const needsAdministrator = (statements: readonly string[], cause: unknown): OperatorError =>
  new OperatorError(
    `The role of DATABASE_OWNER_URL may not grant what the app needs: have a database administrator run ` +
      `${statements.map((statement) => `${statement};`).join(' ')} then migrate again. Nothing was changed.`,
    { cause },
  );
