import { runMigrations } from '@onepool/platform-postgres';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import { SCHEMA } from '../config.ts';
import { schemas } from '../database.ts';

export type DatabaseAddresses = Pick<TestDatabase, 'url' | 'ownerUrl'>;

/** Applies the app's migrations and gives its role the declared rights. */
export async function migrated<Addresses extends DatabaseAddresses>(at: Addresses): Promise<Addresses> {
  await runMigrations({ schemas, url: at.ownerUrl, runtimeUrl: at.url });
  return at;
}

/** A database of the caller's own with the app's migrations applied: a copy of one that the run has migrated once. */
export const createMigratedDatabase = (): Promise<TestDatabase> => createTestDatabase({ name: SCHEMA, fill: migrated });
