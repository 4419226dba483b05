import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { sharedPostgresUrl } from './shared-postgres.ts';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Ends the database's sessions and removes it; may be called twice. */
  drop(): Promise<void>;
}

/**
 * A new, empty database on the run's shared server. The name is random; `ONEPOOL_TEST_LOG=1` prints it.
 *
 * @example const database = await createTestDatabase(); afterAll(() => database.drop());
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await sharedPostgresUrl();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  if (process.env['ONEPOOL_TEST_LOG']) process.stderr.write(`test database: ${url.href}\n`);
  return Object.freeze({
    url: url.href,
    name,
    drop: () => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  });
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
