import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_TESTS } from './k6/run-k6.ts';

/** The one file of budgets. Correctness is gated; milliseconds are printed beside what was measured, and never gated. */
export interface Budgets {
  readonly smoke: {
    /** k6's own thresholds. */
    readonly thresholds: Readonly<Record<string, readonly string[]>>;
    readonly p99Ms: Readonly<Record<string, number>>;
  };
  readonly flashSale: {
    /** Figures of the summary that may not be larger. */
    readonly most: Readonly<Record<string, number>>;
    readonly p99Ms: { readonly hold: number };
  };
}

export function readBudgets(): Budgets {
  return JSON.parse(readFileSync(join(LOAD_TESTS, 'budgets.json'), 'utf8')) as Budgets;
}

/** `p99 42 ms (budget 100 ms)`, with a word when it is over. */
export function showP99(p99Ms: number, budgetMs: number | undefined): string {
  const budget = budgetMs === undefined ? '' : ` (budget ${budgetMs} ms${p99Ms > budgetMs ? ', over' : ''})`;
  return `p99 ${Math.round(p99Ms)} ms${budget}`;
}
