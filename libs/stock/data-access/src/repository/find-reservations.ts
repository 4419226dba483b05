/** Reservations by owner and id, those that are asked for at once by one statement. */
import type { SkuKey } from '@onepool/stock-domain';
import DataLoader from 'dataloader';
import type pg from 'pg';
import type { FindReservation, FoundReservation } from '../requests/resolve-allocate.ts';

const ASKED_AT_ONCE_MAX = 512;
type Id = readonly [owner: string, id: string];

export function reservationFinder(pool: pg.Pool): FindReservation {
  const found = new DataLoader<Id, FoundReservation | null, string>((ids) => findReservations(pool, ids), {
    cache: false,
    maxBatchSize: ASKED_AT_ONCE_MAX,
    cacheKeyFn: ([owner, id]) => `${owner}\u0000${id}`,
  });
  return (owner, id) => found.load([owner, id]);
}

/** Its SKUs may be read before its gates are locked: they only ever become more, and that is noticed. */
async function findReservations(pool: pg.Pool, ids: readonly Id[]): Promise<(FoundReservation | null)[]> {
  const { rows } = await pool.query<{ position: number; reservation_key: number; skus: SkuKey[] }>({
    name: 'find-reservations',
    text: `SELECT k.position::int AS position, r.reservation_key,
                  ARRAY(SELECT (line->>1)::int FROM json_array_elements(r.lines) AS line
                         UNION SELECT (line->>2)::int FROM json_array_elements(r.amended) AS line) AS skus
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (owner, id, position)
             JOIN reservation r ON r.owner = k.owner AND r.id = k.id AND r.tombstone_by IS NULL`,
    values: [ids.map(([owner]) => owner), ids.map(([, id]) => id)],
  });
  const found = new Map(rows.map((row) => [row.position - 1, { key: row.reservation_key, skus: row.skus }]));
  return ids.map((_, index) => found.get(index) ?? null);
}
