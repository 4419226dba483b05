/**
 * Where no unit has come free, but rules have changed or the clock has ended one, promises that wait may be served of units that have
 * been there all the time: a fence or a stop is over, a node has opened or joined a channel. All SKUs for which somebody waits are
 * looked through, slice by slice, and what is free of them is offered: round and round, and once more (see `search-round.ts`), since a
 * promise that was decided by the rules before may be committed after the first time. How far it has come is in the database, so that
 * nobody is missed while no replica runs; one replica at a time does it, and what is done twice changes nothing.
 */
import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import type { StockEngine } from '../engine/engine.ts';
import { allInTurn } from './all-in-turn.ts';
import { RULES_IN_FORCE, RULES_SETTLE_AFTER_MS } from './rules-in-force.ts';
import { type SearchRound, changed, goneOn } from './search-round.ts';

const SEARCH = commitPoint('stock.search_waiting');

const LEASE_SECONDS = 30;
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

/** The search as it stands, and what is the case right now. */
interface Standing extends SearchRound {
  readonly rules: string;
  readonly lease: string;
  readonly inForce: string;
  readonly isDue: boolean;
  readonly isFree: boolean;
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

  /** Notes other rules even while somebody else is at it, and takes the next slice if nobody is. */
  #claim(): Promise<Claimed | null> {
    return inTransaction(this.#engine.lookupPool, SEARCH, async (client) => {
      const { inForce, rules, isDue, isFree, lease, ...round } = await standing(client);
      const isChanged = rules !== inForce;
      const { after, ...sought } = isChanged ? changed(round) : round;
      const isOurs = isFree && after !== null && (isChanged || isDue);
      if (!isChanged && !isOurs) return null;
      const saved = await save(
        client,
        inForce,
        { after, ...sought },
        { pauseSeconds: 0, lease: isOurs ? null : lease },
      );
      return isOurs ? { rules: inForce, after, lease: saved } : null;
    });
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

  /** The end of a slice. What was offered while the rules changed counts for nothing: the round begins behind it. */
  #leaveAt(claimed: Claimed, last: SkuKey | null, hasFailed: boolean): Promise<void> {
    return inTransaction(this.#engine.lookupPool, SEARCH, async (client) => {
      const { rules, lease, after, begunAfter, hasTurned, again } = await standing(client);
      if (lease !== claimed.lease) return;
      const round = { after, begunAfter, hasTurned, again: again || hasFailed };
      const left = rules === claimed.rules ? goneOn(round, last) : changed({ after: last ?? 0, begunAfter: 0 });
      const isSecond = round.again && !left.again;
      await save(client, rules, left, {
        pauseSeconds: isSecond ? RULES_SETTLE_AFTER_MS / 1_000 : 0,
        lease: '-infinity',
      });
    });
  }
}

async function standing(client: pg.PoolClient): Promise<Standing> {
  const { rows } = await client.query<Standing>({
    name: 'standing-wait-search',
    text: `SELECT w.rules, w.after_key AS after, w.begun_after AS "begunAfter", w.has_turned AS "hasTurned", w.again, w.lease_until::text AS lease,
                  w.due_at <= clock_timestamp() AS "isDue", w.lease_until <= clock_timestamp() AS "isFree", f.rules AS "inForce"
             FROM wait_search w, (SELECT ${RULES_IN_FORCE} AS rules FROM rules_epoch) f FOR NO KEY UPDATE OF w`,
  });
  const [row] = rows;
  if (!row) throw new Error('Broken invariant: there is one search');
  return row;
}

/** Of a lease that is null a new one is taken. Answers it. */
async function save(
  client: pg.PoolClient,
  rules: string,
  { after, begunAfter, hasTurned, again }: SearchRound,
  { pauseSeconds, lease }: { readonly pauseSeconds: number; readonly lease: string | null },
): Promise<string> {
  const { rows } = await client.query<{ lease: string }>({
    name: 'save-wait-search',
    text: `UPDATE wait_search SET rules = $1, after_key = $2, begun_after = $3, has_turned = $4, again = $5,
                  due_at = clock_timestamp() + make_interval(secs => $6),
                  lease_until = coalesce($7::timestamptz, clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}))
            RETURNING lease_until::text AS lease`,
    values: [rules, after, begunAfter, hasTurned, again, pauseSeconds, lease],
  });
  return rows[0]?.lease ?? '';
}
