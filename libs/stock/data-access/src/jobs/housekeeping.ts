/**
 * What runs by itself: the sweep that gives overdue units back to SKUs nobody asks for, looks at promises that are short, the slices
 * in which units are given to those who wait for them, the search for those whom other rules let have what is free, lines that are late,
 * deadlines, drains, and the look for units that wait too long for approval. All are safe in every replica at once: the gates decide, and a
 * task done twice changes nothing.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { SkuKey } from '@onepool/stock-domain';
import { allInTurn } from './all-in-turn.ts';
import { claimDue } from './claim-due.ts';
import { skusPastDeadline, wakeLateLines } from './deadlines.ts';
import { Drains } from './drains.ts';
import type { StockEngine } from '../engine/engine.ts';
import { OverdueInspections } from './overdue-inspections.ts';
import { Rests } from './rests.ts';
import { RULES_IN_FORCE, RULES_SETTLE_AFTER_MS } from './rules-in-force.ts';
import { underGates } from './under-gates.ts';
import { WaitSearch } from './wait-search.ts';

export interface HousekeepingOptions {
  /** Pause between looks that have left nothing to go on with, in milliseconds. Default 200. */
  readonly intervalMs?: number;
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of any monotonic clock. */
  readonly monotonic?: () => number;
}

const CLAIM = {
  table: 'sku_task',
  name: 'claim-tend-tasks',
  point: commitPoint('stock.claim_tend_tasks'),
} as const;
const PUT_OFF = commitPoint('stock.put_off_tend_tasks');
const WAKE = commitPoint('stock.wake_tend_tasks');

const SWEPT_PER_LOOK = 500;
const HEALS_IN_FLIGHT = 8;
/** Of one SKU, before everything else that is due has its turn. */
const SLICES_PER_LOOK = 40;
/** Sweeps are light, and many of one commit queue share a commit. */
const SWEEPS_IN_FLIGHT = 64;

interface Supply {
  readonly shortfall: number;
  readonly available: number;
  /** Others of its promises are yet to be looked at, or units wait to be given out. */
  readonly hasMore: boolean;
}

const NOTHING: Supply = { shortfall: 0, available: 0, hasMore: false };

export class Housekeeping {
  /** Null while a look is under way. */
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #rules = '';
  /** Of the monotonic clock: what was found short by the rules before, and told only since, is looked at then. */
  #wakesAgainAt = Number.POSITIVE_INFINITY;
  /** Whether something is left to go on with at once. */
  #goesOn = false;
  readonly #rests = new Rests();
  readonly #drains: Drains;
  readonly #waitSearch: WaitSearch;
  readonly #overdueInspections: OverdueInspections;

  readonly #engine: StockEngine;
  readonly #options: HousekeepingOptions;

  constructor(engine: StockEngine, options: HousekeepingOptions = {}) {
    this.#engine = engine;
    this.#options = options;
    this.#drains = new Drains(engine, () => this.#now());
    this.#waitSearch = new WaitSearch(engine);
    this.#overdueInspections = new OverdueInspections(engine, () => this.#now());
  }

  #now(): number {
    return (this.#options.monotonic ?? (() => performance.now()))();
  }

  start(): void {
    this.#look();
  }

