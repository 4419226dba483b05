/** Hands out internal reservation keys from blocks that the database gives, so that a batch needs no extra round trip. */
import type pg from 'pg';

const BLOCK = 1_024;

export class ReservationKeys {
  #next = 0;
  #end = 0;
  #refill: Promise<void> | null = null;

  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async take(count: number): Promise<readonly number[]> {
    const keys: number[] = [];
    while (keys.length < count) {
      if (this.#next < this.#end) keys.push(this.#next++);
      else await (this.#refill ??= this.#fetchBlock());
    }
    return keys;
  }

  async #fetchBlock(): Promise<void> {
    try {
      const { rows } = await this.#pool.query<{ block: number }>(`SELECT nextval('reservation_block') AS block`);
      const block = rows[0]?.block;
      if (block === undefined) throw new Error('Broken invariant: the sequence gave no value');
      this.#next = block * BLOCK;
      this.#end = this.#next + BLOCK;
    } finally {
      this.#refill = null;
    }
  }
}
