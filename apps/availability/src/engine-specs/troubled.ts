/** Two replicas that look after promises by themselves, and what they tell of those that the book does not cover. */
import type { PromiseShort } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { Housekeeping, type PoolFixture, SPEC, createPoolFixture } from '../testing/pool-fixture.ts';
import { type SpecReads, backedBy, readsOf } from './asking.ts';
import { brokenLaws } from './laws.ts';

const MINUTE_MS = 60_000;

export interface Fact {
  readonly fact: string;
  readonly key: string;
  readonly data: PromiseShort & { readonly code: string; readonly subject: string; readonly reason: string };
}

export class Troubled {
  readonly pool: PoolFixture;
  readonly engine: StockEngine;
  readonly other: StockEngine;
  readonly reads: SpecReads;
  readonly keepers: readonly Housekeeping[];
  /** Of the clock by which SKUs rest (ms). */
  monotonic = 0;

  private constructor(pool: PoolFixture) {
    this.pool = pool;
    [this.engine, this.other] = [pool.engine(), pool.engine()];
    this.reads = readsOf(this.engine);
    const monotonic = (): number => this.monotonic;
    this.keepers = [this.engine, this.other].map((one) => new Housekeeping(one, { monotonic }));
  }

  /** Three nodes and two SKUs. */
  static async open(): Promise<Troubled> {
    return new Troubled(await createPoolFixture(3, 2));
  }

  /** Answers which laws are broken. */
  async close(): Promise<readonly string[]> {
    const broken = await brokenLaws(this.pool.dataSource);
    await this.pool.close();
    return broken;
  }

  /** Everything that is due, by both replicas at once; then once more, for what one of them has left to the other. */
  async look(): Promise<void> {
    for (let times = 0; times < 2; times++) {
      this.monotonic += MINUTE_MS;
      await Promise.all(this.keepers.map((one) => one.once()));
    }
  }

  /** In the order of the outbox, from its `from`th on. */
  async facts(from = 0): Promise<readonly Fact[]> {
    const rows: (Omit<Fact, 'fact'> & { subject: string })[] = await this.pool.dataSource.query(
      `SELECT subject, key, data FROM outbox
        WHERE subject LIKE 'onepool.stock.promise.%' OR subject LIKE 'onepool.stock.exception.%' ORDER BY id OFFSET $1`,
      [from],
    );
    return rows.map(({ subject, key, data }) => ({ fact: subject.split('.').slice(2, 4).join('.'), key, data }));
  }

  /** The same in short. */
  async told(from = 0): Promise<readonly object[]> {
    return (await this.facts(from)).map(({ fact, data }) => ({
      fact,
      ...(data.promises
        ? { promises: data.promises.map(({ reservation, quantity }) => [reservation, quantity]) }
        : { code: data.code }),
    }));
  }

  /** Those that are open: `[code, node, quantity]`. */
  async exceptions(): Promise<readonly (readonly [string, string, number])[]> {
    return (await this.reads.exceptions({ limit: 100 })).items
      .filter(({ closedAt }) => closedAt === null)
      .map(({ code, node, quantity }) => [code, node, quantity] as const);
  }

  /** Units of a reservation by their nodes. */
  async at(id: string, tally: 'held' | 'confirmed' = 'held') {
    return backedBy(await this.reads.reservation(SPEC, id), tally);
  }

  /** The deadlines of all that is short are over. */
  async passDeadlines(): Promise<void> {
    await this.pool.dataSource.query(
      `UPDATE stock_exception SET due_at = '2020-01-01',
              refs = replace(refs::text, round(extract(epoch FROM due_at) * 1000)::bigint::text, '1577836800000')::json
        WHERE closed_at IS NULL AND due_at IS NOT NULL`,
    );
  }
}
