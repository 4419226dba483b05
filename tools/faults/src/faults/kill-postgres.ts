import pg from 'pg';
import { onSystem } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { killAndMeasure } from './killed-server.ts';

/** `kill -9` of PostgreSQL's postmaster: calls get 503 until it has recovered, and the apps live on. */
export const killPostgres: Fault = {
  name: 'kill-postgres',
  ends: ['postgres'],
  prepare: onSystem((stage) =>
    killAndMeasure(stage, { name: 'postgres', isBack: ({ system }) => answers(system.databaseUrl) }),
  ),
};

/** On a connection of its own: a pool might still hold one from before. */
async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
