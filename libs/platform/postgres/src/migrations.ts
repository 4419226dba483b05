import pg from 'pg';
import { DataSource, MigrationExecutor, type Logger, type MigrationInterface, type QueryRunner } from 'typeorm';
import { sessionOptions } from './pool.ts';
import { waitForPostgres } from './wait-for-postgres.ts';

/** A TypeORM migration class. Its name ends in a 13-digit JavaScript timestamp, by which migrations are ordered. */
export type Migration = new () => MigrationInterface;

export interface MigrationOptions {
  readonly url: string;
  /** Created if absent. It is the `search_path` of the migrations, and the table of applied migrations lives in it. */
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** How long to wait for a server that is still starting, 30 s unless told. */
  readonly connectTimeoutMs?: number;
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
 * Brings a schema up to date and returns the names of the migrations that this call applied.
 *
 * Any number of replicas may call it at once: a session advisory lock derived from the schema's name lets one through
 * at a time, and those behind find nothing left to do. The lock and the migrations share one session, so a lock that is
 * lost takes the migrations with it. All pending migrations are one transaction: if one fails, none is applied.
 */
export async function runMigrations(options: MigrationOptions): Promise<readonly string[]> {
  await waitForPostgres({ url: options.url, timeoutMs: options.connectTimeoutMs ?? 30_000 });
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    migrations: [...options.migrations],
    migrationsTableName: 'migrations',
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
      return await migrateUnderLock(dataSource, runner, options.schema);
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
  schema: string,
): Promise<readonly string[]> {
  await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`onepool.migrations.${schema}`]);
  await runner.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
  const executor = new MigrationExecutor(dataSource, runner);
  executor.transaction = 'all';
  const applied = await executor.executePendingMigrations();
  return applied.map((migration) => migration.name);
}
