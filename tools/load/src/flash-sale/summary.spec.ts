import { describe, expect, it } from '@jest/globals';
import { readBudgets } from '../budgets.ts';
import { type SaleSummary, failuresOfSale, saleLines } from './summary.ts';

const right: SaleSummary = {
  buyers: 20_000,
  units: 1_000,
  promised: 1_000,
  oversold: 0,
  undersold: 0,
  broken: 3,
  broken_expected: 3,
  p50_ms: 5,
  p99_ms: 90,
  granted: 1_200,
  refused: 18_800,
  given_back: 100,
  expired: 100,
  moved: 2,
  sold_at_counters: 40,
  kept: 997,
  left: 0,
  overdrawn: 37,
  repeated: 1_000,
  unknown: 0,
  unexpected: 0,
  lost: 0,
  still_held: 0,
  facts: 2_000,
  facts_missing: 0,
  ledger_balanced: true,
  dropped_arrivals: 0,
  replicas: 2,
  seed: 1,
  run: 'a1',
  duration_s: 60,
};
const { most } = readBudgets().flashSale;

describe('failuresOfSale', () => {
  it('passes a sale that kept its promises, however slow it was', () => {
    expect(failuresOfSale({ ...right, p99_ms: 60_000, dropped_arrivals: 500 }, most)).toEqual([]);
  });

  it.each<[Partial<SaleSummary>]>([
    [{ oversold: 1 }],
    [{ undersold: 1 }],
    [{ broken: 4 }],
    [{ broken: 2 }],
    [{ lost: 1 }],
    [{ unexpected: 1 }],
    [{ facts_missing: 1 }],
    [{ still_held: 1 }],
    [{ ledger_balanced: false }],
  ])('fails a sale with %j', (change) => {
    expect(failuresOfSale({ ...right, ...change }, most)).toHaveLength(1);
  });

  it('refuses a budget for a figure that there is not', () => {
    expect(() => failuresOfSale(right, { overslod: 0 })).toThrow('no figure of a flash sale');
  });
});

const units = {
  received: 1_000,
  soldAtCounters: 40,
  shipped: 0,
  writtenOff: 0,
  promised: 997,
  damaged: 0,
  left: 0,
  overdrawn: 37,
  unexplained: 0,
};
/** The figures at the ends of the lines, sum by sum. */
const sumsIn = (lines: readonly string[]): number[][] =>
  lines
    .join('\n')
    .split('\n\n')
    .map((block) =>
      [...block.matchAll(/^[ =+] \D+?(-?[\d,]+)$/gm)].map(([, text = '']) => Number(text.replaceAll(',', ''))),
    );

describe('saleLines', () => {
  it('ends with the verdict on the promise', () => {
    expect(saleLines(right, units, []).at(-1)).toBe('20,000 buyers, 1,000 units, 1,000 promised, 0 oversold: PASS');
    const failed = saleLines({ ...right, oversold: 2 }, units, ['oversold is 2, at most 0 is right']);
    expect(failed.at(-1)).toBe('20,000 buyers, 1,000 units, 1,000 promised, 2 oversold: FAIL');
    expect(failed.at(-2)).toBe('FAILED: oversold is 2, at most 0 is right');
  });

  it('adds up: buyers, holds, promises and units, each as a sum', () => {
    const sums = sumsIn(saleLines(right, units, [])).filter((figures) => figures.length > 1);
    expect(sums).toHaveLength(4);
    for (const [whole, ...parts] of sums) expect(parts.reduce((total, part) => total + part, 0)).toBe(whole);
  });

  it('says so when k6 could not make all arrivals', () => {
    expect(saleLines({ ...right, dropped_arrivals: 12 }, units, []).join('\n')).toContain('k6 dropped 12 arrivals');
  });
});
