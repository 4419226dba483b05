import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool } from '@onepool/platform-postgres';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import fc from 'fast-check';
import type pg from 'pg';
import { factId, factIdSql } from './fact-id.ts';
import { factKey } from './fact-key.ts';

const name = fc.oneof(
  fc.constantFrom('a', 'a/b', 'b', '/', '@1', 'a@1', '1.2', '%2F', 'a%2Fb', 'é'),
  fc.string({ unit: 'grapheme', minLength: 1 }),
);
const told = fc.tuple(name, name, fc.nat(20), fc.integer({ min: 1, max: 20 }));
type Told = typeof told extends fc.Arbitrary<infer T> ? T : never;
const idOf = ([owner, id, version, part]: Told): string => factId(factKey('reservation', owner, id), version, part);
const long = (last: string): string => factKey('broken', '\u{1f600}'.repeat(254) + last, '\u{1f600}'.repeat(255));

describe('the id of a fact', () => {
  it('is visible ASCII, and another one of another key, version or part', () => {
    fc.assert(
      fc.property(told, told, (one, other) => {
        expect(idOf(one)).toMatch(/^[!-~]+$/);
        expect(idOf(one) === idOf(other)).toBe(one.join('\0') === other.join('\0'));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is short enough for an index, and is still another of another key', () => {
    expect(factId(long('a'), 7).length).toBeLessThan(100);
    expect(factId(long('a'), 7)).not.toBe(factId(long('b'), 7));
    expect(factId(long('a'), 7)).toBe(factId(long('a'), 7));
  });
});

describe('the id of a fact in SQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({
      url: database.ownerUrl,
      max: 1,
      applicationName: 'spec',
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
      connectTimeoutMs: 5_000,
    });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('is the same, short or long', async () => {
    const keys = [
      factKey('sku', '85123A'),
      factKey('sku', '5" Rohr Ø/50%'),
      // The longest that stays as it is, and one that is longer by one.
      factKey('sku', 'x'.repeat(1_024 - 'sku/@12'.length)),
      factKey('sku', 'x'.repeat(1_025 - 'sku/@12'.length)),
      long('a'),
    ];
    const { rows } = await pool.query<{ id: string }>(
      `SELECT ${factIdSql('k.key', '$2::bigint')} AS id FROM unnest($1::text[]) WITH ORDINALITY AS k (key, place) ORDER BY place`,
      [keys, 12],
    );
    expect(rows.map(({ id }) => id)).toEqual(keys.map((key) => factId(key, 12)));
  });
});
