/** What a feed has made of books, read from the tables that it writes. */
import { timeOf } from '@onepool/platform-clock';
import type { FeedRefusal, SkuChanged } from '@onepool/contracts';
import { ACCOUNTS, type Account, type SupplyRow, noSupply, rowKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { readWatermarks } from '../repository/watermarks.ts';
import { SUPPLY_TUPLE, type SupplyTuple, suppliesOf } from '../stock-columns.ts';
import { type KeyedBook, MOMENT_MS, skuCode } from './books-in-database.ts';
import { NODES } from './counted-books.ts';
import type { Entry, Outcome } from './expected-of-count.ts';

interface Keyed {
  readonly sku: number;
  readonly node: number;
}

interface Tables {
  readonly supply: readonly SupplyTuple[] | null;
  readonly gates: readonly { readonly sku: number; readonly version: number }[] | null;
  readonly entries: readonly (Keyed & {
    readonly from_state: number;
    readonly to_state: number;
    readonly quantity: number;
    readonly at: number;
    readonly event: string;
  })[];
  readonly tasks: readonly { readonly sku: number; readonly isDue: boolean; readonly beforeKey: number | null }[];
  readonly exceptions: readonly (Keyed & { readonly quantity: number; readonly isOpen: boolean })[];
  readonly facts: readonly SkuChanged[];
}

const listOf = (columns: string, from: string): string =>
  `(SELECT coalesce(json_agg(found), '[]') FROM (SELECT ${columns} FROM ${from}) found)`;
const OURS = 'WHERE sku_key = ANY($1::int[])';
const TABLES = `
  SELECT (SELECT json_agg(${SUPPLY_TUPLE} ORDER BY kind, detail_key, node_key) FROM supply ${OURS}) AS supply,
         ${listOf('sku_key AS sku, version', `sku_gate ${OURS}`)} AS gates,
         ${listOf(
           `sku_key AS sku, node_key AS node, from_state, to_state, quantity, source_event_id AS event,
            round(extract(epoch FROM occurred_at) * 1000)::bigint - ${MOMENT_MS} AS at`,
           `ledger JOIN supply USING (supply_key, sku_key, node_key) ${OURS} AND reason = 'reset' AND kind = 0 ORDER BY sku_key, sku_version, ordinal`,
         )} AS entries,
         ${listOf(
           'sku_key AS sku, due_at <= clock_timestamp() AS "isDue", before_key AS "beforeKey"',
           `sku_task ${OURS}`,
         )} AS tasks,
         ${listOf(
           'sku_key AS sku, node_key AS node, quantity, closed_at IS NULL AS "isOpen"',
           `stock_exception ${OURS} ORDER BY sku_key, node_key`,
         )} AS exceptions,
         (SELECT coalesce(json_agg(data), '[]') FROM outbox WHERE data->>'sku' = ANY($2::text[])) AS facts`;

/** Keys of rows that a count has made are anybody's; those of others cannot change, since a row is unique by its place. */
const withoutKey = (row: SupplyRow): SupplyRow => ({ ...row, key: 0 });

/** By SKU. */
export async function outcomesOf(
  pool: pg.Pool,
  books: readonly KeyedBook[],
  refusals: readonly FeedRefusal[],
): Promise<ReadonlyMap<number, Outcome>> {
  const skus = books.map(({ sku }) => sku);
  const { rows } = await pool.query<Tables>(TABLES, [skus, skus.map(skuCode)]);
  const [tables] = rows;
  if (!tables) throw new Error('a statement of one row gave none');
  const supplies = suppliesOf(tables.supply);
  const watermarks = await readWatermarks(pool, skus);
  const lines = books.flatMap(({ sku, counts }) => counts.map(({ node }) => ({ sku, node })));
  const refused = refusals.map(({ line, code }) => ({ sku: 0, node: 0, ...lines[line - 1], code }));
  const outcome = (sku: number): Outcome => {
    const fact = tables.facts.find(({ sku: code }) => code === skuCode(sku));
    const version = tables.gates?.find((gate) => gate.sku === sku)?.version ?? 0;
    if (fact && (fact.toVersion !== version || fact.fromVersion !== version - 1))
      throw new Error(`the fact of ${fact.sku} steps from ${fact.fromVersion} to ${fact.toVersion}, not to ${version}`);
    const { rows: stock, future } = supplies.get(sku) ?? noSupply(sku);
    return {
      rows: stock.map(withoutKey),
      future: future.map(withoutKey),
      version,
      entries: ofSku(tables.entries, sku).map(toEntry),
      task: ofSku(tables.tasks, sku)[0] ?? null,
      exceptions: ofSku(tables.exceptions, sku),
      watermarks: NODES.flatMap((node) => {
        const mark = watermarks.get(rowKey(sku, node));
        return mark ? [{ node, deductsAt: mark.deductsAt, capturedAt: mark.capturedAt - MOMENT_MS }] : [];
      }),
      refusals: ofSku(refused, sku).toSorted((a, b) => a.node - b.node),
      told: fact?.rows ?? null,
      // Of promises it is only told that there were some.
      causes: (fact?.causes ?? [])
        .filter(({ kind }) => kind !== 'promise')
        .map(({ node = '', source = '', quantity = 0, occurredFrom = '' }) => {
          return { node, source, quantity, at: timeOf(occurredFrom) - MOMENT_MS };
        }),
    };
  };
  return new Map(skus.map((sku) => [sku, outcome(sku)]));
}

function ofSku<Row extends { readonly sku: number }>(rows: readonly Row[], of: number): Omit<Row, 'sku'>[] {
  return rows.filter(({ sku }) => sku === of).map(({ sku: _, ...row }) => row);
}

function toEntry({ from_state, to_state, event, ...row }: Omit<Tables['entries'][number], 'sku'>): Entry {
  const account = (code: number): Account => ACCOUNTS[code] ?? 'external';
  return { ...row, from: account(from_state), to: account(to_state), hasRecordId: event.startsWith('record-') };
}
