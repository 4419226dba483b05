import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type Answer, type AppFixture, type OperationId, createAppFixture } from '../testing/app-fixture.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
});
afterAll(() => app.close());

type Import = 'importSkus' | 'importNodes' | 'importChannels';
const listOf: Readonly<Record<Import, OperationId>> = {
  importSkus: 'listSkus',
  importNodes: 'listNodes',
  importChannels: 'listChannels',
};
const send = (id: Import, body: string | Buffer): Promise<Answer> =>
  app.http(id, { body, headers: { 'content-type': 'text/csv' } });
const itemsOf = async (id: Import): Promise<unknown> => ((await app.http(listOf[id])).body as { items: unknown }).items;

describe('a good file', () => {
  it.each([
    [
      'importSkus',
      '\uFEFFsku,title,gtin,weightGrams,category\r\nA-1,"Mug, ""blue""",4006381333931,350,kitchen\r\n\r\nA-2,,,,\r\n',
      [
        { sku: 'A-1', title: 'Mug, "blue"', gtin: '4006381333931', weightGrams: 350, category: 'kitchen' },
        { sku: 'A-2' },
      ],
    ],
    [
      'importNodes',
      'type,node,lat,lng,activeFrom\nstore,s-1,40.7,-74.0,2026-01-01T00:00:00Z\nwarehouse,w-1,,,\n',
      [
        {
          node: 's-1',
          type: 'store',
          lat: 40.7,
          lng: -74,
          timeZone: 'UTC',
          fulfilmentTypes: 'all',
          activeFrom: '2026-01-01T00:00:00.000Z',
        },
        { node: 'w-1', type: 'warehouse', timeZone: 'UTC', fulfilmentTypes: 'all' },
      ],
    ],
    [
      'importChannels',
      'channel,type,nodeTypes,nodes\nweb,web,all,all\npickup,web,store | warehouse,s-1|w-1\nclosed,web,,\n',
      [
        { channel: 'closed', type: 'web', nodeTypes: [], nodes: [] },
        { channel: 'pickup', type: 'web', nodeTypes: ['store', 'warehouse'], nodes: ['s-1', 'w-1'] },
        { channel: 'web', type: 'web', nodeTypes: 'all', nodes: 'all' },
      ],
    ],
  ] as const)('%s takes any order of columns, quotes, a byte order mark and empty cells', async (id, file, rows) => {
    expect((await send(id, file)).body).toEqual({ applied: rows.length });
    expect(await itemsOf(id)).toEqual(rows);
    expect((await send(id, file)).body).toEqual({ applied: rows.length });
  });

  it('may be as long as a body may be', async () => {
    const codes = Array.from({ length: 60_000 }, (_, index) => `L-${index}`);
    expect((await send('importSkus', `sku\n${codes.join('\n')}`)).body).toEqual({ applied: 60_000 });
  });
});

/** What is wrong, the file, the good rows counted, and line and reason of each fault. */
const files: readonly (readonly [string, Import, string, number, readonly (readonly [number, string])[]])[] = [
  ['a value out of range', 'importSkus', 'sku,weightGrams\nB-1,1\nB-2,-1\n', 1, [[3, 'out_of_range']]],
  [
    'a number that is none',
    'importSkus',
    'sku,weightGrams\nB-1,1e3\nB-2,0x10\nB-3,1.5\n',
    0,
    [
      [2, 'wrong_type'],
      [3, 'wrong_type'],
      [4, 'wrong_type'],
    ],
  ],
  ['a GTIN of the wrong length', 'importSkus', 'sku,gtin\nB-1,123\n', 0, [[2, 'pattern']]],
  ['a code that is none', 'importSkus', 'sku\nB\t1\nB-2\n', 1, [[2, 'pattern']]],
  ['a missing code', 'importSkus', 'sku,title\n,x\nB-2,y\n', 1, [[2, 'missing']]],
  ['the same code twice', 'importSkus', 'sku\nB-1\nB-2\nB-1\n', 2, [[4, 'duplicate']]],
  ['the same code in two spellings', 'importSkus', 'sku\nB-\u00e9\nB-e\u0301\n', 1, [[3, 'duplicate']]],
  [
    'too few and too many cells',
    'importSkus',
    'sku,title\nB-1\nB-2,x\nB-3,x,y\n',
    1,
    [
      [2, 'wrong_cell_count'],
      [4, 'wrong_cell_count'],
    ],
  ],
  ['an unknown column', 'importSkus', 'sku,colour\nB-1,red\n', 0, [[1, 'unknown_column']]],
  ['a column twice', 'importSkus', 'sku,title,title\nB-1,x,y\n', 0, [[1, 'duplicate_column']]],
  ['the column __proto__', 'importSkus', 'sku,__proto__\nB-1,x\n', 0, [[1, 'unknown_column']]],
  ['no column for the code', 'importSkus', 'title\nx\n', 0, [[1, 'missing_column']]],
  ['no rows', 'importSkus', 'sku\n', 0, [[1, 'empty']]],
  ['an unknown type of node', 'importNodes', 'node,type\nn-1,store\nn-2,castle\n', 1, [[3, 'unknown_value']]],
  [
    'a place off the globe',
    'importNodes',
    'node,type,lat,lng\nn-1,store,91,0\nn-2,store,90,-181\n',
    0,
    [
      [2, 'out_of_range'],
      [3, 'out_of_range'],
    ],
  ],
  [
    'a time that is none',
    'importNodes',
    'node,type,activeFrom\nn-1,store,soon\nn-2,store,2026-01-01T00:00:00Z\n',
    1,
    [[2, 'pattern']],
  ],
  ['an unknown type of channel', 'importChannels', 'channel,type\nc-1,shop\n', 0, [[2, 'unknown_value']]],
  ['a new channel that names no nodes', 'importChannels', 'channel,type\nc-1,web\nweb,web\n', 1, [[2, 'missing']]],
  ['a new node without a type', 'importNodes', 'node,name\nn-1,New\ns-1,Old\n', 1, [[2, 'missing']]],
  ['a type that is emptied', 'importNodes', 'node,type\ns-1,\n', 0, [[2, 'not_clearable']]],
  [
    'a list that repeats itself',
    'importChannels',
    'channel,type,nodes\nc-1,web,s-1|s-1\nc-2,web,s-1\n',
    1,
    [[2, 'duplicate']],
  ],
  ['a NUL in one cell', 'importSkus', 'sku,title\nB-1,x\nB-2,a\0b\n', 1, [[3, 'nul_byte']]],
  [
    'rows after a quoted line break',
    'importSkus',
    'sku,title\nB-1,"two\nlines"\nB-2,x,y\nB\t3,z\n',
    1,
    [
      [4, 'wrong_cell_count'],
      [5, 'pattern'],
    ],
  ],
];

