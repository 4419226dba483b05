import { describe, expect, it } from '@jest/globals';
import { BinaryRows } from './binary-rows.ts';

const HEADER = `${Buffer.from('PGCOPY\n').toString('hex')}ff0d0a00${'00000000'.repeat(2)}`;

describe('rows for COPY', () => {
  it('are spelt as PostgreSQL reads them', () => {
    const rows = new BinaryRows(1);
    rows.row(3).integer(-2).bigint(1_700_000_000_000).text('ü');
    const row = `0003${'00000004'}fffffffe${'00000008'}0000018bcfe56800${'00000002'}c3bc`;
    expect(rows.end().toString('hex')).toBe(`${HEADER}${row}ffff`);
    expect(rows.rows).toBe(1);
  });

  it('may hold nulls, and more than was expected', () => {
    const rows = new BinaryRows(0);
    for (let row = 0; row < 100; row += 1) rows.row(3).integer(null).bigint(-1).text(null);
    const row = `0003ffffffff${'00000008'}ffffffffffffffffffffffff`;
    expect(rows.end().toString('hex')).toBe(`${HEADER}${row.repeat(100)}ffff`);
  });
});
