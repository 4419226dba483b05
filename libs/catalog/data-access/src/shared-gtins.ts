/** GTINs that more than one SKU has. They are taken, since a retailer may have to live with them for a while, and warned about. */
import type { UpsertWarning } from '@onepool/contracts';
import type pg from 'pg';

/** More of them tell a person nothing new. */
const WARNINGS_MAX = 100;

/** Of these SKUs. */
export async function sharedGtins(
  client: Pick<pg.ClientBase, 'query'>,
  codes: readonly string[],
): Promise<readonly UpsertWarning[]> {
  if (codes.length === 0) return [];
  const { rows } = await client.query<{ sku: string; gtin: string; other: string }>(
    `SELECT s.code AS sku, g.gtin, min(o.code) AS other
       FROM sku s CROSS JOIN LATERAL unnest(s.gtins) AS g (gtin) JOIN sku o ON o.gtins @> ARRAY[g.gtin] AND o.code <> s.code
      WHERE s.code = ANY($1::text[]) GROUP BY s.code, g.gtin ORDER BY s.code, g.gtin LIMIT ${WARNINGS_MAX}`,
    [codes],
  );
  return rows.map(({ sku, gtin, other }) => {
    const message = `the GTIN ${gtin.replace(/^0+(?=\d{8})/, '')} is also that of the SKU ${other}`;
    return { code: 'gtin.shared' as const, sku, message };
  });
}
