/**
 * Drains: promises leave where they may not stay, SKU by SKU.
 *
 * When rules have changed, or the clock has closed a node, all SKUs are looked through for promises where none of their channel may
 * stay since then. They become tasks, slice by slice. This is done twice: a batch that was decided by the rules before may be
 * committed after the first time. What is known to be looked through is in the database, so that nothing is missed while no replica
 * runs; one replica at a time does it.
 *
 * What stays is an exception, and worth another look whenever its SKU or the rules have changed, or after a minute.
 *
 * Known limit: a promise that a person puts where it may not stay is not looked for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { type ChannelKey, type NodeKey, type SellingRules, type SkuKey, barredNodes } from '@onepool/stock-domain';
import type { StockEngine } from '../engine/engine.ts';
import { allInTurn } from './all-in-turn.ts';
import { claimDue } from './claim-due.ts';
import { RULES_SETTLE_AFTER_MS } from './rules-in-force.ts';
import { underGates } from './under-gates.ts';

const CLAIM = {
  table: 'drain_task',
  name: 'claim-drain-tasks',
  point: commitPoint('stock.claim_drains'),
} as const;
const SEARCH = commitPoint('stock.search_drains');
const SEEK = commitPoint('stock.seek_drains');

const LEASE_SECONDS = 30;
const SKUS_PER_SLICE = 1_000;
const PROMISES_LOOKED_AT = 2_000;
/** Between slices others get their turn. */
const SLICE_PAUSE_MS = 10;
const DRAINS_IN_FLIGHT = 4;
const STRANDED_PER_LOOK = 1_000;
const STRANDED_AGAIN_AFTER_MS = 60_000;
const STRANDED_REMEMBERED_MAX = 200_000;

/** What has been looked for. */
interface Search {
  readonly rules: SellingRules;
  /** Milliseconds, the database's clock: from then on the same rules mean something else. */
  readonly until: number;
  readonly barred: string;
  /** Of the monotonic clock. */
  readonly at: number;
  readonly isSettled: boolean;
}

type Barred = Readonly<Record<string, readonly NodeKey[]>>;

export class Drains {
  #search: Search | null = null;
  /** Version and time of the last look at SKUs with stranded promises. */
  readonly #looked = new Map<SkuKey, { readonly version: number; readonly at: number }>();
  #strandedAfter: SkuKey = 0;

  readonly #engine: StockEngine;
  readonly #monotonic: () => number;

  constructor(engine: StockEngine, monotonic: () => number) {
    this.#engine = engine;
    this.#monotonic = monotonic;
  }

  /** Looks for promises that may not stay, where that has changed. */
  async search(): Promise<void> {
    const rules = await this.#engine.rules.current();
    const now = await this.#databaseNow();
    const at = this.#monotonic();
    if (this.#search?.rules !== rules || now >= this.#search.until) {
      this.#looked.clear();
      const barred = JSON.stringify(Object.fromEntries(barredNodes(rules, now)));
      const before = this.#search?.barred === barred ? this.#search : null;
      if (before === null && !(await this.#lookThrough(barred, false))) return;
      const search = { barred, at: before?.at ?? at, isSettled: before?.isSettled ?? false };
      this.#search = { ...search, rules, until: rules.changesAfter(now) };
    }
    const { barred, isSettled, at: first } = this.#search;
    if (isSettled || at - first < RULES_SETTLE_AFTER_MS) return;
    if (await this.#lookThrough(barred, true)) this.#search = { ...this.#search, isSettled: true };
  }

  async #databaseNow(): Promise<number> {
    const { rows } = await this.#engine.lookupPool.query<{ now: number }>({
      name: 'database-now',
      text: 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now',
    });
    return rows[0]?.now ?? 0;
  }

  /** Answers false while another replica is about it. */
  async #lookThrough(barred: string, isSecond: boolean): Promise<boolean> {
    const take = `
      UPDATE drain_search SET lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
       WHERE lease_until <= clock_timestamp() RETURNING barred`;
    const { rows } = await committing(SEARCH, () => this.#engine.lookupPool.query<{ barred: Barred }>(take));
    const [row] = rows;
    if (!row) return false;
    const sought = newlyBarred(row.barred, JSON.parse(barred) as Barred);
    if (sought.nodes.length > 0) await this.#seek(sought);
    const end = `
      UPDATE drain_search SET lease_until = '-infinity', barred = coalesce($1::json, barred)`;
    await committing(SEARCH, () => this.#engine.lookupPool.query(end, [isSecond ? barred : null]));
    return true;
  }

  async #seek({ nodes, channels }: Sought): Promise<void> {
    for (let after: SkuKey | null = 0; after !== null; await delay(SLICE_PAUSE_MS)) {
      const values: unknown[] = [after, nodes, channels];
      const { rows } = await committing(SEEK, () =>
        this.#engine.auditPool.query<{ last: SkuKey | null }>({ name: 'seek-drains', text: SLICE, values }),
      );
      after = rows[0]?.last ?? null;
    }
  }

