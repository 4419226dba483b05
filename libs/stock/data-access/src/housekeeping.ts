/**
 * What runs by itself: the sweep that gives overdue units back to SKUs nobody asks for, and the re-backing of broken
 * promises. Both are safe in every replica at once: the gates decide, and a task done twice changes nothing.
 */
import type { SkuKey } from '@onepool/stock-domain';
import type { StockEngine } from './engine.ts';

export interface HousekeepingOptions {
  /** Pause between looks, in milliseconds. Default 200. */
  readonly intervalMs?: number;
  readonly onError?: (error: unknown) => void;
}

const SKUS_PER_LOOK = 500;
/** A SKU that another replica is likely tending right now is left to it for this long. */
const CLAIM_SECONDS = 5;

export class Housekeeping {
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #rules = '';

  constructor(
    private readonly engine: StockEngine,
    private readonly options: HousekeepingOptions = {},
  ) {}

  start(): void {
    const look = (): void => {
      this.#looking = this.once()
        .catch((error: unknown) => this.options.onError?.(error))
        .then(() => {
          if (!this.#stopped) this.#timer = setTimeout(look, this.options.intervalMs ?? 200);
        });
    };
    look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#looking;
  }

  /** One look at everything that is due. */
  async once(): Promise<void> {
    await this.#rulesMoved();
    await this.engine.tend(await this.#dueTasks(), true);
    await this.engine.tend(await this.#overdue(), false);
  }

  /** Tasks are claimed by moving their due time, so that a claimant that dies leaves them to others. */
  async #dueTasks(): Promise<SkuKey[]> {
    const { rows } = await this.engine.lookupPool.query<{ sku_key: number }>({
      name: 'claim-reback-tasks',
      text: `UPDATE reback_task t SET due_at = clock_timestamp() + make_interval(secs => ${CLAIM_SECONDS})
               FROM (SELECT sku_key FROM reback_task WHERE due_at <= clock_timestamp()
                      ORDER BY due_at LIMIT ${SKUS_PER_LOOK} FOR UPDATE SKIP LOCKED) due
              WHERE t.sku_key = due.sku_key RETURNING t.sku_key`,
    });
    return rows.map((row) => row.sku_key);
  }

  async #overdue(): Promise<SkuKey[]> {
    const { rows } = await this.engine.lookupPool.query<{ sku_key: number }>({
      name: 'overdue-skus',
      text: `SELECT DISTINCT sku_key FROM (
               SELECT sku_key FROM backing WHERE held > 0 AND expires_at <= clock_timestamp()
                ORDER BY expires_at LIMIT 5000) overdue LIMIT ${SKUS_PER_LOOK}`,
    });
    return rows.map((row) => row.sku_key);
  }

  /** New nodes, channels or thresholds, and nodes that begin to sell, may give a broken promise a place to go. */
  async #rulesMoved(): Promise<void> {
    const { rows } = await this.engine.lookupPool.query<{ rules: string }>({
      name: 'rules-in-force',
      text: `SELECT concat(epoch, ' ', (SELECT max(active_from) FROM node WHERE active_from <= clock_timestamp())) AS rules
               FROM catalog_epoch`,
    });
    const rules = rows[0]?.rules ?? '';
    if (rules === this.#rules) return;
    await this.engine.lookupPool.query(
      `INSERT INTO reback_task (sku_key, due_at)
       SELECT DISTINCT sku_key, clock_timestamp() FROM stock_exception WHERE closed_at IS NULL ORDER BY 1
       ON CONFLICT (sku_key) DO NOTHING`,
    );
    this.#rules = rules;
  }
}
