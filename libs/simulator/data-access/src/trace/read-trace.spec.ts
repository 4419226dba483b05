import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TRACE_COLUMNS, firstOrders } from '@onepool/simulator-domain';
import { TraceUnreadable, readTrace } from './read-trace.ts';

const cells = (invoice: string, code: string, quantity: string, date = '2010-12-01 08:26:00') => [
  invoice,
  code,
  'A THING',
  quantity,
  date,
  '2.55',
  '17850',
  'United Kingdom',
];

describe('readTrace', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onepool-trace-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const file = async (rows: readonly (readonly string[])[], gzip: boolean): Promise<string> => {
    const path = join(folder, gzip ? 'named-as-plain.csv' : 'named-as-gzip.csv.gz');
    const text = [TRACE_COLUMNS, ...rows].map((row) => row.join(',')).join('\n');
    await writeFile(path, gzip ? gzipSync(text) : text);
    return path;
  };
  const rows = [
    cells('536365', '85123A', '6'),
    cells('536366', '22633', '2'),
    cells('536365', '85123a', '3'),
    ['536366', 'short'],
    cells('C536367', '22633', '-1'),
    cells('536368', '22633', '-4'),
    cells('536369', '22633', 'many'),
  ];

  it.each([true, false])('tells gzip (%s) by content, gathers invoices and keeps duplicate lines', async (gzip) => {
    const trace = await readTrace(await file(rows, gzip));
    expect(trace.rows).toBe(7);
    expect(trace.invoices.map(({ invoice, kind, lines }) => [invoice, kind, lines])).toEqual([
      [
        '536365',
        'order',
        [
          { stockCode: '85123A', quantity: 6 },
          { stockCode: '85123A', quantity: 3 },
        ],
      ],
      ['536366', 'order', [{ stockCode: '22633', quantity: 2 }]],
      ['C536367', 'return', [{ stockCode: '22633', quantity: 1 }]],
      ['536368', 'write_off', [{ stockCode: '22633', quantity: 4 }]],
    ]);
    expect(trace.malformed).toEqual([
      { line: 5, reason: '2 columns instead of 8' },
      { line: 8, reason: 'Quantity is not a whole number' },
    ]);
  });

  it('says what is wrong with a file that is no trace', async () => {
    const path = join(folder, 'other.csv');
    await writeFile(path, 'a,b\n1,2\n');
    await expect(readTrace(path)).rejects.toThrow(TraceUnreadable);
    await expect(readTrace(join(folder, 'absent.csv'))).rejects.toThrow(TraceUnreadable);
  });

  it('takes the first orders with the returns and write-offs among them', async () => {
    const { invoices } = await readTrace(await file(rows, false));
    expect(firstOrders(invoices, 1).map(({ invoice }) => invoice)).toEqual(['536365']);
    expect(firstOrders(invoices, 2)).toHaveLength(4);
  });

  const published = join(
    process.env['ONEPOOL_DATA'] ?? fileURLToPath(new URL('../../../../../../shared/data', import.meta.url)),
    'orders/uci_online_retail/online_retail.dev.csv.gz',
  );
  const itWithData = existsSync(published) ? it : it.skip;
  // In a process of its own: Jest's sandbox makes a CSV reader several times slower.
  itWithData(`reads the published year (skipped where ${published} is absent)`, async () => {
    const program = `import { readTrace } from '${new URL('read-trace.ts', import.meta.url).href}';
      const { rows, malformedCount, dropped, invoices } = await readTrace(process.argv[1]);
      const orders = invoices.filter(({ kind }) => kind === 'order').length;
      console.log(JSON.stringify({ rows, malformedCount, dropped, orders }));`;
    const flags = ['--conditions=@onepool/source', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, published]);
    expect(JSON.parse(stdout)).toEqual({
      rows: 355_579,
      malformedCount: 0,
      dropped: { 'not a product': 2_125, 'accounting invoice': 3 },
      orders: 14_188,
    });
  });
});
