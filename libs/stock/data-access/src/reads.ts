/** Reads: ATP, stock, ledger, reservations, exceptions and the proof of the ledger. */
import type {
  Atp,
  AtpManyRequest,
  LedgerEntry,
  LedgerVerification,
  Reservation as ReservationView,
  StockException,
  StockOfSku,
} from '@onepool/contracts';
import {
  ACCOUNTS,
  type NodeKey,
  type SkuKey,
  type SkuSupply,
  type StockRow,
  channelAtp,
  giveBack,
} from '@onepool/stock-domain';
import type pg from 'pg';
import type { StockEngine } from './engine.ts';
import { readReservation, toStockRow } from './load.ts';
import { Refusal } from './refusal.ts';
import { channelOf, nodeKey, skuKeys } from './resolve.ts';
import { Views, isoTime } from './view.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

interface SupplyRecord {
  sku_key: number;
  version: number;
  now: number;
  rows: (Parameters<typeof toStockRow>[0] & { overdue: number })[] | null;
}

interface Snapshot {
  readonly supply: SkuSupply;
  readonly version: number;
  readonly now: number;
}

export class StockReads {
  readonly #pool: pg.Pool;

  constructor(private readonly engine: StockEngine) {
    this.#pool = engine.readPool;
  }

  /** ATP of many SKUs for a channel, in the order asked. Overdue holds count as free, as they do where one commits. */
  async atp({ channel, skus, nodes, byNode = false, minVersion = 0 }: AtpManyRequest): Promise<Atp[]> {
    const rules = await this.engine.rules.current();
    const views = new Views(rules, this.engine.directory);
    const selling = channelOf(rules, channel);
    const only = nodes ? new Set(nodes.map((code) => nodeKey(rules, code))) : null;
    const keys = await skuKeys(this.engine.directory, skus);
    const snapshots = await this.#snapshots(keys);
    return keys.map((key, index) => {
      const { supply, version, now } = snapshots.get(key) ?? nothingYet(key);
      if (version < minVersion) throw new Refusal('version.not_reached', { sku: skus[index], version });
      const found = channelAtp(supply, rules, { channel: selling, nodes: only, now });
      const perNode = byNode ? { nodes: found.nodes.map(({ node, atp }) => ({ node: views.node(node), atp })) } : {};
      return { sku: skus[index] ?? '', channel, atp: found.atp, version, asOf: isoTime(now), ...perNode };
    });
  }

  async atpOfOne(request: AtpManyRequest): Promise<Atp> {
    const [only] = await this.atp(request);
    if (!only) throw new Error('Broken invariant: no answer for the SKU');
    return only;
  }

  async stock(sku: string): Promise<StockOfSku> {
    const [key = 0] = await skuKeys(this.engine.directory, [sku]);
    const snapshots = await this.#snapshots([key]);
    const { supply, version, now } = snapshots.get(key) ?? nothingYet(key);
    const views = new Views(await this.engine.rules.current(), this.engine.directory);
    return { sku, version, asOf: isoTime(now), rows: views.stockRows(supply) };
  }

  async reservation(client: string, id: string): Promise<ReservationView> {
    const stored = await readReservation(this.#pool, client, id);
    if (!stored) throw new Refusal('reservation.unknown', { reservation: id });
    await this.engine.directory.learn(stored.reservation.lines.map(({ sku }) => sku));
    return new Views(await this.engine.rules.current(), this.engine.directory).reservation(stored);
  }

  /** Ledger of one SKU, oldest first; the cursor is `version.ordinal`. */
  async ledger(sku: string, limit: number, cursor: string | undefined): Promise<Page<LedgerEntry>> {
    const [key = 0] = await skuKeys(this.engine.directory, [sku]);
    const [version = 0, ordinal = -1] = (cursor ?? '').split('.').filter(Boolean).map(Number);
    const views = new Views(await this.engine.rules.current(), this.engine.directory);
    const { rows } = await this.#pool.query<LedgerRecord>(
      `SELECT * FROM ledger WHERE sku_key = $1 AND (sku_version, ordinal) > ($2, $3) ORDER BY sku_version, ordinal LIMIT $4`,
      [key, Number.isFinite(version) ? version : 0, Number.isFinite(ordinal) ? ordinal : -1, limit],
    );
    const items = rows.map((row) => toLedgerEntry(row, sku, views));
    return { items, nextCursor: items.length === limit ? (items.at(-1)?.entry ?? null) : null };
  }

