/**
 * Who waits for units of a SKU that are not there yet. Read only for SKUs that somebody waits for, and of which a command may free
 * units: a batch of holds frees none but those of holds that have run out.
 */
import { type SkuKey, type SkuSupply, isWaitedFor, unappliedOf } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command } from '../requests/command.ts';

/** Backings that a transaction may convert: it must take less time than a session may idle with its locks. */
const CONVERTED_MAX = { byCommands: 200, byTasks: 2_000 };
const READ_PER_SKU_MIN = 10;

/** Where somebody stands in the order in which those who wait are served. */
export interface WaitPlace {
  readonly rank: number;
  readonly reservation: number;
}

export interface WaitingPage {
  /** Their keys, in the order in which they are served. */
  readonly reservations: readonly number[];
  readonly hasMore: boolean;
  readonly last: WaitPlace | null;
}

export interface WaitingPages {
  /** Backings that may be converted. */
  readonly budget: number;
  readonly pages: ReadonlyMap<SkuKey, WaitingPage>;
}

export const NOBODY: WaitingPages = { budget: 0, pages: new Map() };

interface WaitingRecord {
  sku_key: SkuKey;
  reservation_key: number;
  wait_rank: number;
}

export async function readWaiting(
  client: pg.PoolClient,
  commands: readonly Command[],
  supplies: ReadonlyMap<SkuKey, SkuSupply>,
  hasOverdue: boolean,
): Promise<WaitingPages> {
  const tasks = commands.flatMap((command) => (command.kind === 'tend' && command.heal ? [command] : []));
  // What is offered anew is offered to the first of them again.
  const goesOn = new Set(tasks.flatMap(({ skus: own, offersAll = false }) => (offersAll ? [] : own)));
  const mayFree = new Set(commands.flatMap((command) => (hasOverdue || command.kind !== 'hold' ? command.skus : [])));
  const skus = [...supplies.values()]
    .filter((supply) => mayFree.has(supply.sku) && (isWaitedFor(supply) || unappliedOf(supply).length > 0))
    .map(({ sku }) => sku);
  if (skus.length === 0) return NOBODY;
  const budget = tasks.length > 0 ? CONVERTED_MAX.byTasks : CONVERTED_MAX.byCommands;
  const perSku = Math.max(READ_PER_SKU_MIN, Math.floor(budget / skus.length));
  const { rows } = await client.query<WaitingRecord>({
    name: 'waiting',
    text: `SELECT k.sku_key, w.reservation_key, w.wait_rank
             FROM unnest($1::int[], $2::bool[]) AS k (sku_key, goes_on)
             LEFT JOIN sku_task t ON t.sku_key = k.sku_key AND k.goes_on
            CROSS JOIN LATERAL (
              SELECT reservation_key, wait_rank FROM backing
               WHERE sku_key = k.sku_key AND kind <> 0 AND held + confirmed > 0 AND fulfilment IS NULL
                 AND (t.after_rank IS NULL OR (wait_rank, reservation_key) > (t.after_rank, t.after_reservation))
               ORDER BY wait_rank, reservation_key LIMIT $3) w
            ORDER BY k.sku_key, w.wait_rank, w.reservation_key`,
    values: [skus, skus.map((sku) => goesOn.has(sku)), perSku + 1],
  });
  const bySku = new Map(skus.map((sku): [SkuKey, WaitingRecord[]] => [sku, []]));
  for (const row of rows) bySku.get(row.sku_key)?.push(row);
  return { budget, pages: new Map([...bySku].map(([sku, found]) => [sku, pageOf(found, perSku)])) };
}

function pageOf(rows: readonly WaitingRecord[], size: number): WaitingPage {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    reservations: [...new Set(page.map(({ reservation_key }) => reservation_key))],
    hasMore: rows.length > size,
    last: last ? { rank: last.wait_rank, reservation: last.reservation_key } : null,
  };
}
