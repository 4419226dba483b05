import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import type { TestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { auditEffects } from './audit-effects.ts';

/** One database plays both: the tables lie in different schemas. */
let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
  await pool.query(`
    CREATE SCHEMA availability;
    CREATE SCHEMA faults;
    CREATE TABLE availability.outbox (event_id text);
    CREATE TABLE faults.effect (event_id text, key text, from_version bigint, to_version bigint)`);
});

beforeEach(() => pool.query('TRUNCATE availability.outbox, faults.effect'));

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const write = (...ids: string[]) => pool.query('INSERT INTO availability.outbox SELECT unnest($1::text[])', [ids]);
const apply = (id: string, key: string, from: number | null, to: number | null) =>
  pool.query('INSERT INTO faults.effect VALUES ($1, $2, $3, $4)', [id, key, from, to]);

describe('the comparison of facts and effects', () => {
  it('finds nothing wrong when each fact took effect once and every chain is whole, in whatever order', async () => {
    await write('a', 'b', 'c');
    await apply('b', 'SKU', 2, 5);
    await apply('a', 'SKU', 0, 2);
    await apply('c', 'order', null, null);
    expect(await auditEffects(pool, pool)).toEqual({ effects: 3, missing: 0, doubled: 0, foreign: 0, gaps: 0 });
  });

  it('counts a fact without an effect, and the link that its chain lacks', async () => {
    await write('a', 'b', 'c');
    await apply('a', 'SKU', 0, 1);
    await apply('c', 'SKU', 2, 3);
    expect(await auditEffects(pool, pool)).toMatchObject({ missing: 1, gaps: 1 });
  });

  it('counts a chain that does not begin at the beginning', async () => {
    await write('b');
    await apply('b', 'SKU', 1, 2);
    expect(await auditEffects(pool, pool)).toMatchObject({ missing: 0, gaps: 1 });
  });

  it('counts each effect beyond the first', async () => {
    await write('a');
    for (let time = 0; time < 3; time += 1) await apply('a', 'SKU', 0, 1);
    expect(await auditEffects(pool, pool)).toMatchObject({ effects: 3, doubled: 2, gaps: 0 });
  });

  it('counts an effect of something that was never written', async () => {
    await apply('x', 'order', null, null);
    expect(await auditEffects(pool, pool)).toMatchObject({ missing: 0, foreign: 1 });
  });
});