  /** Open exceptions first, then the latest closed; the cursor is the exception's key. */
  async exceptions(limit: number, cursor: string | undefined): Promise<Page<StockException>> {
    const views = new Views(await this.engine.rules.current(), this.engine.directory);
    const { rows } = await this.#pool.query<ExceptionRecord>(
      `SELECT e.*, s.code AS sku FROM stock_exception e JOIN sku s USING (sku_key)
        WHERE $1::bigint IS NULL OR (e.closed_at IS NOT NULL, -e.exception_key) > ((SELECT closed_at IS NOT NULL FROM stock_exception WHERE exception_key = $1), -$1)
        ORDER BY (e.closed_at IS NOT NULL), -e.exception_key LIMIT $2`,
      [cursor && /^exc_\d{1,18}$/.test(cursor) ? cursor.slice(4) : null, limit],
    );
    const items = rows.map((row) => ({
      id: `exc_${row.exception_key}`,
      code: 'promise.broken' as const,
      sku: row.sku,
      node: views.node(row.node_key),
      quantity: row.quantity,
      openedAt: row.opened_at.toISOString(),
      closedAt: row.closed_at?.toISOString() ?? null,
    }));
    return { items, nextCursor: items.length === limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** How many facts the outbox holds for keys that begin with `prefix`. */
  async countEvents(prefix: string): Promise<number> {
    const { rows } = await this.#pool.query<{ written: number }>(
      'SELECT count(*) AS written FROM outbox WHERE starts_with(key, $1)',
      [prefix],
    );
    return rows[0]?.written ?? 0;
  }

  /**
   * Proves that every balance is the sum of its ledger, range by range of SKU keys, so that memory and locks stay small
   * however long the ledger is. Each range is one statement, hence one snapshot.
   */
  async verifyLedger(prefix: string | undefined): Promise<LedgerVerification> {
    const views = new Views(await this.engine.rules.current(), this.engine.directory);
    const mismatches: LedgerVerification['mismatches'] = [];
    let rowsChecked = 0;
    for (let after = 0; ;) {
      const range = await this.#pool.query<{ sku_key: number; code: string }>(
        `SELECT sku_key, code FROM sku WHERE sku_key > $1 AND ($2::text IS NULL OR starts_with(code, $2)) ORDER BY sku_key LIMIT ${SKUS_PER_CHECK}`,
        [after, prefix ?? null],
      );
      const last = range.rows.at(-1);
      if (!last) break;
      after = last.sku_key;
      const codes = new Map(range.rows.map((row) => [row.sku_key, row.code]));
      const { rows } = await this.#pool.query<BalanceRecord>(BALANCES, [[...codes.keys()]]);
      rowsChecked += rows.length;
      for (const row of rows) mismatches.push(...differences(row, codes.get(row.sku_key) ?? '', views));
    }
    return { balanced: mismatches.length === 0, rowsChecked, mismatches: mismatches.slice(0, 100) };
  }

  async #snapshots(keys: readonly SkuKey[]): Promise<Map<SkuKey, Snapshot>> {
    const { rows } = await this.#pool.query<SupplyRecord>({
      name: 'snapshots',
      text: `SELECT k.sku_key, g.version, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now,
                    (SELECT json_agg(json_build_object('node_key', s.node_key, 'available', s.available, 'committed', s.committed,
                       'reserved', s.reserved, 'safety_stock', s.safety_stock, 'damaged', s.damaged,
                       'quality_control', s.quality_control, 'shortfall', s.shortfall, 'overdrawn', s.overdrawn,
                       'overdue', CASE WHEN s.reserved = 0 THEN 0 ELSE (SELECT coalesce(sum(b.held), 0) FROM backing b
                          WHERE b.sku_key = s.sku_key AND b.node_key = s.node_key AND b.held + b.confirmed > 0
                            AND b.held > 0 AND b.expires_at <= statement_timestamp()) END))
                       FROM stock s WHERE s.sku_key = k.sku_key) AS rows
               FROM unnest($1::int[]) AS k (sku_key) JOIN sku_gate g USING (sku_key)`,
      values: [[...new Set(keys)]],
    });
    return new Map(
      rows.map((row) => [
        row.sku_key,
        {
          version: row.version,
          now: row.now,
          supply: { sku: row.sku_key, rows: (row.rows ?? []).map(withoutOverdue) },
        },
      ]),
    );
  }
}

