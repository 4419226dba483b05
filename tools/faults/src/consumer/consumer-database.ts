/** The consumer's own database, on the system's PostgreSQL: an inbox, and a row for each effect. */
import { messagingMigration } from '@onepool/platform-messaging';
import pg from 'pg';

export const CONSUMER_SCHEMA = 'faults';
const DATABASE = 'faults';

/** Makes the database and answers its address. */
export async function createConsumerDatabase(serverUrl: string): Promise<string> {
  await run(serverUrl, [`CREATE DATABASE ${DATABASE}`]);
  const url = new URL(serverUrl);
  url.pathname = `/${DATABASE}`;
  await run(url.href, [
    `CREATE SCHEMA ${CONSUMER_SCHEMA}`,
    ...messagingMigration(CONSUMER_SCHEMA),
    `CREATE TABLE ${CONSUMER_SCHEMA}.effect (
       seq bigint GENERATED ALWAYS AS IDENTITY,
       event_id text NOT NULL,
       key text NOT NULL,
       from_version bigint,
       to_version bigint
     )`,
  ]);
  return url.href;
}

async function run(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
