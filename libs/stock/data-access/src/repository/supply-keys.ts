/** Hands out keys for new rows of the book, fetched many at a time. A key that is not used is lost, which does no harm. */
import type { SupplyKey } from '@onepool/stock-domain';
import type pg from 'pg';

const FETCHED_AT_ONCE = 10_000;

export class SupplyKeys {
  #keys: SupplyKey[] = [];
  #refill: Promise<void> | null = null;

  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async take(count: number): Promise<readonly SupplyKey[]> {
    while (this.#keys.length < count) await (this.#refill ??= this.#fetch(count));
    return count === 0 ? [] : this.#keys.splice(-count, count);
  }

  async #fetch(count: number): Promise<void> {
    try {
      const { rows } = await this.#pool.query<{ key: number }>({
        name: 'supply-keys',
        text: `SELECT nextval('supply_key') AS key FROM generate_series(1, $1::int)`,
        values: [Math.max(count, FETCHED_AT_ONCE)],
      });
      this.#keys = [...rows.map(({ key }) => key), ...this.#keys];
    } finally {
      this.#refill = null;
    }
  }
}
