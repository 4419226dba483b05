import { describe, expect, it } from '@jest/globals';
import { readCode } from '@onepool/platform-codes';
import fc from 'fast-check';
import { writeCsv } from './csv-export.ts';
import { type CsvShape, SPREADSHEET_COLUMN, parseCsv } from './csv-import.ts';

interface Row {
  readonly code: string;
  readonly title?: string;
  readonly lat?: number;
  readonly nodes: 'all' | string[];
}

const columns = ['code', 'title', 'lat', 'nodes'];
const shape: CsvShape<Row> = {
  columns,
  numbers: ['lat'],
  lists: ['nodes'],
  accepts: () => true,
  check: () => [],
  keyColumn: 'code',
};

async function* lots(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += 3) yield rows.slice(from, from + 3);
}

async function written(rows: readonly Row[], forSpreadsheet = false): Promise<string> {
  let text = '';
  for await (const piece of writeCsv({ columns, rows: lots(rows), forSpreadsheet })) text += piece;
  return text;
}

/** Whatever CSV, lists in cells, spreadsheets and white space give a meaning to. */
const nasty = fc.string({
  unit: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        '"',
        ',',
        '|',
        '\\',
        '\n',
        '\r',
        '\t',
        ' ',
        "'",
        '=',
        '+',
        '-',
        '@',
        ';',
        '\uFEFF',
        ' ',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('all', 'true', 'null', '0', '1e5', 'é', '語', '😀') },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
  ),
  minLength: 1,
  maxLength: 12,
});
const text = nasty.filter((value) => !value.includes('\0'));
const code = text.map((value) => readCode(value)).filter((value) => value !== null);
const row: fc.Arbitrary<Row> = fc.record(
  {
    code,
    title: text,
    lat: fc.double({ min: -90, max: 90, noNaN: true }).map((value) => value + 0),
    nodes: fc.oneof(fc.constant('all' as const), fc.uniqueArray(code, { maxLength: 4 })),
  },
  { requiredKeys: ['code', 'nodes'] },
);

describe('an exported file', () => {
  it('is read back as exactly what was written, whatever the codes and texts are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { selector: (one) => one.code, minLength: 1, maxLength: 8 }),
        async (rows) => {
          const { good, faults } = await parseCsv(await written(rows), shape);
          expect(faults).toEqual([]);
          const full = rows.map((one) => ({ title: null, lat: null, ...one }));
          expect(good.map((one) => one.row)).toEqual(full);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('quotes by RFC 4180, and what would be taken for something else', async () => {
    const rows = [
      { code: 'a"b', title: ' x', nodes: ['all'] },
      { code: 'c,d', title: 'y\nz', lat: -1.5, nodes: ['a|b', 'c\\d'] },
      { code: 'e', nodes: [] },
    ];
    expect(await written(rows)).toBe(
      'code,title,lat,nodes\r\n"a""b"," x",,\\all\r\n"c,d","y\nz",-1.5,a\\|b|c\\\\d\r\ne,,,\r\n',
    );
  });

  it('for a spreadsheet has no cell that is a formula, and says in its first column what it is for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { selector: (one) => one.code, minLength: 1, maxLength: 4 }),
        async (rows) => {
          const shown = await parseCsv(await written(rows, true), {
            ...shape,
            columns: [SPREADSHEET_COLUMN, ...columns],
          });
          expect(shown.isForSpreadsheet).toBe(true);
          for (const { row: cells } of shown.good) expect(`${cells.code}`).not.toMatch(/^[=+\-@\t\r]/);
          expect((await parseCsv(await written(rows, true), shape)).isForSpreadsheet).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
    expect(await written([{ code: '=1+1', title: '@x', lat: -1, nodes: 'all' }], true)).toBe(
      `spreadsheet-only,code,title,lat,nodes\r\n,'=1+1,'@x,'-1,all\r\n`,
    );
  });
});
