/**
 * Proves that every balance is the sum of its ledger, range by range of SKU keys, so that memory and locks stay small
 * however long the ledger is. Each range is one statement, hence one snapshot. A range that takes longer than a
 * statement may is halved; after each one that succeeds the next is twice as large again.
 *
 * Known limit: the ledger of one SKU is added up by one statement, whatever its length.
 */
import type { LedgerVerification } from '@onepool/contracts';
import {
  ACCOUNTS,
  STATE_ACCOUNTS,
  type NodeKey,
  type SkuKey,
  type StateAccount,
  accept,
  isContra,
} from '@onepool/stock-domain';
import { classifyPgError } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type Answer, refuse } from '../requests/refusal.ts';
import type { Views } from '../requests/views.ts';
import { stateColumns } from '../stock-columns.ts';

const SKUS_PER_RANGE_MAX = 2_000;
/** More of them tell a person nothing new. */
const MISMATCHES_MAX = 100;

/** Refused with `ledger.too_long`, which names the SKU, when one SKU's ledger alone takes longer than a statement may. */
export async function proveLedger(
  pool: Pick<pg.Pool, 'query'>,
  prefix: string | undefined,
  views: Views,
): Promise<Answer<LedgerVerification>> {
  const mismatches: LedgerVerification['mismatches'] = [];
  let rowsChecked = 0;
  let size = SKUS_PER_RANGE_MAX;
  for (let after = 0; ;) {
    const { rows: skus } = await pool.query<{ sku_key: number; code: string }>(
      `SELECT sku_key, code FROM sku_code WHERE sku_key > $1 AND ($2::text IS NULL OR starts_with(code, $2)) ORDER BY sku_key LIMIT $3`,
      [after, prefix ?? null, size],
    );
    const last = skus.at(-1);
    if (!last) return accept({ balanced: mismatches.length === 0, rowsChecked, mismatches });
    const codes = new Map(skus.map((row) => [row.sku_key, row.code]));
    const rows = await balancesOf(pool, [...codes.keys()]);
    if (rows === 'too long') {
      if (codes.size === 1) return refuse('ledger.too_long', { sku: last.code });
      size = Math.ceil(codes.size / 2);
      continue;
    }
    after = last.sku_key;
    size = Math.min(SKUS_PER_RANGE_MAX, size * 2);
    rowsChecked += rows.length;
    for (const row of rows) {
      if (mismatches.length >= MISMATCHES_MAX) break;
      mismatches.push(...differences(row, codes.get(row.sku_key) ?? '', views));
    }
    mismatches.splice(MISMATCHES_MAX);
  }
}

async function balancesOf(
  pool: Pick<pg.Pool, 'query'>,
  skus: readonly SkuKey[],
): Promise<readonly BalanceRecord[] | 'too long'> {
  try {
    return (await pool.query<BalanceRecord>(BALANCES, [skus])).rows;
  } catch (error) {
    if (classifyPgError(error) === 'statement_timeout') return 'too long';
    throw error;
  }
}

interface BalanceRecord {
  sku_key: SkuKey;
  node_key: NodeKey;
  book: number[];
  ledger: number[];
}

const sumOf = (account: StateAccount): string => {
  const code = ACCOUNTS.indexOf(account);
  const sign = isContra(account) ? '-' : '';
  return `${sign}(coalesce(sum(l.quantity) FILTER (WHERE l.to_state = ${code}), 0) - coalesce(sum(l.quantity) FILTER (WHERE l.from_state = ${code}), 0))`;
};

const BALANCES = `
  SELECT coalesce(s.sku_key, t.sku_key) AS sku_key, coalesce(s.node_key, t.node_key) AS node_key,
         ARRAY[${stateColumns((state) => `coalesce(s.${state}, 0)`)}]::float8[] AS book,
         coalesce(t.totals, ARRAY[${stateColumns(() => '0')}]::float8[]) AS ledger
    FROM (SELECT * FROM supply WHERE sku_key = ANY($1::int[])) s
    FULL JOIN (SELECT l.supply_key, l.sku_key, l.node_key, ARRAY[${stateColumns(sumOf)}]::float8[] AS totals
                 FROM ledger l WHERE l.sku_key = ANY($1::int[]) GROUP BY l.supply_key, l.sku_key, l.node_key) t
      ON t.supply_key = s.supply_key AND t.sku_key = s.sku_key AND t.node_key = s.node_key`;

function differences(
  { node_key, book, ledger }: BalanceRecord,
  sku: string,
  views: Views,
): LedgerVerification['mismatches'] {
  return STATE_ACCOUNTS.flatMap((state, index) => {
    const [kept = 0, summed = 0] = [book[index], ledger[index]];
    return kept === summed ? [] : [{ sku, node: views.node(node_key), state, book: kept, ledger: summed }];
  });
}
