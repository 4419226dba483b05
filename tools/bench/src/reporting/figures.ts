import { spreadOf } from '../measuring/statistics.ts';
import type { Spread } from '../measuring/statistics.ts';

/** CPU microseconds a request, by process; null where it cannot be read. */
export interface CpuUse {
  readonly what: string;
  readonly client: number | null;
  readonly postgres: number | null;
  readonly app: number | null;
}

/** What the benchmarks have found so far. */
export class Figures {
  readonly spreads = new Map<string, Spread>();
  /** Further measured values, of no target: the rates behind the ratios. */
  readonly details = new Map<string, Spread>();
  readonly cpu: CpuUse[] = [];
  /** How baselines were tuned and what else explains a figure. */
  readonly notes = new Map<string, string>();
  readonly notRun = new Map<string, string>();

  set(key: string, rounds: readonly number[]): void {
    this.spreads.set(key, spreadOf(rounds));
  }

  detail(name: string, rounds: readonly number[]): void {
    this.details.set(name, spreadOf(rounds));
  }
}
