import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowBatch } from './row-batch.ts';
import { type RowContext, RowReader } from './row-reader.ts';
import { UploadRefusedError } from './upload-refused.ts';

const CONTEXT: RowContext = {
  mode: 'reset',
  measure: 'physical',
  capturedAt: 1_700_000_000_000,
  transmission: { arrivedAt: 1_700_000_100_000, sentAt: null },
};

function batchOf(text: string, context: RowContext = CONTEXT): RowBatch {
  const batch = new RowBatch(1);
  new RowReader('csv', context).read(Buffer.from(text), batch);
  return batch;
}

const rowsOf = (batch: RowBatch) =>
  Array.from({ length: batch.rows }, (_, row) => ({
    line: batch.lineOf(row),
    sku: batch.skus.list[batch.skuOf(row)],
    node: batch.nodes.list[batch.nodeOf(row)],
    quantity: batch.quantityOf(row),
    at: batch.timeOf(row),
    recordId: batch.recordIdOf(row),
    state: batch.stateOf(row),
  }));

const told = (batch: RowBatch) => ({ rows: rowsOf(batch), faults: batch.faults, received: batch.received });

/** Cells that are nearly right, and some that are not at all. */
const cell = fc.oneof(
  fc.constantFrom('A-1', 'B.2', 'n1', 'store:7', '0', '12', '007', '1000000000', '1000000001', '-3', '1.5', '+4', ''),
  fc.stringMatching(/^[ -~]{0,30}$/).map((text) => text.replaceAll(/[",]/g, '')),
  fc.constantFrom('A B', ' ', '.', '..', '...', 'x'.repeat(255), 'x'.repeat(256), '\u00e9', 'e\u0301', 'a\u200b'),
  fc.stringMatching(/^\d{0,18}$/),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.replaceAll(/[",\n\r]/g, '')),
  fc.constantFrom(' A-1', 'A-1 ', '\t5', 'Ä', '٣'),
);
const line = fc.array(cell, { minLength: 2, maxLength: 4 });
const header = fc.constantFrom(
  ['sku', 'node', 'quantity'],
  ['quantity', 'sku', 'node'],
  ['sku', 'quantity', 'node', 'recordId'],
);
const context = fc.record({
  mode: fc.constantFrom('reset' as const, 'delta' as const),
  measure: fc.constantFrom('physical' as const, 'availability' as const),
  node: fc.constantFrom(undefined, 'n1'),
});

describe('rows of a CSV', () => {
  it('are read the same from plain lines as from quoted ones, whatever their cells hold', () => {
    const quoted = (cells: readonly string[]): string => cells.map((text) => `"${text}"`).join(',');
    fc.assert(
      fc.property(header, fc.array(line, { maxLength: 8 }), context, (names, lines, { mode, measure, node }) => {
        const feed = { ...CONTEXT, mode, measure, ...(node === undefined ? {} : { node }) };
        const plain = [names.join(','), ...lines.map((texts) => texts.join(','))].join('\n');
        const careful = [quoted(names), ...lines.map(quoted)].join('\n');
        expect(told(batchOf(plain, feed))).toEqual(told(batchOf(careful, feed)));
      }),
      { numRuns: 500 },
    );
  });

  it('keep their line numbers, over empty lines, faults and both kinds of line ends', () => {
    const { rows, faults, received } = told(batchOf('sku,node,quantity\nA,n1,5\r\n\nA,n2,x\nB,n1,0\n'));
    expect(rows.map((row) => [row.line, row.sku, row.node, row.quantity])).toEqual([
      [2, 'A', 'n1', 5],
      [4, 'A', 'n2', null],
      [5, 'B', 'n1', 0],
    ]);
    expect(faults).toMatchObject([{ line: 4, code: 'quantity.invalid' }]);
    expect(received).toBe(3);
  });

  it.each([',', ',,', ' , ,\r', '\t', '"",""', '"",,," "\r', ',,,,,,,,'])(
    'are none where a line has nothing but commas, spaces and empty quotes: %j',
    (empty) => {
      const lines = ['', empty, 'sku,node,quantity,,', empty, 'A,n1,5', empty, 'A,n2,6,,\r', empty];
      const { rows, faults, received } = told(batchOf(lines.join('\n')));
      expect(rows.map(({ line: at, quantity }) => [at, quantity])).toEqual([
        [5, 5],
        [7, 6],
      ]);
      expect([faults, received]).toEqual([[], 2]);
    },
  );

  it('end with their last column: empty cells after it say nothing, and others make the line unreadable', () => {
    const rows = ['A,n1,5,', 'B,n1,5,,"",  \r', 'C,n1,5,,x', 'D,n1'];
    const { faults, received } = told(batchOf(['sku,node,quantity', ...rows].join('\n')));
    expect(received).toBe(4);
    expect(faults.map(({ line: at, code }) => [at, code])).toEqual([
      [4, 'row.malformed'],
      [5, 'row.malformed'],
    ]);
  });

  it('go on in the next piece, whose batch may have been used before', () => {
    const reader = new RowReader('csv', CONTEXT);
    const batch = new RowBatch(1);
    reader.read(Buffer.from('sku,node,quantity\nA,n1,5\nA,n2,6'), batch);
    batch.clear();
    reader.read(Buffer.from('A,n3,7\nC,n1,8'), batch);
    reader.read(null, batch);
    expect(rowsOf(batch).map(({ line: at, sku, node, quantity }) => [at, sku, node, quantity])).toEqual([
      [4, 'A', 'n3', 7],
      [5, 'C', 'n1', 8],
    ]);
    expect(batch.faults).toMatchObject([{ line: 6, code: 'row.too_long' }]);
    expect(batch.received).toBe(3);
  });

  it('are not read under columns that no feed has', () => {
    expect(() => batchOf('sku,node,amount\nA,n1,5')).toThrow(UploadRefusedError);
    expect(() => batchOf('sku,node\nA,n1')).toThrow('quantity missing');
  });
});

describe('a quantity below 0', () => {
  const rows = 'sku,node,quantity\nA,n1,-3\nA,n2,0\nA,n3,-1000000001';
  it('counts 0 where availability is counted, and is remembered', () => {
    const batch = batchOf(rows, { ...CONTEXT, measure: 'availability' });
    expect(rowsOf(batch).map(({ line: at, quantity }) => [at, quantity])).toEqual([
      [2, 0],
      [3, 0],
      [4, null],
    ]);
    expect([...batch.negatives]).toEqual([[2, -3]]);
    expect(batch.faults).toMatchObject([{ line: 4, code: 'quantity.invalid' }]);
    batch.clear();
    expect(batch.negatives.size).toBe(0);
  });

  it('is refused where units are counted that are there', () => {
    const batch = batchOf(rows);
    expect(batch.faults.map(({ line: at }) => at)).toEqual([2, 4]);
    expect(batch.negatives.size).toBe(0);
  });
});

describe('the state of a row', () => {
  const rows = ['damaged', 'quality_control', '', 'available', 'safety_stock', 'Damaged'];
  const asCsv = ['sku,node,quantity,state', ...rows.map((state) => `A,n1,5,${state}`)].join('\n');
  const asNdjson = rows.map((state) => JSON.stringify({ sku: 'A', node: 'n1', quantity: 5, state: state || null }));

  const reading = (format: 'csv' | 'ndjson', context: RowContext = CONTEXT): RowBatch => {
    const batch = new RowBatch(1);
    new RowReader(format, context).read(Buffer.from(format === 'csv' ? asCsv : asNdjson.join('\n')), batch);
    return batch;
  };

  it.each(['csv', 'ndjson'] as const)('is one that a physical count may name, or none: %s', (format) => {
    const batch = reading(format);
    expect(rowsOf(batch).map(({ quantity, state }) => [quantity, state])).toEqual([
      [5, 'damaged'],
      [5, 'quality_control'],
      [5, null],
      ...Array.from({ length: 3 }, () => [null, null]),
    ]);
    expect(batch.hasStates).toBe(true);
    expect(new Set(batch.faults.map(({ code }) => code))).toEqual(new Set(['state.unsupported']));
    expect(batch.faults.map(({ message }) => message)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('count all that is there in a row without a state')),
    );
    batch.clear();
    expect([batch.hasStates, batch.stateOf(0)]).toEqual([false, null]);
  });

  it.each([
    ['a delta', { mode: 'delta', measure: 'physical' }],
    ['a count of availability', { mode: 'reset', measure: 'availability' }],
  ] as const)('is none in %s', (_, feed) => {
    const { faults } = reading('csv', { ...CONTEXT, ...feed });
    expect(faults.map(({ line: at }) => at)).toEqual([2, 3, 5, 6, 7]);
    for (const { message } of faults) expect(message).toContain('only a physical reset counts units by their state');
  });

  it('is kept of a row that is refused for something else, so that it is not absent', () => {
    const batch = batchOf('sku,node,quantity,state\nA,n1,x,damaged');
    expect(rowsOf(batch)).toMatchObject([{ quantity: null, state: 'damaged' }]);
  });
});

describe('rows of NDJSON', () => {
  it.each([
    '2023-02-29T00:00:00Z',
    '2023-02-30T00:00:00Z',
    '2023-11-14T24:00:00Z',
    '2023-11-14T22:00:00',
    '1999-12-31T23:59:59Z',
    '9999-12-31T23:59:59-14:00',
  ])('are refused with a time that is none of ours, never taken for another day: %s', (capturedAt) => {
    const batch = new RowBatch(1);
    const row = { sku: 'A', node: 'n1', quantity: 5, capturedAt };
    new RowReader('ndjson', CONTEXT).read(Buffer.from(JSON.stringify(row)), batch);
    expect(batch.faults).toMatchObject([{ line: 1, code: 'time.invalid' }]);
    expect(batchOf(`sku,node,quantity,capturedAt\nA,n1,5,${capturedAt}`).faults).toMatchObject([
      { line: 2, code: 'time.invalid' },
    ]);
  });

  it('tell their own time and record', () => {
    const batch = new RowBatch(4);
    const row = { sku: 'A', node: 'n1', quantity: 5, recordId: 'r1', capturedAt: '2023-11-14T22:00:00Z' };
    new RowReader('ndjson', CONTEXT).read(Buffer.from(`${JSON.stringify(row)}\n{"sku":"A"}`), batch);
    expect(rowsOf(batch)).toEqual([
      {
        ...{ line: 1, sku: 'A', node: 'n1', quantity: 5, recordId: 'r1', state: null },
        at: Date.parse('2023-11-14T22:00:00Z'),
      },
    ]);
    expect(batch.faults).toMatchObject([{ line: 2, code: 'row.malformed' }]);
  });
});

describe('lines that are not plain', () => {
  it.each([
    ['NDJSON', 'ndjson', 'x\n'],
    ['CSV', 'csv', '"A",n1\n'],
    ['blanks', 'csv', '\n'],
  ] as const)('are read a thousand at a time, and on from where it stopped: %s', (_what, format, line) => {
    const lines = Buffer.from(`${format === 'csv' ? 'sku,node,quantity\n' : ''}${line.repeat(3_500)}`);
    const batch = new RowBatch(1);
    const reader = new RowReader(format, CONTEXT);
    let calls = 0;
    for (let from: number | null = 0; from !== null; calls += 1) {
      const before = batch.received;
      from = reader.read(lines, batch, from);
      expect(batch.received - before).toBeLessThanOrEqual(1_000);
    }
    expect(calls).toBe(4);
    const first = format === 'csv' ? 2 : 1;
    const numbers = Array.from({ length: 3_500 }, (_, index) => index + first);
    expect(batch.faults.map((fault) => fault.line)).toEqual(line === '\n' ? [] : numbers);
  });
});