describe('a bad file', () => {
  it.each(files)(
    'with %s names line and reason, counts the good rows and applies nothing',
    async (_what, id, file, good, faults) => {
      const before = await itemsOf(id);
      const answer = await send(id, file);
      expect(problemOf(answer)).toMatchObject({ status: 422, code: 'import.rejected' });
      const { errors, goodRows, badRows } = answer.body as {
        errors: { line: number; code: string; message: string }[];
        goodRows: number;
        badRows: number;
      };
      expect(errors.map(({ line, code }) => [line, code])).toEqual(faults);
      expect({ goodRows, badRows }).toEqual({ goodRows: good, badRows: faults.length });
      for (const { message } of errors) expect(message).toMatch(/\S/);
      expect(await itemsOf(id)).toEqual(before);
    },
  );

  it('with an open quote is refused and nothing is applied', async () => {
    const before = await itemsOf('importSkus');
    const answer = await send('importSkus', 'sku,title\nB-1,x\nB-2,"never closed\nB-3,y\n');
    expect(answer.body).toMatchObject({ code: 'import.rejected', errors: [{ line: 3, code: 'malformed' }] });
    expect(await itemsOf('importSkus')).toEqual(before);
  });

  it.each([
    [
      'within a cell',
      'sku,title\nB-1,a"b\nB\t3,z\nB-4,z\n',
      [
        [2, 'malformed'],
        [3, 'pattern'],
      ],
      1,
    ],
    ['before the end of a cell', 'sku,title\nB-1,a\nB-2,"x" y\nB-3,z\n', [[3, 'malformed']], 1],
    ['in the header', 'sku,ti"tle\nB-1,a\n', [[1, 'malformed']], 0],
  ] as const)('with a quote %s names that line', async (_where, file, faults, good) => {
    const answer = await send('importSkus', file);
    const { errors, goodRows } = answer.body as { errors: { line: number; code: string }[]; goodRows: number };
    expect(errors.map(({ line, code }) => [line, code])).toEqual(faults);
    expect(goodRows).toBe(good);
  });

  it('with thousands of bad rows shows the first hundred and counts them all', async () => {
    const answer = await send('importSkus', `sku\n${Array(3_000).fill('B\tB').join('\n')}\nB-1\n`);
    const { errors, goodRows, badRows } = answer.body as { errors: unknown[]; goodRows: number; badRows: number };
    expect({ shown: errors.length, goodRows, badRows }).toEqual({ shown: 100, goodRows: 1, badRows: 3_000 });
  });

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x73, 0x6b, 0x75, 0x0a, 0xff, 0xfe]), 'import.rejected', 422],
    ['more than 1 MB', `sku\n${'x'.repeat(1_048_576)}`, 'request.too_large', 413],
    ['nothing', '', 'import.rejected', 422],
  ] as const)('of %s is refused', async (_what, body, code, status) => {
    expect(problemOf(await send('importSkus', body))).toMatchObject({ status, code });
  });

  it('that is not text/csv is refused', async () => {
    const answer = await app.http('importSkus', { body: [{ sku: 'B-1' }] });
    expect(problemOf(answer)).toMatchObject({ status: 415, code: 'request.unsupported_media_type' });
  });

  it('naming a node that does not exist applies none of its channels', async () => {
    const before = await itemsOf('importChannels');
    const answer = await send('importChannels', 'channel,type,nodes\nc-1,web,s-1\nc-2,web,nope\n');
    expect(problemOf(answer)).toMatchObject({ code: 'import.rejected' });
    expect(answer.body).toMatchObject({ errors: [{ line: 3, code: 'node.unknown' }], goodRows: 1 });
    expect(await itemsOf('importChannels')).toEqual(before);
  });
});
