/** The migrated database is what `schema.sql` says, and what TypeORM's entities take it for. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogEntities } from '@onepool/catalog-data-access';
import { describeSchemas } from '@onepool/platform-postgres';
import type { TestDatabase } from '@onepool/testing-servers';
import { DataSource } from 'typeorm';
import { CATALOG_SCHEMA } from './config.ts';
import { createMigratedDatabase } from './testing/migrated-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

describe('the migrated database', () => {
  it('is what schema.sql says; `npm run onepool -- schema write` writes it anew', async () => {
    const written = readFileSync(join(import.meta.dirname, '../schema.sql'), 'utf8');
    expect((await describeSchemas(database.ownerUrl)).split('\n')).toEqual(written.split('\n'));
  });

  it('leaves nothing for TypeORM to change so that it fits the entities', async () => {
    const source = new DataSource({
      type: 'postgres',
      url: database.ownerUrl,
      schema: CATALOG_SCHEMA,
      entities: catalogEntities,
      installExtensions: false,
    });
    await source.initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});
