/** What tending a SKU needs to know besides its supply: which promises may move, and which of them are short. */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** Moving them must take less time than a session may idle with its locks. */
export const HEALED_PER_LOOK_MAX = 1_000;
/** So many backings of a SKU are named as short, or as stranded; when some of them are settled, others are. */
export const NAMED_PER_SKU_MAX = 1_000;

/** Newest first: the longer a node has known of an order, the less it should lose it. */
export async function readBackedOnShortRows(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<readonly number[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'backed-on-short-rows',
    text: `SELECT DISTINCT b.reservation_key
             FROM stock s JOIN backing b USING (sku_key, supply_key) JOIN reservation r USING (reservation_key)
             LEFT JOIN sku_task t USING (sku_key)
            WHERE s.sku_key = ANY($1::int[]) AND s.shortfall > 0 AND r.controller_order IS NULL
              AND b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.fulfilment IS NULL
              AND (t.before_key IS NULL OR b.reservation_key < t.before_key)
            ORDER BY b.reservation_key DESC LIMIT ${HEALED_PER_LOOK_MAX}`,
    values: [skus],
  });
  return rows.map((row) => row.reservation_key);
}

/**
 * Reservations behind short rows, whatever these rows are of: of each row so many as lack its units, in the order in which the domain
 * takes them (`shortPromisesOf`). Known limit: all open promises of such a row are looked through.
 */
export async function readShort(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<readonly number[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'short-promises',
    text: `SELECT DISTINCT reservation_key FROM (
             SELECT reservation_key, row_number() OVER (PARTITION BY sku_key ORDER BY supply_key, place) AS place
               FROM (
                 SELECT b.reservation_key, b.sku_key, s.supply_key, s.shortfall, row_number() OVER last_served AS place,
                        sum(b.held + b.confirmed) OVER last_served - b.held - b.confirmed AS before
                   FROM supply s JOIN backing b USING (sku_key, supply_key) JOIN reservation r USING (reservation_key)
                  WHERE s.sku_key = ANY($1::int[]) AND s.shortfall > 0
                    AND b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0
                 WINDOW last_served AS (
                   PARTITION BY s.supply_key
                   ORDER BY (b.fulfilment IS NOT NULL), coalesce(r.priority, 0), coalesce(r.ordered_at, r.created_at) DESC,
                            b.reservation_key DESC, b.line DESC, b.backing_no DESC)) promised
              WHERE before < shortfall) short
            WHERE place <= ${NAMED_PER_SKU_MAX}`,
    values: [skus],
  });
  return rows.map((row) => row.reservation_key);
}

/** A line as whoever announced it names it. */
export interface LineName {
  readonly owner: string;
  readonly id: string;
  readonly line: string;
}

export interface TendedLine extends LineName {
  /** Whether what follows from its being late has been done. */
  readonly isLate: boolean;
}

/** Lines that are loaded with their SKUs, by their details. */
export async function readTendedLines(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<ReadonlyMap<number, TendedLine>> {
  if (skus.length === 0) return new Map();
  const { rows } = await client.query<TendedLine & { detail: number }>({
    name: 'tended-lines',
    text: `SELECT l.detail_key AS detail, i.actor AS owner, i.id, l.line, l.is_late AS "isLate"
             FROM inbound_line l JOIN inbound i USING (inbound_key) WHERE l.sku_key = ANY($1::int[]) AND l.is_open`,
    values: [skus],
  });
  return new Map(rows.map(({ detail, ...line }) => [detail, line]));
}
