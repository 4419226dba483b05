/**
 * The rows of a hold, as the engine writes them. When the engine's tables change, this file and the statements beside it
 * change with them; the specs compare the rows of every contender column by column.
 */
import { hash } from 'node:crypto';
import { SKU_CHANGED, type SkuChanged } from '@onepool/contracts';
import { factId, factKey, partitionOf } from '@onepool/platform-messaging';
import { ACCOUNTS } from '@onepool/stock-domain';
import { CHANNEL, EXPIRES_IN_SECONDS, skuCode } from './contender.ts';
import type { Line } from './contender.ts';

export const FACT_SOURCE = '/onepool/stock';
export const FACT_SUBJECT = SKU_CHANGED;
export const AVAILABLE = ACCOUNTS.indexOf('available');
export const RESERVED = ACCOUNTS.indexOf('reserved');
export const HOLD_REASON = 'hold';

/** A row of stock, with the code of its node, in the names of the facts. */
export interface Row {
  /** `supply_key`. */
  readonly key: number;
  readonly sku: number;
  readonly node: number;
  readonly nodeCode: string;
  readonly available: number;
  readonly committed: number;
  readonly reserved: number;
  readonly safetyStock: number;
  readonly damaged: number;
  readonly qualityControl: number;
  readonly shortfall: number;
  readonly overdrawn: number;
  readonly unapplied: number;
}

/** Columns of {@link Row} except the node's code, of the table alias `s`. */
export const ROW_COLUMNS = `s.supply_key AS key, s.sku_key AS sku, s.node_key AS node, s.available, s.committed, s.reserved,
  s.safety_stock AS "safetyStock", s.damaged, s.quality_control AS "qualityControl", s.shortfall, s.overdrawn, s.unapplied`;
/** Of a row of stock, and of nothing that is yet to come. */
export const IS_STOCK = 's.kind = 0 AND s.detail_key = 0';

export interface Backed {
  readonly row: Row;
  readonly units: number;
}

/** The row after `units` were held. */
export const holdUnits = (row: Row, units: number): Row => ({
  ...row,
  available: row.available - units,
  reserved: row.reserved + units,
});

export function bodyHash(lines: readonly Line[]): Buffer {
  const told = lines.map(({ sku, quantity }) => [skuCode(sku), quantity]);
  return hash('sha256', JSON.stringify([CHANNEL, told, false, EXPIRES_IN_SECONDS, null, null]), 'buffer');
}

/** `reservation.lines` of one line, whose id is its place, from 1: what was asked, granted, at which version and from where. */
export const answeredLine = (
  index: number,
  { sku, quantity }: Line,
  version: number,
  backed: readonly Backed[],
): unknown => [String(index + 1), sku, quantity, quantity, version, backed.map(({ row, units }) => [row.node, units])];

export interface Fact {
  readonly partition: number;
  readonly key: string;
  readonly eventId: string;
  readonly data: string;
}

/** The fact of one SKU's step from version to version; `changed` holds the rows after the change. */
export function factOf(
  sku: number,
  versions: readonly [from: number, to: number],
  changed: readonly Row[],
  nowMs: number,
  partitionCount: number,
): Fact {
  const code = skuCode(sku);
  const [fromVersion, toVersion] = versions;
  const rows = changed.map(({ key: _key, nodeCode, sku: _sku, node: _node, ...units }) => ({
    node: nodeCode,
    onHand:
      units.available +
      units.committed +
      units.reserved +
      units.safetyStock +
      units.damaged +
      units.qualityControl -
      units.shortfall,
    ...units,
  }));
  const recordedAt = new Date(nowMs).toISOString();
  const data: SkuChanged = { sku: code, fromVersion, toVersion, recordedAt, rows, causes: [{ kind: 'promise' }] };
  const key = factKey('sku', code);
  return {
    partition: partitionOf(key, partitionCount),
    key,
    eventId: factId(key, toVersion),
    data: JSON.stringify(data),
  };
}
