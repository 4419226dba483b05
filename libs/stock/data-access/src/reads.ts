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
import { ACCOUNTS, type NodeKey, type SkuKey, channelAtp } from '@onepool/stock-domain';
import type pg from 'pg';
import type { StockEngine } from './engine.ts';
import { readReservation } from './stored-reservations.ts';
import { Refusal } from './refusal.ts';
import { channelOf, nodeKey, skuKeys } from './resolve.ts';
import { readSnapshots } from './snapshots.ts';
import type { Known, StockMemory } from './stock-memory.ts';
import { Views, isoTime } from './view.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export class StockReads {
  readonly #pool: pg.Pool;

  /** With a memory, ATP comes from it; without one, from the database. */
  constructor(
    private readonly engine: StockEngine,
    private readonly memory: StockMemory | null = null,
  ) {
    this.#pool = engine.readPool;
  }

  /** ATP of many SKUs for a channel, in the order asked. Overdue holds count as free, as they do where one commits. */
  async atp({ channel, skus, nodes, byNode = false, minVersion = 0 }: AtpManyRequest): Promise<Atp[]> {
    const rules = this.memory ? await this.memory.rules() : await this.engine.rules.current();
    const views = new Views(rules, this.engine.directory);
    const selling = channelOf(rules, channel);
    const only = nodes ? new Set(nodes.map((code) => nodeKey(rules, code))) : null;
    const keys = await skuKeys(this.engine.directory, skus);
    const known = await this.#read(skus, keys, minVersion);
    return known.map(({ snapshot, asOf }, index) => {
      const sku = skus[index] ?? '';
      const version = snapshot?.version ?? 0;
      if (version < minVersion) throw new Refusal('version.not_reached', { sku, version });
      const supply = snapshot?.supply ?? { sku: keys[index] ?? 0, rows: [] };
      const found = channelAtp(supply, rules, { channel: selling, nodes: only, now: asOf });
      const perNode = byNode ? { nodes: found.nodes.map(({ node, atp }) => ({ node: views.node(node), atp })) } : {};
      return { sku, channel, atp: found.atp, version, asOf: isoTime(asOf), ...perNode };
    });
  }

  async #read(codes: readonly string[], keys: readonly SkuKey[], minVersion: number): Promise<readonly Known[]> {
    const skus = keys.map((key, index) => ({ code: codes[index] ?? '', key }));
    if (this.memory) return this.memory.read(skus, minVersion);
    const found = await readSnapshots(this.#pool, [...new Set(keys)]);
    return keys.map((key) => ({ snapshot: found.get(key) ?? null, asOf: found.get(key)?.asOf ?? Date.now() }));
  }

  async atpOfOne(request: AtpManyRequest): Promise<Atp> {
    const [only] = await this.atp(request);
    if (!only) throw new Error('Broken invariant: no answer for the SKU');
    return only;
  }

  async stock(sku: string): Promise<StockOfSku> {
    const [key = 0] = await skuKeys(this.engine.directory, [sku]);
    const snapshot = (await readSnapshots(this.#pool, [key])).get(key);
    const views = new Views(await this.engine.rules.current(), this.engine.directory);
    const rows = snapshot ? views.stockRows(snapshot.supply) : [];
    return { sku, version: snapshot?.version ?? 0, asOf: isoTime(snapshot?.asOf ?? Date.now()), rows };
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
}

const SKUS_PER_CHECK = 2_000;
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
