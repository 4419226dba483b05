import { runMigrations } from '@onepool/platform-postgres';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import { SCHEMA } from '../config.ts';
import { migrations } from '../migrations/index.ts';

/** A database of the caller's own with the app's migrations applied: a copy of one that the run has migrated once. */
export const createMigratedDatabase = (): Promise<TestDatabase> =>
  createTestDatabase({
    name: SCHEMA,
    fill: (url) => runMigrations({ url, schema: SCHEMA, migrations }),
  });
