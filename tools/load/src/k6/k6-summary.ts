import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUMMARY_FILE } from './run-k6.ts';

interface Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

export interface K6Summary {
  /** Total of a counter; 0 when nothing was added to it, for then k6 leaves it out. */
  counterOf(metric: string): number;
  /** One value of a metric, as `rate` or `p(99)`; undefined without any sample. */
  valueOf(metric: string, value: string): number | undefined;
  /** Thresholds that do not hold, as `checks: rate==1`. */
  readonly crossed: readonly string[];
}

export function parseK6Summary(text: string): K6Summary {
  const { metrics } = JSON.parse(text) as { metrics: Readonly<Record<string, Metric>> };
  const valueOf = (metric: string, value: string): number | undefined => metrics[metric]?.values[value];
  const crossed = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).flatMap(([threshold, { ok }]) => (ok ? [] : [`${name}: ${threshold}`])),
  );
  return { counterOf: (metric) => valueOf(metric, 'count') ?? 0, valueOf, crossed };
}

/** What k6 wrote at the end of the run in this folder. */
export function readK6Summary(folder: string): K6Summary {
  return parseK6Summary(readFileSync(join(folder, SUMMARY_FILE), 'utf8'));
}
