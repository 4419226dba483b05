/**
 * Where no unit has come free, but rules have changed or the clock has ended one, promises that wait may be served of units that have
 * been there all the time: a fence or a stop is over, a node has opened or joined a channel. All SKUs for which somebody waits are
 * looked through, slice by slice, and what is free of them is offered. This is done twice: a promise that was decided by the rules
 * before may be committed after the first time. How far it has come is in the database, so that nobody is missed while no replica
 * runs; one replica at a time does it, and what is done twice changes nothing.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { SkuKey } from '@onepool/stock-domain';
import type { StockEngine } from '../engine/engine.ts';
import { allInTurn } from './all-in-turn.ts';
import { RULES_IN_FORCE } from './rules-in-force.ts';

const SEARCH = commitPoint('stock.search_waiting');

const LEASE_SECONDS = 30;
/** Longer than any batch may take from its look at the rules to its commit. */
const AGAIN_AFTER_SECONDS = 8;
const ROWS_PER_SLICE = 1_000;
const OFFERS_IN_FLIGHT = 4;

interface Claimed {
  readonly rules: string;
  /** The SKU that came last. */
  readonly after: SkuKey;
  /** Until when nobody else goes on, as the database says it. */
  readonly lease: string;
}

interface Slice {
  /** The last SKU of it; null at the end. */
  readonly last: SkuKey | null;
  /** Those of which units are free. */
  readonly skus: readonly SkuKey[];
}

export class WaitSearch {
  /** Rules for which nobody is left to be looked for. */
  #done = '';
  readonly #engine: StockEngine;

  constructor(engine: StockEngine) {
    this.#engine = engine;
  }

  /** The next slice in which there is anybody, if one is due; answers what went wrong. */
  async goOn(inForce: string): Promise<readonly unknown[]> {
    if (this.#done === inForce) return [];
    const claimed = await this.#claim();
    if (!claimed) {
      if (await this.#isDone(inForce)) this.#done = inForce;
      return [];
    }
    let { after } = claimed;
    let slice = await this.#sliceAfter(after);
    while (slice.last !== null && slice.skus.length === 0) {
      after = slice.last;
      slice = await this.#sliceAfter(after);
    }
    const errors = await allInTurn(slice.skus, OFFERS_IN_FLIGHT, (sku) => this.#engine.offer(sku));
    await this.#leaveAt(claimed, slice.last, errors.length > 0);
    return errors;
  }

  async #claim(): Promise<Claimed | undefined> {
    const claim = {
      name: 'claim-wait-search',
      text: `WITH in_force AS MATERIALIZED (SELECT ${RULES_IN_FORCE} AS rules FROM rules_epoch)
             UPDATE wait_search w SET due_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}), rules = f.rules,
                    again = w.again OR w.rules <> f.rules, after_key = CASE WHEN w.rules = f.rules THEN w.after_key ELSE 0 END
               FROM in_force f
              WHERE w.rules <> f.rules OR (w.after_key IS NOT NULL AND w.due_at <= clock_timestamp())
             RETURNING w.rules, w.after_key AS after, w.due_at::text AS lease`,
    };
    const { rows } = await committing(SEARCH, () => this.#engine.lookupPool.query<Claimed>(claim));
    return rows[0];
  }

  async #isDone(rules: string): Promise<boolean> {
    const { rowCount } = await this.#engine.lookupPool.query({
      name: 'wait-search-done',
      text: 'SELECT FROM wait_search WHERE rules = $1 AND after_key IS NULL',
      values: [rules],
    });
    return rowCount === 1;
  }

  async #sliceAfter(after: SkuKey): Promise<Slice> {
    const { rows } = await this.#engine.lookupPool.query<Slice>({
      name: 'slice-of-waiting',
      text: `WITH slice AS MATERIALIZED (
               SELECT sku_key, committed + reserved > 0 AS waits FROM supply WHERE kind <> 0 AND sku_key > $1
                ORDER BY sku_key FETCH FIRST ${ROWS_PER_SLICE} ROWS WITH TIES)
             SELECT (SELECT max(sku_key) FROM slice) AS last, ARRAY(
               SELECT DISTINCT s.sku_key FROM slice s
                WHERE s.waits AND EXISTS (SELECT FROM stock f WHERE f.sku_key = s.sku_key AND f.available > 0)
                ORDER BY 1) AS skus`,
      values: [after],
    });
    return rows[0] ?? { last: null, skus: [] };
  }

  /** The end of a slice, or of the search; after a search in which something went wrong there is another one. */
  async #leaveAt({ rules, lease }: Claimed, last: SkuKey | null, hasFailed: boolean): Promise<void> {
    const leave = {
      name: 'leave-wait-search',
      text: `UPDATE wait_search SET
               after_key = CASE WHEN $2::int IS NOT NULL THEN $2::int WHEN again OR $3 THEN 0 END,
               again = (again AND $2::int IS NOT NULL) OR $3,
               due_at = CASE WHEN $2::int IS NOT NULL THEN clock_timestamp()
                             ELSE clock_timestamp() + make_interval(secs => ${AGAIN_AFTER_SECONDS}) END
              WHERE rules = $1 AND due_at = $4::timestamptz`,
      values: [rules, last, hasFailed, lease],
    };
    await committing(SEARCH, () => this.#engine.lookupPool.query(leave));
  }
}
