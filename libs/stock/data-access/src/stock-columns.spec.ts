/** The list of states, where it is spelt out because SQL or contracts have to, and that it is spelt out nowhere else. */
import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StockRow as StockRowView } from '@onepool/contracts';
import { STATE_ACCOUNTS, STOCK_STATES, type StateUnits, supplyRowOf } from '@onepool/stock-domain';
import { type SupplyTuple, suppliesOf } from './stock-columns.ts';

const LIBS = join(import.meta.dirname, '../../..');
const ON_HAND = STOCK_STATES.filter(({ kind }) => kind === 'on_hand').map(({ account }) => account);

describe('the states of a row of the book', () => {
  const sql = readFileSync(join(import.meta.dirname, 'sql/0001-create.sql'), 'utf8');
  const table = /CREATE TABLE supply \(([\s\S]*?)\n\) WITH/.exec(sql)?.[1];
  const view = /CREATE VIEW stock AS([\s\S]*?);/.exec(sql)?.[1];

  it('are the columns of the table, in its order', () => {
    const columns = [...(table ?? '').matchAll(/^ {2}(?!detail_key)(\w+) bigint NOT NULL DEFAULT 0,$/gm)].map(
      ([, name]) => name,
    );
    expect(columns).toEqual(STATE_ACCOUNTS);
  });

  it('are all kept from being negative', () => {
    expect(table).toContain(`least(${STATE_ACCOUNTS.join(', ')}) >= 0`);
  });

  it('make up the units on hand that the view works out', () => {
    expect(view).toContain(`${ON_HAND.join(' + ')} - shortfall AS on_hand`);
  });

  it('are members of the contract, in its order, after what only it has', () => {
    const members = Object.keys(StockRowView.properties);
    expect(members).toEqual(['node', 'onHand', ...STOCK_STATES.map(({ field }) => field)]);
    expect(StockRowView.required).toEqual(members);
  });
});

describe('rows that come as arrays', () => {
  const units = STOCK_STATES.map((_, place) => place) as unknown as StateUnits;

  it('are told apart by SKU and by whether they are there, and keep their order', () => {
    const tuples: SupplyTuple[] = [
      [1, 100, 10, 0, 0, ...units],
      [2, 101, 10, 0, 0, ...units],
      [1, 102, 11, 1, 7, ...units],
      [1, 103, 11, 0, 0, ...units],
      [3, 104, 0, 2, 0, ...units],
    ];
    expect([...suppliesOf(tuples).values()]).toEqual([
      {
        sku: 1,
        rows: [supplyRowOf(100, 10, units), supplyRowOf(103, 11, units)],
        future: [supplyRowOf(102, 11, units, 'incoming', 7)],
        inbound: [],
      },
      { sku: 2, rows: [supplyRowOf(101, 10, units)], future: [], inbound: [] },
      { sku: 3, rows: [], future: [supplyRowOf(104, 0, units, 'allowance')], inbound: [] },
    ]);
    expect(suppliesOf(null).size).toBe(0);
  });

  it('bring what limits the sale of a SKU, of one without rows as well', () => {
    const found = suppliesOf([
      [1, 7, 10, 3, 5],
      [1, 100, 10, 0, 0, ...units],
      [2, 0, 10, 4, 1, 1_000],
      [2, 3, 0, 4, 0, null],
    ]);
    const rows = [supplyRowOf(100, 10, units)];
    expect([...found.values()]).toEqual([
      { sku: 1, rows, future: [], inbound: [], limits: { fenceUses: [{ node: 10, fence: 7, used: 5 }], stops: [] } },
      {
        sku: 2,
        rows: [],
        future: [],
        inbound: [],
        limits: {
          fenceUses: [],
          stops: [
            { node: 10, channel: null, drains: true, until: 1_000 },
            { node: null, channel: 3, drains: false, until: null },
          ],
        },
      },
    ]);
  });

  it('bring the lines of what is to come', () => {
    const found = suppliesOf([
      [1, 7, 10, 5, 0, null, 0],
      [1, 8, 11, 5, 1, 1_000, 1],
    ]);
    expect(found.get(1)?.inbound).toEqual([
      { detail: 7, node: 10, brings: 'receipt', dueAt: null, isClosed: false },
      { detail: 8, node: 11, brings: 'transfer', dueAt: 1_000, isClosed: true },
    ]);
  });

  it('are not taken when a number cannot hold their units', () => {
    for (const place of units.keys()) {
      const wrong = units.with(place, 2 ** 53) as unknown as StateUnits;
      expect(() => suppliesOf([[1, 100, 10, 0, 0, ...wrong]])).toThrow('units beyond 2^53');
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
  // In which states units come, go, travel and are looked at.
  'stock/domain/src/decide-movements.ts': ['safety_stock', 'damaged', 'quality_control'],
  'stock/domain/src/travel.ts': ['damaged', 'quality_control'],
  'stock/domain/src/decide-ship.ts': ['damaged', 'quality_control'],
  'stock/domain/src/decide-receive.ts': ['damaged', 'quality_control', 'shortfall'],
  'stock/domain/src/decide-inspection.ts': ['damaged', 'quality_control'],
  'stock/domain/src/decide-reject.ts': ['quality_control'],
  'stock/domain/src/receipt-policy.ts': ['quality_control'],
  'stock/domain/src/feed.ts': ['damaged', 'quality_control'],
  'contracts/src/availability/inbound.ts': ['damaged'],
  'contracts/src/availability/problems.ts': ['damaged'],
  'contracts/src/availability/transfers.ts': ['damaged', 'quality_control'],
  'stock/data-access/src/requests/command.ts': ['damaged'],
  'stock/data-access/src/requests/resolve-inbound.ts': ['damaged'],
  'stock/data-access/src/decision/receive-lines.ts': ['damaged', 'quality_control'],
  'stock/data-access/src/decision/ship-lines.ts': ['damaged'],
  // Units that wait to be judged, and what becomes of them.
  'contracts/src/availability/inspection-operations.ts': ['damaged'],
  'contracts/src/availability/inspections.ts': ['damaged', 'quality_control'],
  'stock/data-access/src/decision/open-inspections.ts': ['quality_control'],
  'stock/data-access/src/feeds/apply/apply-states.ts': ['quality_control'],
  // What the other system counts of a row, before the count.
  'stock/data-access/src/feeds/apply/prepare-feed.ts': ['safety_stock', 'overdrawn'],
  'stock/data-access/src/feeds/apply/reset-statement.ts': ['damaged', 'quality_control', 'shortfall'],
  // Promises without units, which are to be moved or told.
  'stock/domain/src/supply.ts': ['shortfall'],
  'stock/domain/src/heal.ts': ['shortfall'],
  'stock/domain/src/decide-give-up.ts': ['shortfall'],
  'stock/domain/src/consequences.ts': ['shortfall'],
  'stock/domain/src/inbound.ts': ['shortfall'],
  'stock/domain/src/short-promises.ts': ['shortfall'],
  // Those that units serve as they come free, in slices.
  'stock/domain/src/free-units.ts': ['shortfall', 'unapplied'],
  'stock/domain/src/overdue.ts': ['shortfall', 'unapplied'],
  // Of which those who decide are told, and how often they are looked at.
  'stock/data-access/src/decision/changing-book.ts': ['shortfall'],
  'stock/data-access/src/jobs/rests.ts': ['shortfall'],
  'stock/data-access/src/jobs/housekeeping.ts': ['shortfall', 'unapplied'],
  'stock/data-access/src/decision/serve-waiting.ts': ['unapplied'],
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
