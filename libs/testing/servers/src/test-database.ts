import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type DatabaseTemplate, filledTemplate } from './database-template.ts';
import { addressesOf, queryOnce } from './query-once.ts';
import { sharedPostgres } from './shared-postgres.ts';

const LOOKS_MAX = 20;
const LOOK_MS = 25;

export interface TestDatabase {
  /** Of the role that apps work as, which has no rights but those that a migration grants (ADR 0015). */
  readonly url: string;
  /** Of the role that owns the database and may do anything: for migrations, and for what a spec sets up by SQL. */
  readonly ownerUrl: string;
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
  const server = await sharedPostgres();
  const name = `test_${randomBytes(6).toString('hex')}`;
  // Files are copied in half the time that it takes to write every page to the log, too.
  const source = template ? await filledTemplate(server, template) : 'template1';
  await queryOnce(server.ownerUrl, `CREATE DATABASE ${name} TEMPLATE ${source} STRATEGY file_copy`);
  const addresses = addressesOf(server, name);
  if (process.env['ONEPOOL_TEST_LOG']) process.stderr.write(`test database: ${addresses.ownerUrl}\n`);
  return Object.freeze({
    ...addresses,
    name,
    drop: async () => {
      await sessionsLeave(server.ownerUrl, name);
      await queryOnce(server.ownerUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  });
}

/**
 * Waits a moment for sessions that are on their way out: a pool that has ended still closes its sockets, and one that is
 * ended by force then has an error for nobody. A spec that left sessions behind on purpose loses little time.
 */
async function sessionsLeave(serverUrl: string, name: string): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const [left] = await queryOnce(serverUrl, 'SELECT FROM pg_stat_activity WHERE datname = $1 LIMIT 1', [name]);
    if (left === undefined) return;
    await delay(LOOK_MS);
  }
}
