/** Units that wait for approval, as callers read it. */
import { INSPECTION_ORIGINS, type Inspection } from '@onepool/contracts';
import type { Limit } from '@onepool/platform-rights';
import { type NodeKey, type SellingRules, type SkuKey, accept } from '@onepool/stock-domain';
import type { StockEngine } from '../engine/engine.ts';
import { inspectionId, inspectionKey } from '../repository/inspections.ts';
import { type Answer, refuse } from '../requests/refusal.ts';
import { nodeKeys, skuKeys } from '../requests/resolve.ts';
import { Views } from '../requests/views.ts';
import type { Page } from './stock-reads.ts';

export interface InspectionPage {
  readonly sku?: string | undefined;
  readonly node?: string | undefined;
  readonly open?: boolean | undefined;
  readonly overdue?: boolean | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Nodes at which the reader may work. */
  readonly nodes: Limit;
}

interface InspectionRecord {
  inspection_key: number;
  sku: string;
  node_key: NodeKey;
  origin: number;
  command_id: string;
  line: number | null;
  inbound: string | null;
  inbound_line: string | null;
  fulfilment: string | null;
  reason: string;
  quantity: number;
  open: number;
  approved: number;
  rejected: number;
  missing: number;
  opened_at: Date;
  due_at: Date;
  closed_at: Date | null;
}

const INSPECTIONS = `
  SELECT i.*, k.code AS sku, a.id AS inbound, l.line AS inbound_line
    FROM inspection i JOIN sku_code k USING (sku_key)
    LEFT JOIN inbound_line l ON l.detail_key = i.detail_key LEFT JOIN inbound a USING (inbound_key)`;

export class InspectionReads {
  readonly #engine: StockEngine;

  constructor(engine: StockEngine) {
    this.#engine = engine;
  }

  /** Another node's is as unknown to whoever may not work there as one that does not exist. */
  async inspection(id: string, nodes: Limit): Promise<Answer<Inspection>> {
    const rules = await this.#engine.rules.current();
    const { rows } = await this.#engine.readPool.query<InspectionRecord>(
      `${INSPECTIONS} WHERE i.inspection_key = $1 AND ($2::int[] IS NULL OR i.node_key = ANY($2))`,
      [inspectionKey(id), keysWithin(nodes, rules)],
    );
    const [row] = rows;
    return row ? accept(toInspection(row, this.#views(rules))) : refuse('inspection.unknown', { inspection: id });
  }

  /** Oldest first; the cursor is the last one's id. */
  async inspections(page: InspectionPage): Promise<Answer<Page<Inspection>>> {
    const { sku, node, open = false, overdue = false, limit, cursor = inspectionId(0), nodes } = page;
    const rules = await this.#engine.rules.current();
    const ofSku = await skuKeys(this.#engine.codes, sku === undefined ? [] : [sku]);
    if (!ofSku.ok) return ofSku;
    const atNode = nodeKeys(rules, node === undefined ? [] : [node]);
    if (!atNode.ok) return atNode;
    const { rows } = await this.#engine.readPool.query<InspectionRecord>(
      inspectionsStatement({
        ...{ after: inspectionKey(cursor), sku: ofSku.value[0] ?? null, limit },
        ...{ nodes: nodesOf(atNode.value, keysWithin(nodes, rules)), open: open || overdue, overdue },
      }),
    );
    const views = this.#views(rules);
    const items = rows.map((row) => toInspection(row, views));
    return accept({ items, nextCursor: items.length === limit ? (items.at(-1)?.id ?? null) : null });
  }

  #views(rules: SellingRules): Views {
    return new Views(rules, this.#engine.codes);
  }
}

/** What a page has, by keys. */
export interface SoughtInspections {
  /** The last one of the page before. */
  readonly after: number;
  readonly sku: SkuKey | null;
  /** Null is every node. */
  readonly nodes: readonly NodeKey[] | null;
  readonly open: boolean;
  readonly overdue: boolean;
  readonly limit: number;
}

/**
 * Without a name, so that it is planned for what is sought. A single node is not one of a list: only then its index has the page in
 * order, and what the node had before need not be sorted.
 */
export function inspectionsStatement({ after, sku, nodes, open, overdue, limit }: SoughtInspections) {
  const [only = null, ...more] = nodes ?? [];
  const isOne = only !== null && more.length === 0;
  const text = `${INSPECTIONS} WHERE i.inspection_key > $1 AND ($2::int IS NULL OR i.sku_key = $2) AND ($3::int IS NULL OR i.node_key = $3)
          AND ($4::int[] IS NULL OR i.node_key = ANY($4)) ${open ? 'AND i.open > 0' : ''} ${overdue ? 'AND i.due_at <= clock_timestamp()' : ''}
        ORDER BY i.inspection_key LIMIT $5`;
  return { text, values: [after, sku, isOne ? only : null, isOne ? null : nodes, limit] };
}

/** Of those that are asked for, or else of all, the ones at which the reader may work; null is every node. */
const nodesOf = (asked: readonly NodeKey[], within: readonly NodeKey[] | null): readonly NodeKey[] | null =>
  asked.length === 0 ? within : asked.filter((node) => within === null || within.includes(node));

/** Null: every node. */
const keysWithin = (nodes: Limit, rules: SellingRules): readonly NodeKey[] | null =>
  nodes === 'all' ? null : [...nodes].flatMap((code) => rules.nodesByCode.get(code)?.key ?? []);

const toInspection = (row: InspectionRecord, views: Views): Inspection => {
  const origin = INSPECTION_ORIGINS[row.origin] ?? 'movement';
  return {
    id: inspectionId(row.inspection_key),
    sku: row.sku,
    node: views.node(row.node_key),
    origin,
    // Whose verb it was is not for everybody who may read stock.
    ...(origin === 'reject' ? {} : { command: row.command_id }),
    ...(row.line === null ? {} : { line: row.line }),
    ...(row.inbound === null ? {} : { inbound: row.inbound }),
    ...(row.inbound_line === null ? {} : { inboundLine: row.inbound_line }),
    ...(row.fulfilment === null ? {} : { fulfilment: row.fulfilment }),
    reason: row.reason,
    quantity: row.quantity,
    open: row.open,
    approved: row.approved,
    rejected: row.rejected,
    missing: row.missing,
    openedAt: row.opened_at.toISOString(),
    dueAt: row.due_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null,
  };
};
