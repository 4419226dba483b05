/**
 * Who waits for units of a SKU that are not there yet. Read only for SKUs that somebody waits for, and of which a command may free
 * units: a batch of holds frees none but those of holds that have run out.
 */
import { type SkuKey, type SkuSupply, isWaitedFor, unappliedOf } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command, TendCommand } from '../requests/command.ts';
import type { StoredTask, WaitPlace } from './tend-tasks.ts';

/** Backings that a transaction may convert: gates are held for about 30 ms, and nothing else is decided for a third of that. */
const CONVERTED_MAX = 100;
const READ_PER_SKU_MIN = 10;

export interface WaitingPage {
  /** Their keys, in the order in which they are served. */
  readonly reservations: readonly number[];
  readonly hasMore: boolean;
  /** Behind whom the page begins; null: it begins with whoever is first. */
  readonly from: WaitPlace | null;
  readonly last: WaitPlace | null;
}

export interface WaitingPages {
  /** Backings that may be converted of units that come free. */
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
  { supplies, tasks, hasOverdue }: Free,
): Promise<WaitingPages> {
  const tends = commands.flatMap((command) => (command.kind === 'tend' && command.heal ? [command] : []));
  const from = hasOverdue ? new Map<SkuKey, WaitPlace>() : placesOf(tends, supplies, tasks);
  const mayFree = new Set(commands.flatMap((command) => (hasOverdue || command.kind !== 'hold' ? command.skus : [])));
  const skus = [...supplies.values()]
    .filter((supply) => mayFree.has(supply.sku) && (isWaitedFor(supply) || unappliedOf(supply).length > 0))
    .map(({ sku }) => sku);
  if (skus.length === 0) return NOBODY;
  const perSku = Math.max(READ_PER_SKU_MIN, Math.floor(CONVERTED_MAX / skus.length));
  const { rows } = await client.query<WaitingRecord>({
    name: 'waiting',
    text: `SELECT k.sku_key, w.reservation_key, w.wait_rank
             FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS k (sku_key, after_rank, after_reservation)
            CROSS JOIN LATERAL (
              SELECT reservation_key, wait_rank FROM backing
               WHERE sku_key = k.sku_key AND kind <> 0 AND held + confirmed > 0 AND fulfilment IS NULL
                 AND (k.after_rank IS NULL OR (wait_rank, reservation_key) > (k.after_rank, k.after_reservation))
               ORDER BY wait_rank, reservation_key LIMIT $4) w
            ORDER BY k.sku_key, w.wait_rank, w.reservation_key`,
    values: [
      skus,
      skus.map((sku) => from.get(sku)?.rank ?? null),
      skus.map((sku) => from.get(sku)?.reservation ?? null),
      perSku + 1,
    ],
  });
  const bySku = new Map(skus.map((sku): [SkuKey, WaitingRecord[]] => [sku, []]));
  for (const row of rows) bySku.get(row.sku_key)?.push(row);
  const pages = [...bySku].map(([sku, found]) => [sku, pageOf(found, perSku, from.get(sku) ?? null)] as const);
  return { budget: CONVERTED_MAX, pages: new Map(pages) };
}

/** In which units may come free, and what looks at it have left. */
interface Free {
  readonly supplies: ReadonlyMap<SkuKey, SkuSupply>;
  readonly tasks: ReadonlyMap<SkuKey, StoredTask>;
  /** Units of holds that have run out are for whoever comes first. */
  readonly hasOverdue: boolean;
}

/** Where looks go on. What is offered since others may have it goes on as well, and round once more: else many changes would keep it with the first. */
function placesOf(
  tends: readonly TendCommand[],
  supplies: Free['supplies'],
  tasks: Free['tasks'],
): ReadonlyMap<SkuKey, WaitPlace> {
  const places = new Map<SkuKey, WaitPlace>();
  for (const { skus, offersAll = false } of tends)
    for (const sku of skus) {
      const { after = null, offers = 0 } = tasks.get(sku) ?? {};
      const supply = supplies.get(sku);
      const isOffering = offers > 0 && supply !== undefined && unappliedOf(supply).length === 0;
      if (after !== null && (!offersAll || isOffering)) places.set(sku, after);
    }
  return places;
}

function pageOf(rows: readonly WaitingRecord[], size: number, from: WaitPlace | null): WaitingPage {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    reservations: [...new Set(page.map(({ reservation_key }) => reservation_key))],
    hasMore: rows.length > size,
    from,
    last: last ? { rank: last.wait_rank, reservation: last.reservation_key } : null,
  };
}
