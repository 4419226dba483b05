import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TurnWatch } from '@onepool/testing-servers';
import { type CsvShape, parseCsv } from './csv-import.ts';

interface Item {
  readonly sku: string;
}

let watch: TurnWatch;
let described = 0;
beforeEach(() => {
  watch = new TurnWatch();
  described = 0;
});
afterEach(() => watch.stop());

const shape: CsvShape<Item> = {
  columns: ['sku', 'title'],
  numbers: [],
  lists: [],
  accepts: (row) => {
    watch.step();
    return typeof (row as Partial<Item>).sku === 'string';
  },
  check: (row) => {
    described += 1;
    const isMissing = typeof (row as Partial<Item>).sku !== 'string';
    return isMissing ? [{ code: 'missing', path: '/sku', message: 'the field is required' }] : [];
  },
  keyColumn: 'sku',
};
const ROWS = 5_000;

describe('a long CSV', () => {
  it.each([
    ['rows that are no good', 'sku,title\n', ',x\n', 'missing'],
    ['rows with a cell too few', 'sku,title\n', 'x\n', 'wrong_cell_count'],
    ['rows of the same code', 'sku\n', 'x\n', 'duplicate'],
  ])('of %s lets others in, shows the first hundred and counts all', async (_what, header, row, code) => {
    const { good, goodRows, faults, badRows } = await parseCsv(header + row.repeat(ROWS), shape);
    const first = code === 'duplicate' ? 1 : 0;
    expect({ good: good.length, goodRows, badRows }).toEqual({ good: 0, goodRows: first, badRows: ROWS - first });
    expect(faults.map(({ line }) => line)).toEqual(Array.from({ length: 100 }, (_, index) => index + 2 + first));
    expect(new Set(faults.map((fault) => fault.code))).toEqual(new Set([code]));
    expect(described).toBeLessThanOrEqual(100);
    expect(watch.stepsMax).toBeLessThanOrEqual(1_000);
    expect(watch.turns).toBeGreaterThan((ROWS * row.length) / 2_048);
  });

  it('of rows that are no CSV lets others in', async () => {
    const text = `sku\n${'a"b\n'.repeat(ROWS)}`;
    const { faults, badRows } = await parseCsv(text, shape);
    expect({ shown: faults.length, badRows }).toEqual({ shown: 100, badRows: ROWS });
    expect(watch.turns).toBeGreaterThan(text.length / 2_048);
  });

  it('of good rows lets others in, whichever way it is cut', async () => {
    const rows = Array.from({ length: ROWS }, (_, index) => `é-${index},"two\nlines"\r\n`);
    const { good, badRows } = await parseCsv(`\uFEFFsku,title\r\n${rows.join('')}`, shape);
    expect(badRows).toBe(0);
    expect(good.map(({ row }) => row.sku)).toEqual(rows.map((row) => row.split(',')[0]));
    expect(good.at(-1)?.line).toBe(1 + 2 * ROWS);
    expect(watch.stepsMax).toBeLessThanOrEqual(1_000);
    expect(watch.turns).toBeGreaterThan(ROWS / 500);
  });
});
