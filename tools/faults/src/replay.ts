/** One run of the simulator as a child: it drives the trace and audits from its own history. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { ROOT, startProgram } from './child.ts';
import type { Child } from './child.ts';
import type { OwnSystem } from './own-system.ts';
import { until } from './until.ts';

/** The part of the simulator's result that the drill reads. */
export interface ReplaySummary {
  readonly granted: number;
  readonly lost: number;
  readonly oversold: number;
  readonly undersold: number;
  readonly retries: number;
  readonly events_published: number;
  readonly events_received: number;
  readonly version_gaps: number;
  readonly orders_per_s: number;
  readonly p99_ms: number;
}

export interface ReplayPlan {
  /** Name of the run: lower-case letters and digits. */
  readonly run: string;
  readonly orders: number;
  readonly seed: number;
  readonly urls: readonly string[];
  readonly onLine: (line: string) => void;
}

export interface ReplayResult {
  readonly exitCode: number | string;
  /** Undefined when the replay could not be done. */
  readonly summary: ReplaySummary | undefined;
  /** What it said last. */
  readonly lastWords: readonly string[];
}

const LAST_WORDS = 40;

/** The development trace when it is at hand, else the excerpt in the repository. */
export function findTrace(): string {
  const folder = process.env['ONEPOOL_DATA'] ?? join(ROOT, '../shared/data');
  const trace = join(folder, 'orders/uci_online_retail/online_retail.dev.csv.gz');
  return existsSync(trace) ? trace : join(ROOT, 'docs/examples/online-retail-excerpt.csv');
}

export class Replay {
  readonly plan: ReplayPlan;
  readonly #child: Child;
  readonly #json: string;
  readonly #lines: string[] = [];
  /** How many orders the simulator is sending; undefined until it does. */
  #orders: number | undefined;

  constructor(system: OwnSystem, plan: ReplayPlan) {
    this.plan = plan;
    this.#json = join(system.home, `replay-${plan.run}.json`);
    const urls = plan.urls.flatMap((url) => ['--url', url]);
    const inputs = ['--trace', findTrace(), '--orders', String(plan.orders), '--seed', String(plan.seed)];
    const places = ['--key-file', system.apiKeyFile, '--json', this.#json];
    this.#child = startProgram({
      entry: 'apps/simulator/src/replay.ts',
      args: [...inputs, ...places, ...urls, '--speed', 'max', '--run', plan.run],
      // Not an argument, which any user of the machine may list.
      variables: { NATS_URL: system.natsUrl },
      onLine: (line) => this.#hear(line),
    });
  }

  isRunning(): boolean {
    return this.#child.isRunning();
  }

  /** Resolves once traffic flows and so many reservations are in the book as this share of the orders. */
  async progressed(pool: pg.Pool, share: number): Promise<void> {
    await until('the replay to make reservations', async () => {
      if (!this.isRunning()) return true;
      if (this.#orders === undefined) return undefined;
      const { rows } = await pool.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM availability.reservation WHERE id LIKE $1',
        [`r${this.plan.run}-%`],
      );
      return (rows[0]?.count ?? 0) >= this.#orders * share || undefined;
    });
    if (!this.isRunning()) throw new Error('The replay ended before the fault was caused; give it more --orders.');
  }

  async result(): Promise<ReplayResult> {
    const exitCode = await this.#child.ended;
    const read = (): ReplaySummary => JSON.parse(readFileSync(this.#json, 'utf8')) as ReplaySummary;
    return { exitCode, summary: existsSync(this.#json) ? read() : undefined, lastWords: this.#lines };
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  #hear(line: string): void {
    if (this.#lines.push(line) > LAST_WORDS) this.#lines.shift();
    const [, orders] = /^sending .* for (\d+) orders/.exec(line) ?? [];
    if (orders !== undefined) this.#orders = Number(orders);
    if (/^(replay:|sending|creating|auditing|waiting)/.test(line)) this.plan.onLine(line);
  }
}