const SKUS_PER_CHECK = 2_000;
const nothingYet = (sku: SkuKey): Snapshot => ({ supply: { sku, rows: [] }, version: 0, now: Date.now() });

/** The row as it will be once the overdue units are given back. */
function withoutOverdue(record: Parameters<typeof toStockRow>[0] & { overdue: number }): StockRow {
  const row = toStockRow(record);
  return record.overdue > 0 ? giveBack(row, 'reserved', record.overdue).row : row;
}

interface LedgerRecord {
  sku_version: number;
  ordinal: number;
  node_key: NodeKey;
  from_state: number;
  to_state: number;
  quantity: number;
  reason: string;
  source: string;
  source_event_id: string | null;
  occurred_at: Date;
  recorded_at: Date;
}

interface ExceptionRecord {
  exception_key: number;
  sku: string;
  node_key: NodeKey;
  quantity: number;
  opened_at: Date;
  closed_at: Date | null;
}

const toLedgerEntry = (row: LedgerRecord, sku: string, views: Views): LedgerEntry => ({
  entry: `${row.sku_version}.${row.ordinal}`,
  sku,
  node: views.node(row.node_key),
  from: ACCOUNTS[row.from_state] ?? '',
  to: ACCOUNTS[row.to_state] ?? '',
  quantity: row.quantity,
  reason: row.reason,
  source: row.source,
  sourceEventId: row.source_event_id,
  version: row.sku_version,
  occurredAt: row.occurred_at.toISOString(),
  recordedAt: row.recorded_at.toISOString(),
});

interface BalanceRecord {
  sku_key: SkuKey;
  node_key: NodeKey;
  book: number[];
  ledger: number[];
}

const CHECKED = [
  'available',
  'committed',
  'reserved',
  'safety_stock',
  'damaged',
  'quality_control',
  'shortfall',
  'overdrawn',
] as const;
const sumOf = (account: (typeof CHECKED)[number]): string => {
  const code = ACCOUNTS.indexOf(account);
  const sign = account === 'shortfall' || account === 'overdrawn' ? '-' : '';
  return `${sign}(coalesce(sum(l.quantity) FILTER (WHERE l.to_state = ${code}), 0) - coalesce(sum(l.quantity) FILTER (WHERE l.from_state = ${code}), 0))`;
};

const BALANCES = `
  SELECT coalesce(s.sku_key, t.sku_key) AS sku_key, coalesce(s.node_key, t.node_key) AS node_key,
         ARRAY[${CHECKED.map((state) => `coalesce(s.${state}, 0)`).join(', ')}]::float8[] AS book,
         coalesce(t.totals, ARRAY[${CHECKED.map(() => '0').join(', ')}]::float8[]) AS ledger
    FROM (SELECT * FROM stock WHERE sku_key = ANY($1::int[])) s
    FULL JOIN (SELECT l.sku_key, l.node_key, ARRAY[${CHECKED.map(sumOf).join(', ')}]::float8[] AS totals
                 FROM ledger l WHERE l.sku_key = ANY($1::int[]) GROUP BY l.sku_key, l.node_key) t
      ON t.sku_key = s.sku_key AND t.node_key = s.node_key`;

function differences(
  { node_key, book, ledger }: BalanceRecord,
  sku: string,
  views: Views,
): LedgerVerification['mismatches'] {
  return CHECKED.flatMap((state, index) => {
    const [kept = 0, summed = 0] = [book[index], ledger[index]];
    return kept === summed ? [] : [{ sku, node: views.node(node_key), state, book: kept, ledger: summed }];
  });
}
