/** What is to come, as callers read it. */
import type { Inbound, InboundLine } from '@onepool/contracts';
import { type SkuKey, accept } from '@onepool/stock-domain';
import type { StockEngine } from '../engine/engine.ts';
import { type Answer, refuse } from '../requests/refusal.ts';
import { skuKeys } from '../requests/resolve.ts';
import { Views, isoTime } from '../requests/views.ts';
import { INBOUND_KINDS } from '../stock-columns.ts';
import type { Page } from './stock-reads.ts';

export interface InboundPage {
  readonly sku?: string | undefined;
  readonly open?: boolean | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface LineRecord {
  detail_key: number;
  id: string;
  actor: string;
  kind: number;
  line: string;
  sku: string;
  node_key: number;
  from_node: number | null;
  expected: number;
  received: number;
  lost: number;
  promised: number;
  due_at: Date | null;
  closed_at: Date | null;
}

const LINES = `
  SELECT l.detail_key, i.id, i.actor, l.kind, l.line, k.code AS sku, l.node_key, l.from_node, l.expected, l.received, l.lost, l.due_at, l.closed_at,
         coalesce((SELECT s.committed + s.reserved FROM supply s
                    WHERE s.sku_key = l.sku_key AND s.node_key = l.node_key AND s.kind = 1 AND s.detail_key = l.detail_key), 0) AS promised
    FROM inbound_line l JOIN inbound i USING (inbound_key) JOIN sku_code k USING (sku_key)`;

export class InboundReads {
  readonly #engine: StockEngine;

  constructor(engine: StockEngine) {
    this.#engine = engine;
  }

  async inbound(owner: string, id: string): Promise<Answer<Inbound>> {
    const { rows } = await this.#engine.readPool.query<LineRecord>(
      `${LINES} WHERE i.actor = $1 AND i.id = $2 ORDER BY l.detail_key`,
      [owner, id],
    );
    if (rows.length === 0) return refuse('inbound.unknown', { inbound: id });
    const views = await this.#views();
    return accept({ id, owner, lines: rows.map((row) => toLine(row, views)) });
  }

  /** Oldest first; the cursor is a line's key. */
  async lines({ sku, open = false, limit, cursor = '0' }: InboundPage): Promise<Answer<Page<InboundLine>>> {
    const only = sku === undefined ? accept<readonly SkuKey[]>([]) : await skuKeys(this.#engine.codes, [sku]);
    if (!only.ok) return only;
    const { rows } = await this.#engine.readPool.query<LineRecord>(
      `${LINES} WHERE ($1::int IS NULL OR l.sku_key = $1) AND (NOT $2 OR l.is_open AND l.closed_at IS NULL) AND l.detail_key > $3
        ORDER BY l.detail_key LIMIT $4`,
      [only.value[0] ?? null, open, cursor, limit],
    );
    const views = await this.#views();
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return accept({ items: rows.map((row) => toLine(row, views)), nextCursor: last ? String(last.detail_key) : null });
  }

  async #views(): Promise<Views> {
    return new Views(await this.#engine.rules.current(), this.#engine.codes);
  }
}

const toLine = (row: LineRecord, views: Views): InboundLine => ({
  inbound: row.id,
  owner: row.actor,
  kind: INBOUND_KINDS[row.kind] ?? 'receipt',
  line: row.line,
  sku: row.sku,
  node: views.node(row.node_key),
  ...(row.from_node === null ? {} : { from: views.node(row.from_node) }),
  quantity: row.expected,
  received: row.received,
  lost: row.lost,
  promised: row.promised,
  dueAt: row.due_at && isoTime(row.due_at.getTime()),
  closed: row.closed_at !== null,
});
