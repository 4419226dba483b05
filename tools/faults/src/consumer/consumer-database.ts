/** The consumer's own database, on the system's PostgreSQL: an inbox, and a row for each effect. */
import { messagingTables } from '@onepool/platform-messaging';
import { partitionTables, runMigrations, withClient } from '@onepool/platform-postgres';

export const CONSUMER_SCHEMA = 'faults';
const DATABASE = 'faults';
/** The server may be busy copying its template. */
const PATIENCE_MS = 60_000;

/** Makes the database and answers its address. */
export async function createConsumerDatabase(serverUrl: string): Promise<string> {
  await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${DATABASE}`), PATIENCE_MS);
  const url = Object.assign(new URL(serverUrl), { pathname: `/${DATABASE}` }).href;
  await runMigrations({ url, schemas: [{ schema: CONSUMER_SCHEMA, parts: [partitionTables, messagingTables] }] });
  const effects = `CREATE TABLE ${CONSUMER_SCHEMA}.effect (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    event_id text NOT NULL,
    key text NOT NULL,
    from_version bigint,
    to_version bigint
  )`;
  await withClient(url, (client) => client.query(effects));
  return url;
}