  /** Drains what is due; answers what went wrong. */
  async drainDue(): Promise<readonly unknown[]> {
    const due = await claimDue(this.#engine.lookupPool, CLAIM);
    return allInTurn(due, DRAINS_IN_FLIGHT, (sku) => this.#engine.drain(sku));
  }

  /** Looks again at SKUs with stranded promises, some at a time in the order of their keys. */
  async lookAgain(): Promise<readonly unknown[]> {
    const { rows } = await this.#engine.lookupPool.query<{ sku_key: SkuKey; version: number }>({
      name: 'stranded-skus',
      text: `SELECT DISTINCT e.sku_key, g.version FROM stock_exception e JOIN sku_gate g USING (sku_key)
              WHERE e.code = 'promise.stranded' AND e.closed_at IS NULL AND e.sku_key > $1
              ORDER BY e.sku_key LIMIT ${STRANDED_PER_LOOK}`,
      values: [this.#strandedAfter],
    });
    this.#strandedAfter = rows.length < STRANDED_PER_LOOK ? 0 : (rows.at(-1)?.sku_key ?? 0);
    if (this.#looked.size > STRANDED_REMEMBERED_MAX) this.#looked.clear();
    const now = this.#monotonic();
    const due = rows.filter(({ sku_key, version }) => {
      const last = this.#looked.get(sku_key);
      return last?.version !== version || now - last.at >= STRANDED_AGAIN_AFTER_MS;
    });
    return allInTurn(due, DRAINS_IN_FLIGHT, async ({ sku_key, version }) => {
      await this.#engine.drain(sku_key);
      this.#looked.set(sku_key, { version, at: now });
    });
  }
}

/** What may not stay any more, and might before. */
interface Sought {
  readonly nodes: readonly NodeKey[];
  readonly channels: readonly ChannelKey[];
}

function newlyBarred(before: Barred, now: Barred): Sought {
  const nodes = new Set<NodeKey>();
  const channels: ChannelKey[] = [];
  for (const [channel, barred] of Object.entries(now)) {
    const known = new Set(before[channel]);
    const unknown = barred.filter((node) => !known.has(node));
    for (const node of unknown) nodes.add(node);
    if (unknown.length > 0) channels.push(Number(channel));
  }
  return { nodes: [...nodes], channels };
}

/**
 * SKUs that may have promises of these channels at these nodes become tasks. `$1` is the SKU that came last, `$2` are nodes, `$3`
 * channels. Of a SKU with very many promises not all are looked at: it becomes a task, and a task in vain does no harm.
 */
const SLICE = `
  WITH slice AS MATERIALIZED (SELECT sku_key FROM sku_gate WHERE sku_key > $1 ORDER BY sku_key LIMIT ${SKUS_PER_SLICE}),
  found AS MATERIALIZED (
    SELECT slice.sku_key FROM slice CROSS JOIN LATERAL (
      SELECT FROM supply WHERE sku_key = slice.sku_key AND kind = 0 AND node_key = ANY($2::int[]) AND reserved + committed > 0 LIMIT 1) s
     CROSS JOIN LATERAL (
      SELECT bool_or(r.channel_key = ANY($3::int[])) OR count(*) = ${PROMISES_LOOKED_AT} AS may_leave
        FROM (SELECT reservation_key FROM backing
               WHERE sku_key = slice.sku_key AND held + confirmed > 0 AND node_key = ANY($2::int[]) LIMIT ${PROMISES_LOOKED_AT}) b
       CROSS JOIN LATERAL (SELECT channel_key FROM reservation WHERE reservation_key = b.reservation_key OFFSET 0) r) p
     WHERE p.may_leave),
  tasks AS (
    INSERT INTO drain_task (sku_key, due_at) SELECT sku_key, clock_timestamp() FROM ${underGates('SELECT sku_key FROM found')}
    ON CONFLICT (sku_key) DO UPDATE SET due_at = LEAST(drain_task.due_at, excluded.due_at), before_key = NULL)
  SELECT max(sku_key) AS last FROM slice`;