  #look(): void {
    this.#timer = null;
    this.#looking = this.once()
      .catch((error: unknown) => this.#options.onError?.(error))
      .then(() => {
        const pause = this.#goesOn ? 0 : (this.#options.intervalMs ?? 200);
        if (!this.#stopped) this.#timer = setTimeout(() => this.#look(), pause);
      });
  }

  /** Looks now, or once more as soon as the look under way has ended. */
  nudge(): void {
    this.#goesOn = true;
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  /**
   * One look at everything that is due. A part that fails does not keep the others from being done.
   *
   * @throws what went wrong; several errors as an AggregateError.
   */
  async once(): Promise<void> {
    const errors: unknown[] = [];
    this.#goesOn = false;
    const attempt = (part: () => Promise<readonly unknown[] | void>): Promise<void> =>
      part().then(
        (failures) => void errors.push(...(failures ?? [])),
        (error: unknown) => void errors.push(error),
      );
    await attempt(() => this.#rulesMoved());
    await attempt(() => wakeLateLines(this.#engine.lookupPool));
    await attempt(() => this.#waitSearch.goOn(this.#rules));
    await attempt(() => this.#heal());
    await attempt(async () =>
      allInTurn(await skusPastDeadline(this.#engine.lookupPool), HEALS_IN_FLIGHT, (sku) =>
        this.#engine.tend([sku], true),
      ),
    );
    await attempt(() => this.#drains.search());
    await attempt(() => this.#drains.drainDue());
    await attempt(() => this.#drains.lookAgain());
    await attempt(() => this.#overdueInspections.look());
    await attempt(async () =>
      allInTurn(await this.#overdue(), SWEEPS_IN_FLIGHT, (sku) => this.#engine.tend([sku], false)),
    );
    if (errors.length > 1) throw new AggregateError(errors, 'Several parts of housekeeping failed.');
    if (errors.length === 1) throw errors[0];
  }

  /** Heals are heavy: few at once leave the commit queues to callers. */
  async #heal(): Promise<readonly unknown[]> {
    const due = await claimDue(this.#engine.lookupPool, CLAIM);
    if (due.length === 0) return [];
    const before = await this.#supplyOf(due);
    const now = this.#now();
    const waits = due.map((sku) => {
      const { shortfall, available, hasMore } = before.get(sku) ?? NOTHING;
      return hasMore ? 0 : this.#rests.waitMs(sku, { shortfall, available }, now);
    });
    const resting = due.flatMap((sku, index) => ((waits[index] ?? 0) > 0 ? [{ sku, waitMs: waits[index] ?? 0 }] : []));
    if (resting.length > 0) await this.#putOff(resting);
    const healed: SkuKey[] = [];
    const errors = await allInTurn(
      due.filter((_, index) => waits[index] === 0),
      HEALS_IN_FLIGHT,
      async (sku) => {
        for (let slice = 1; (await this.#engine.tend([sku], true)) && slice < SLICES_PER_LOOK;) slice++;
        healed.push(sku);
      },
    );
    const after = await this.#supplyOf(healed);
    for (const sku of healed) {
      const { shortfall, available, hasMore } = after.get(sku) ?? NOTHING;
      this.#goesOn ||= hasMore;
      const moved = shortfall === 0 || hasMore || shortfall < (before.get(sku)?.shortfall ?? 0);
      this.#rests.looked(sku, moved, { shortfall, available }, this.#now());
    }
    return errors;
  }

  async #supplyOf(skus: readonly SkuKey[]): Promise<Map<SkuKey, Supply>> {
    if (skus.length === 0) return new Map();
    const { rows } = await this.#engine.lookupPool.query<Supply & { sku_key: SkuKey }>({
      name: 'short-supplies',
      text: `SELECT s.sku_key, sum(s.shortfall)::float8 AS shortfall, sum(s.available)::float8 AS available,
                    bool_or(s.unapplied > 0)
                    OR EXISTS (SELECT FROM sku_task t WHERE t.sku_key = s.sku_key AND (t.before_key IS NOT NULL OR t.offers > 0)) AS "hasMore"
               FROM stock s WHERE s.sku_key = ANY($1::int[]) GROUP BY s.sku_key`,
      values: [skus],
    });
    return new Map(rows.map((row) => [row.sku_key, row]));
  }

  /** What has become due again since it was claimed stays so, and so does what somebody is about to write; the next look decides. */
  async #putOff(resting: readonly { readonly sku: SkuKey; readonly waitMs: number }[]): Promise<void> {
    const statement = {
      name: 'put-off-tend-tasks',
      text: `UPDATE sku_task t SET due_at = clock_timestamp() + make_interval(secs => resting.wait / 1000)
               FROM (SELECT sku_key, x.wait FROM sku_task JOIN unnest($1::int[], $2::float8[]) AS x (sku_key, wait) USING (sku_key)
                      WHERE due_at > clock_timestamp() ORDER BY sku_key FOR UPDATE OF sku_task SKIP LOCKED) resting
              WHERE t.sku_key = resting.sku_key`,
      values: [resting.map(({ sku }) => sku), resting.map(({ waitMs }) => waitMs)],
    };
    await committing(PUT_OFF, () => this.#engine.lookupPool.query(statement));
  }

  async #overdue(): Promise<SkuKey[]> {
    const { rows } = await this.#engine.lookupPool.query<{ sku_key: number }>({
      name: 'overdue-skus',
      text: `SELECT DISTINCT sku_key FROM (
               SELECT sku_key FROM backing WHERE held > 0 AND expires_at <= clock_timestamp()
                ORDER BY expires_at LIMIT 5000) overdue LIMIT ${SWEPT_PER_LOOK}`,
    });
    return rows.map((row) => row.sku_key);
  }

  /** New nodes, channels or thresholds, nodes that begin to sell, and stops that are over may give a broken promise a place to go. */
  async #rulesMoved(): Promise<void> {
    const { rows } = await this.#engine.lookupPool.query<{ rules: string }>({
      name: 'rules-in-force',
      text: `SELECT ${RULES_IN_FORCE} AS rules FROM rules_epoch`,
    });
    const rules = rows[0]?.rules ?? '';
    const isNew = rules !== this.#rules;
    if (!isNew && this.#now() < this.#wakesAgainAt) return;
    const insert = `
      INSERT INTO sku_task (sku_key, due_at)
      SELECT sku_key, clock_timestamp()
        FROM ${underGates("SELECT sku_key FROM stock_exception WHERE code = 'promise.short' AND closed_at IS NULL")}
      ON CONFLICT (sku_key) DO NOTHING`;
    await committing(WAKE, () => this.#engine.lookupPool.query(insert));
    this.#rests.end();
    this.#rules = rules;
    this.#wakesAgainAt = isNew ? this.#now() + RULES_SETTLE_AFTER_MS : Number.POSITIVE_INFINITY;
  }
}
