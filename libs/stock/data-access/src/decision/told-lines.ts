/** What receipts and legs of transfers have in common: who tells of their units, what a count had seen of them before, and what is answered. */
import type { ReceiptResult } from '@onepool/contracts';
import type { NodeKey, SkuKey, Watermark } from '@onepool/stock-domain';
import type { ReceiveCommand, ShipCommand } from '../requests/command.ts';
import type { Views } from '../requests/views.ts';
import type { LateNote, LedgerOrigin, RowQuantity } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';

type Telling = Pick<ReceiveCommand | ShipCommand, 'reason' | 'sourceKey' | 'sourceName' | 'id' | 'occurredAt'>;

/** Nothing has happened later than it is decided. */
export const originOf = (
  { reason, sourceKey: source, sourceName, id: sourceEventId, occurredAt }: Telling,
  now: number,
): LedgerOrigin => ({ reason, source, sourceName, sourceEventId, occurredAt: Math.min(occurredAt ?? now, now) });

/** Units that came, or went (< 0), before the newest count of their row, or of this one of its states. */
export const lateNoteOf = (
  { source, sourceEventId, occurredAt }: LedgerOrigin,
  kind: 'receipt' | 'ship',
  { sku, node, quantity }: RowQuantity,
  count: Watermark,
  state: LateNote['state'],
): LateNote => ({ sku, node, quantity, count, state, kind, source, sourceEventId, occurredAt });

/** Rows of SKUs at these nodes, as they are now. */
export const rowsAt = (
  nodes: ReadonlyMap<SkuKey, ReadonlySet<NodeKey>>,
  book: ChangingBook,
  views: Views,
): ReceiptResult['skus'] =>
  [...nodes].map(([sku, among]) => {
    const supply = book.supply(sku);
    const rows = supply.rows.filter(({ node }) => among.has(node));
    return { sku: views.sku(sku), version: book.versionOf(sku), rows: views.stockRows({ ...supply, rows }) };
  });
