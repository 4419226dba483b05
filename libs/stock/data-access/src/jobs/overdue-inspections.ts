/**
 * Units that wait too long for approval are an exception of their SKU and node, with as many as are overdue, until they are judged.
 * It is compared as a whole, every few seconds: what is due within hours need not be told within milliseconds. Of replicas that compare at once, one does.
 */
import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import type { StockEngine } from '../engine/engine.ts';
import { CLOSED_COLUMNS, type ClosedRecord, tellClosed } from '../unit-of-work/tell-closed.ts';

const NOTE = commitPoint('stock.overdue_inspections');
const LOOK_EVERY_MS = 5_000;
/** Their gates are locked meanwhile; the next look closes others. */
const CLOSED_AT_ONCE_MAX = 500;

const TURN = `SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.overdue_inspections', 0)) AS is_ours`;

const OVERDUE = `
  overdue AS MATERIALIZED (
    SELECT sku_key, node_key, sum(open)::bigint AS units FROM inspection
     WHERE open > 0 AND due_at <= clock_timestamp() GROUP BY sku_key, node_key)`;
const IS_OVER = `e.code = 'inspection.overdue' AND e.closed_at IS NULL
       AND NOT EXISTS (SELECT FROM overdue o WHERE o.sku_key = e.sku_key AND o.node_key = e.node_key)`;

/** What is told of a SKU is told under its gate. */
const LOCK = `
  WITH ${OVERDUE}
  SELECT sku_key FROM sku_gate WHERE sku_key IN (SELECT e.sku_key FROM stock_exception e WHERE ${IS_OVER} LIMIT ${CLOSED_AT_ONCE_MAX})
   ORDER BY sku_key FOR NO KEY UPDATE`;
const CLOSE = `
  WITH ${OVERDUE}
  UPDATE stock_exception e SET quantity = 0, closed_at = clock_timestamp() FROM sku_code s
   WHERE s.sku_key = e.sku_key AND e.sku_key = ANY($1::int[]) AND ${IS_OVER} RETURNING ${CLOSED_COLUMNS}`;
const OPEN = `
  WITH ${OVERDUE}
  INSERT INTO stock_exception AS e (code, subject, sku_key, node_key, quantity, opened_at)
  SELECT 'inspection.overdue', concat('stock/', sku_key, '/', node_key), sku_key, node_key, units, clock_timestamp()
    FROM overdue ORDER BY sku_key, node_key
  ON CONFLICT (code, subject) WHERE closed_at IS NULL
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
    await inTransaction(this.#engine.lookupPool, NOTE, (client) => this.#compare(client));
    this.#lookedAt = now;
  }

  async #compare(client: pg.PoolClient): Promise<void> {
    const { rows: turn } = await client.query<{ is_ours: boolean }>(TURN);
    if (turn[0]?.is_ours !== true) return;
    const { rows: gates } = await client.query<{ sku_key: SkuKey }>(LOCK);
    const locked = gates.map((gate) => gate.sku_key);
    if (locked.length > 0) {
      const { rows: closed } = await client.query<ClosedRecord>(CLOSE, [locked]);
      await tellClosed(client, closed, this.#engine.telling);
    }
    await client.query(OPEN);
  }
}
