import { randomBytes } from 'node:crypto';
import { type DatabaseTemplate, filledTemplate } from './database-template.ts';
import { databaseAt, queryOnce } from './query-once.ts';
import { sharedPostgresUrl } from './shared-postgres.ts';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Ends the database's sessions and removes it; may be called twice. */
  drop(): Promise<void>;
}

/**
 * A new database on the run's shared server: empty, or a copy of a template. The name is random; `ONEPOOL_TEST_LOG=1`
 * prints it.
 *
 * @example const database = await createTestDatabase(); afterAll(() => database.drop());
 */
export async function createTestDatabase(template?: DatabaseTemplate): Promise<TestDatabase> {
  const server = await sharedPostgresUrl();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const source = template ? ` TEMPLATE ${await filledTemplate(server, template)}` : '';
  await queryOnce(server, `CREATE DATABASE ${name}${source}`);
  const url = databaseAt(server, name);
  if (process.env['ONEPOOL_TEST_LOG']) process.stderr.write(`test database: ${url}\n`);
  return Object.freeze({
    url,
    name,
    drop: async () => void (await queryOnce(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  });
}
