import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { History } from '../history/history.ts';
import type { Movement, StockOfSku } from '../messages.ts';
import { randomRun } from '../testing/random-history.ts';
import { unitLines, unitSum } from './unit-sum.ts';

const interval = { fromMs: 1, untilMs: 2 };
const applied = (...movements: Movement[]): History['movements'][number] => ({
  id: 'm',
  interval,
  movements,
  outcome: 'applied',
});
const at = { sku: 'A', node: 'n1' };
const row = { node: 'n1', onHand: 0, overdrawn: 0, shortfall: 0, committed: 0, reserved: 0, damaged: 0 };
const book = (change: Partial<StockOfSku['rows'][number]>): StockOfSku[] => [
  { sku: 'A', version: 1, rows: [{ ...row, ...change }] },
];
const movements = [
  applied({ type: 'receipt', ...at, quantity: 1_000 }),
  applied({ type: 'sale', ...at, quantity: 186 }),
  { ...applied({ type: 'sale', ...at, quantity: 5 }), outcome: 'refused' as const },
];
const history: History = { holds: [], steps: [], confirms: [], movements };

describe('unitSum', () => {
  it('says where the units of a flash sale went: 909 promised beside 186 sold of 1,000 are 95 broken promises', () => {
    const units = unitSum(history, book({ onHand: 814, committed: 909, shortfall: 95 }));
    expect(units).toMatchObject({ received: 1_000, soldAtCounters: 186, promised: 814, left: 0, unexplained: 0 });
  });

  it('shows units that are missing as unexplained', () => {
    expect(unitSum(history, book({ onHand: 810, committed: 800 }))).toMatchObject({ left: 10, unexplained: 4 });
  });

  it('adds up for every run of a correct pool', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { input } = randomRun(seed, 80, 2);
        expect(unitSum(input.history, input.stocks).unexplained).toBe(0);
      }),
    );
  });
});

describe('unitLines', () => {
  it('are a sum that a reader can check', () => {
    const lines = unitLines(unitSum(history, book({ onHand: 820, overdrawn: 6, committed: 800 })));
    const values = lines.map((line) => Number(line.slice(54).replaceAll(',', '')));
    const [whole = 0, ...parts] = values;
    expect(parts.reduce((total, part) => total + part, 0)).toBe(whole);
    expect(lines[0]).toMatch(/^ {2}units at the start.+1,000$/);
    expect(lines.some((line) => line.startsWith('+ left, promised to nobody'))).toBe(true);
  });
});
