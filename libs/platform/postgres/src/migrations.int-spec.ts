import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { runMigrations } from './migrations.ts';
import { waitForPostgres } from './wait-for-postgres.ts';

class CreateShelf1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE shelf (id int PRIMARY KEY)');
    await runner.query('INSERT INTO shelf VALUES (1)');
  }
  async down(): Promise<void> {}
}

class GrowShelf1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('UPDATE shelf SET id = id + 1');
  }
  async down(): Promise<void> {}
}

class BreakShelf1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half (id int)');
    await runner.query('SELECT 1 / 0');
  }
  async down(): Promise<void> {}
}

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await database.drop();
});

describe('runMigrations', () => {
  it('applies each migration once when five replicas start at once', async () => {
    const migrations = [CreateShelf1700000000001, GrowShelf1700000000002];
    const starts = Array.from({ length: 5 }, () =>
      runMigrations({ url: database.ownerUrl, schema: 'shelves', migrations }),
    );
    const applied = (await Promise.all(starts)).flatMap((report) => report.applied);
    expect(applied).toEqual(['CreateShelf1700000000001', 'GrowShelf1700000000002']);
    expect((await client.query('SELECT id FROM shelves.shelf')).rows).toEqual([{ id: 2 }]);
    expect((await client.query('SELECT name FROM shelves.migrations ORDER BY name')).rows).toHaveLength(2);
  });

  it('leaves nothing half applied when a migration fails, and finishes once it is mended', async () => {
    const broken = [CreateShelf1700000000001, BreakShelf1700000000003];
    const failing = runMigrations({ url: database.ownerUrl, schema: 'shelves', migrations: broken });
    await expect(failing).rejects.toThrow('division by zero');
    const { rows } = await client.query(
      `SELECT to_regclass('shelves.shelf') AS shelf, to_regclass('shelves.half') AS half`,
    );
    expect(rows).toEqual([{ shelf: null, half: null }]);
    const mended = await runMigrations({
      url: database.ownerUrl,
      schema: 'shelves',
      migrations: [CreateShelf1700000000001],
    });
    expect(mended.applied).toEqual(['CreateShelf1700000000001']);
  });
});

describe('waitForPostgres', () => {
  it('gives up within its bound when nobody listens', async () => {
    await expect(waitForPostgres({ url: 'postgres://localhost:1/none', timeoutMs: 600 })).rejects.toThrow();
  });

  it('does not wait for a database that will never exist', async () => {
    const url = new URL(database.ownerUrl);
    url.pathname = '/no_such_database';
    await expect(waitForPostgres({ url: url.href })).rejects.toMatchObject({ code: '3D000' });
  });
});
