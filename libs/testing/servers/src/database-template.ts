/**
 * Databases that others are copied from. The first spec of a run that asks for one fills it, under a lock; every later
 * one copies it, which is much quicker than running migrations again.
 */
import { join } from 'node:path';
import { underLock } from './directory-lock.ts';
import { type DatabaseAddresses, addressesOf, queryOnce } from './query-once.ts';
import { testHome } from './test-home.ts';

export interface DatabaseTemplate {
  /** Lower-case letters and underscores. Within a run one name stands for one content. */
  readonly name: string;
  /** Fills an empty database, and leaves no session there. */
  readonly fill: (database: DatabaseAddresses) => Promise<unknown>;
}

/** The name of the filled template on the server. */
export async function filledTemplate(server: DatabaseAddresses, { name, fill }: DatabaseTemplate): Promise<string> {
  const [draft, filled] = [`draft_${name}`, `template_${name}`];
  const exists = async (): Promise<boolean> => {
    const rows = await queryOnce(server.ownerUrl, 'SELECT FROM pg_database WHERE datname = $1', [filled]);
    return rows.length > 0;
  };
  if (await exists()) return filled;
  return underLock(join(testHome(), `${filled}.lock`), async () => {
    if (await exists()) return filled;
    // What a spec that was stopped half way has left is no template.
    await queryOnce(server.ownerUrl, `DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await queryOnce(server.ownerUrl, `CREATE DATABASE ${draft}`);
    await fill(addressesOf(server, draft));
    await queryOnce(server.ownerUrl, `ALTER DATABASE ${draft} RENAME TO ${filled}`);
    return filled;
  });
}
