/**
 * How many connections to PostgreSQL a replica may hold, by pool. A server has few of them for all apps and replicas, so who
 * opens a pool says so, and an app that would hold more than it declared does not start.
 */
import { createPool, type PoolOptions } from '@onepool/platform-postgres';
import type { Metrics } from '@onepool/platform-telemetry';
import type pg from 'pg';

/** A pool as the kit opens it; what is not told is the same for all. */
export type BudgetedPool = Pick<PoolOptions, 'schema' | 'onConnectionError'> &
  Partial<Omit<PoolOptions, 'url' | 'applicationName' | 'max'>>;

export class ConnectionBudget {
  readonly #max: number;
  readonly #pools = new Map<string, number>();
  readonly #address: { readonly url: string; readonly instance: string };

  constructor(max: number, address: { readonly url: string; readonly instance: string }, metrics: Metrics) {
    this.#max = max;
    this.#address = address;
    const help = 'Connections to PostgreSQL that a pool may open';
    metrics.gauge('onepool_postgres_connections_max', help, ['pool'], (one) => {
      for (const [pool, connections] of this.#pools) one.set({ pool }, connections);
    });
  }

  /** Opens a pool, whose connections are shown to the server as those of `INSTANCE-NAME`. @throws Error above the budget. */
  pool(name: string, max: number, options: BudgetedPool): pg.Pool {
    this.take(name, max);
    return createPool({
      url: this.#address.url,
      max,
      applicationName: `${this.#address.instance}-${name}`,
      statementTimeoutMs: 5_000,
      lockTimeoutMs: 3_000,
      idleInTransactionTimeoutMs: 5_000,
      connectTimeoutMs: 2_000,
      ...options,
    });
  }

  /** Counts a pool that somebody else opens. @throws Error above the budget. */
  take(name: string, max: number): void {
    if (this.#pools.has(name)) throw new Error(`There are two pools named ${name}`);
    this.#pools.set(name, max);
    const sum = [...this.#pools.values()].reduce((total, one) => total + one, 0);
    if (sum <= this.#max) return;
    const named = [...this.#pools].map(([pool, connections]) => `${pool} ${connections}`).join(', ');
    throw new Error(`The app declared ${this.#max} connections at most, and its pools may open ${sum}: ${named}`);
  }
}
