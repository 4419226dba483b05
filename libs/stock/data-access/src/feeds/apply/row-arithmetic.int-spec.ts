import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ACCOUNTS, type StockRow, applyDifference, rowFault } from '@onepool/stock-domain';
import { createTestDatabase } from '@onepool/testing-servers';
import { parseInt8 } from '@onepool/platform-postgres';
import fc from 'fast-check';
import pg from 'pg';
import { movedSql, transfersSql } from './row-arithmetic.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({
    connectionString: database.ownerUrl,
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === 20 ? parseInt8 : pg.types.getTypeParser(oid, format)) as never,
    },
  });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const units = fc.oneof(fc.constant(0), fc.nat(5), fc.nat(1_000_000_000));
const free = fc.record({ available: units, safetyStock: units });
/** Rows that keep every law: shortfall leaves nothing free, overdrawn leaves nothing on hand. */
const anyRow: fc.Arbitrary<StockRow> = fc
  .record({
    free,
    committed: units,
    reserved: units,
    damaged: units,
    qualityControl: units,
    part: fc.nat(100),
    kind: fc.nat(2),
    overdrawn: units,
  })
  .map(({ free: { available, safetyStock }, committed, reserved, damaged, qualityControl, part, kind, overdrawn }) => {
    const promised = committed + reserved;
    const shortfall = Math.floor((promised * part) / 100);
    const row = {
      node: 1,
      available,
      committed,
      reserved,
      safetyStock,
      damaged,
      qualityControl,
      shortfall: 0,
      overdrawn: 0,
    };
    if (kind === 0) return row;
    if (kind === 1) return shortfall === 0 ? row : { ...row, available: 0, safetyStock: 0, shortfall };
    return { ...row, available: 0, safetyStock: 0, damaged: 0, qualityControl: 0, shortfall: promised, overdrawn };
  });
const difference = fc
  .oneof(fc.integer({ min: -7, max: 7 }), fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }))
  .filter(Boolean);
const cases = fc.array(fc.record({ row: anyRow, difference }), { minLength: 1, maxLength: 200 });

const COLUMNS =
  'available bigint, committed bigint, reserved bigint, safety_stock bigint, damaged bigint, quality_control bigint, shortfall bigint, overdrawn bigint';
const recordOf = ({ row, difference: by }: { row: StockRow; difference: number }, place: number) => ({
  place,
  difference: by,
  available: row.available,
  committed: row.committed,
  reserved: row.reserved,
  safety_stock: row.safetyStock,
  damaged: row.damaged,
  quality_control: row.qualityControl,
  shortfall: row.shortfall,
  overdrawn: row.overdrawn,
});

interface Moved {
  readonly place: number;
  readonly step: number;
  readonly from_state: number;
  readonly to_state: number;
  readonly units: number;
  readonly committed: number;
  readonly reserved: number;
  readonly new_available: number;
  readonly new_safety_stock: number;
  readonly new_damaged: number;
  readonly new_quality_control: number;
  readonly new_shortfall: number;
  readonly new_overdrawn: number;
}

const rowOf = (moved: Moved): StockRow => ({
  node: 1,
  available: moved.new_available,
  committed: moved.committed,
  reserved: moved.reserved,
  safetyStock: moved.new_safety_stock,
  damaged: moved.new_damaged,
  qualityControl: moved.new_quality_control,
  shortfall: moved.new_shortfall,
  overdrawn: moved.new_overdrawn,
});

it('gives the rows and the transfers that the domain gives, for any sound row and any difference', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (some) => {
      const { rows } = await client.query<Moved>(
        `WITH told AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (place int, difference bigint, ${COLUMNS})),
         moved AS (${movedSql('told')})
         SELECT * FROM (${transfersSql('moved')}) t ORDER BY place, step`,
        [JSON.stringify(some.map(recordOf))],
      );
      for (const [place, { row, difference: by }] of some.entries()) {
        const expected = applyDifference(row, by);
        const mine = rows.filter((moved) => moved.place === place);
        const transfers = mine.map(({ from_state, to_state, units: quantity }) => ({
          from: ACCOUNTS[from_state],
          to: ACCOUNTS[to_state],
          quantity,
        }));
        expect(transfers).toEqual(expected.transfers);
        expect(rowOf(mine[0]!)).toEqual(expected.row);
        expect(rowFault(row)).toBeNull();
        expect(rowFault(rowOf(mine[0]!))).toBeNull();
      }
    }),
    { numRuns: 60 },
  );
});
