/** The list of states, where it is spelt out because SQL or contracts have to, and that it is spelt out nowhere else. */
import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StockRow as StockRowView } from '@onepool/contracts';
import { STATE_ACCOUNTS, STOCK_STATES, type StateUnits, supplyRowOf } from '@onepool/stock-domain';
import { type StockTuple, rowsOf } from './stock-columns.ts';

const LIBS = join(import.meta.dirname, '../../..');
const ON_HAND = STOCK_STATES.filter(({ kind }) => kind === 'on_hand').map(({ account }) => account);

describe('the states of a stock row', () => {
  const table = /CREATE TABLE stock \(([\s\S]*?)\n\) WITH/.exec(
    readFileSync(join(import.meta.dirname, 'sql/0001-create.sql'), 'utf8'),
  )?.[1];

  it('are the columns of the table, in its order', () => {
    const columns = [...(table ?? '').matchAll(/^ {2}(\w+) bigint NOT NULL DEFAULT 0,$/gm)].map(([, name]) => name);
    expect(columns).toEqual(STATE_ACCOUNTS);
  });

  it('are all kept from being negative', () => {
    expect(table).toContain(`least(${STATE_ACCOUNTS.join(', ')}) >= 0`);
  });

  it('make up the units on hand that the table computes', () => {
    expect(table).toContain(`(${ON_HAND.join(' + ')} - shortfall) STORED`);
  });

  it('are members of the contract, in its order, after what only it has', () => {
    const members = Object.keys(StockRowView.properties);
    expect(members).toEqual(['node', 'onHand', ...STOCK_STATES.map(({ field }) => field)]);
    expect(StockRowView.required).toEqual(members);
  });
});

describe('rows that come as arrays', () => {
  const units = STOCK_STATES.map((_, place) => place) as unknown as StateUnits;

  it('are told apart by SKU and keep their order', () => {
    const tuples: StockTuple[] = [
      [1, 10, ...units],
      [2, 10, ...units],
      [1, 11, ...units],
    ];
    expect([...rowsOf(tuples)]).toEqual([
      [1, [supplyRowOf(10, units), supplyRowOf(11, units)]],
      [2, [supplyRowOf(10, units)]],
    ]);
    expect(rowsOf(null).size).toBe(0);
  });

  it('are not taken when a number cannot hold their units', () => {
    for (const place of units.keys()) {
      const wrong = units.with(place, 2 ** 53) as unknown as StateUnits;
      expect(() => rowsOf([[1, 10, ...wrong]])).toThrow('units beyond 2^53');
    }
  });
});

/** Words that much else is called, too. No list of the states does without the others. */
const EVERYDAY = ['available', 'committed', 'reserved'];
const TELLING = STATE_ACCOUNTS.filter((account) => !EVERYDAY.includes(account));

/** Where those are called by their names, and why it may be. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  // The list, and the one row that is written out beside it.
  'stock/domain/src/stock-states.ts': TELLING,
  'stock/domain/src/supply-row.ts': TELLING,
  // What others are promised; the spec above proves that it is the list.
  'contracts/src/availability/stock.ts': TELLING,
  'contracts/src/availability/examples.ts': TELLING,
  // What happens to units in one state or another.
  'stock/domain/src/arithmetic.ts': TELLING,
  'stock/data-access/src/feeds/apply/row-arithmetic.ts': TELLING,
  'stock/domain/src/decide-movements.ts': ['safety_stock'],
  'stock/domain/src/feed.ts': ['damaged', 'quality_control', 'overdrawn'],
  // What the other system counts of a row, before the count.
  'stock/data-access/src/feeds/apply/prepare-feed.ts': ['safety_stock', 'overdrawn'],
  'stock/data-access/src/feeds/apply/reset-statement.ts': ['damaged', 'quality_control', 'shortfall', 'overdrawn'],
  // Promises without units, which are to be moved or told.
  'stock/domain/src/supply.ts': ['shortfall'],
  'stock/domain/src/decide-reback.ts': ['shortfall'],
  'stock/domain/src/consequences.ts': ['shortfall'],
  'stock/data-access/src/decision/decide-batch.ts': ['shortfall'],
  'stock/data-access/src/jobs/housekeeping.ts': ['shortfall'],
  'stock/data-access/src/repository/healing-reads.ts': ['shortfall'],
  // Less which there are units on hand.
  'stock/data-access/src/stock-columns.ts': ['shortfall'],
};

describe('a name of a state', () => {
  const withoutComments = (source: string): string => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
  const namedIn = (file: string): readonly string[] => {
    const words = withoutComments(readFileSync(join(LIBS, file), 'utf8')).match(/\w+/g) ?? [];
    const said = new Set(words.map((word) => word.replace(/^new_/, '')));
    return STOCK_STATES.filter(({ account, field }) => said.has(account) || said.has(field))
      .map(({ account }) => account)
      .filter((account) => TELLING.includes(account));
  };
  const files = globSync(['stock/*/src/**/*.ts', 'contracts/src/availability/**/*.ts'], { cwd: LIBS })
    .filter((file) => !/spec\.ts$|\/testing\//.test(file))
    .sort();

  it('occurs only in rules that speak of this state', () => {
    const found = files.map((file) => [file, namedIn(file)] as const).filter(([, named]) => named.length > 0);
    expect(Object.fromEntries(found)).toEqual(NAMED);
  });

  it('is looked for in every file', () => expect(files.length).toBeGreaterThan(80));
});
