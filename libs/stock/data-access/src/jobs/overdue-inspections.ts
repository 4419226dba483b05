/**
 * Units that wait too long for approval are an exception of their SKU and node, with as many as are overdue, until they are judged.
 * It is compared as a whole, every few seconds: what is due within hours need not be told within milliseconds. Of replicas that compare at once, one does.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { StockEngine } from '../engine/engine.ts';

const NOTE = commitPoint('stock.overdue_inspections');
const LOOK_EVERY_MS = 5_000;

const COMPARE = `
  WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.overdue_inspections', 0)) AS is_ours),
  overdue AS MATERIALIZED (
    SELECT sku_key, node_key, sum(open)::bigint AS units FROM inspection
     WHERE open > 0 AND due_at <= clock_timestamp() GROUP BY sku_key, node_key),
  closed AS (
    UPDATE stock_exception e SET quantity = 0, closed_at = clock_timestamp()
     WHERE e.code = 'inspection.overdue' AND e.closed_at IS NULL AND (SELECT is_ours FROM turn)
       AND NOT EXISTS (SELECT FROM overdue o WHERE o.sku_key = e.sku_key AND o.node_key = e.node_key))
  INSERT INTO stock_exception AS e (code, sku_key, node_key, quantity, opened_at)
  SELECT 'inspection.overdue', sku_key, node_key, units, clock_timestamp() FROM overdue WHERE (SELECT is_ours FROM turn) ORDER BY 2, 3
  ON CONFLICT (code, sku_key, node_key) WHERE closed_at IS NULL
  DO UPDATE SET quantity = excluded.quantity WHERE e.quantity <> excluded.quantity`;

export class OverdueInspections {
  #lookedAt = Number.NEGATIVE_INFINITY;

  readonly #engine: StockEngine;
  readonly #monotonic: () => number;

  constructor(engine: StockEngine, monotonic: () => number) {
    this.#engine = engine;
    this.#monotonic = monotonic;
  }

  /** Opens, changes and closes exceptions, unless it has done so a moment ago. */
  async look(): Promise<void> {
    const now = this.#monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    await committing(NOTE, () => this.#engine.auditPool.query(COMPARE));
    this.#lookedAt = now;
  }
}
