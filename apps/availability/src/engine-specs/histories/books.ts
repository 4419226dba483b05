/** What a database says of a history, and what the model says: as lines of text, to be compared. */
import type { Told } from '@onepool/stock-domain/testing';
import { past } from '@onepool/stock-domain/testing';
import type { DataSource } from 'typeorm';
import { CLIENT } from '../../testing/pool-fixture.ts';
import { fulfilmentId } from './requests.ts';
import { SKUS_EACH, channelCode, nodeCode, skuCode } from './stage.ts';

const TALLIES = ['held', 'confirmed', 'fulfilled', 'released', 'expired', 'cancelled', 'broken'] as const;
const STATES = [
  ...(['available', 'committed', 'reserved', 'safetyStock', 'damaged', 'qualityControl', 'shortfall'] as const),
  'overdrawn' as const,
];

const ROWS = `
  SELECT k.code AS sku, n.code AS node, unapplied::int,
         ARRAY[available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn]::int[] AS units
    FROM stock JOIN rules_node n USING (node_key) JOIN sku_code k USING (sku_key) WHERE k.code = ANY($1)`;
const RESERVATIONS = `
  SELECT r.id, r.version, c.code AS channel, r.controller_order AS order_id,
         json_agg(json_build_array(b.line, k.code, n.code, b.fulfilment, ${TALLIES.map((tally) => `b.${tally}`).join(', ')},
                                   coalesce(b.accepted, 0), coalesce(b.picked, 0), coalesce(b.shipped, 0)) ORDER BY b.backing_no) AS backings
    FROM reservation r JOIN rules_channel c USING (channel_key) JOIN backing b USING (reservation_key)
    JOIN sku_code k USING (sku_key) LEFT JOIN rules_node n USING (node_key)
   WHERE r.owner = $1 AND r.id = ANY($2) GROUP BY r.reservation_key, c.code`;

export type Book = readonly string[];

export async function bookInDatabase(database: DataSource, history: number, ids: readonly string[]): Promise<Book> {
  const skus = SKUS_EACH.map((sku) => skuCode(history, sku));
  const [rows, reservations]: [
    { sku: string; node: string; unapplied: number; units: number[] }[],
    { id: string; version: number; channel: string; order_id: string | null; backings: unknown[][] }[],
  ] = await Promise.all([database.query(ROWS, [skus]), database.query(RESERVATIONS, [CLIENT, ids])]);
  return [
    ...rows
      .filter(({ units, unapplied }) => units.some((count) => count > 0) || unapplied > 0)
      .map(({ sku, node, units, unapplied }) => rowLine(sku, node, units, unapplied)),
    ...reservations.map(({ id, version, channel, order_id, backings }) =>
      reservationLine(id, version, channel, order_id, backings),
    ),
  ].sort();
}

export function bookOfModel({ rows, reservations }: Told, history: number, idOf: (number: number) => string): Book {
  return [
    ...rows
      .filter((row) => STATES.some((state) => row[state] > 0))
      .map((row) =>
        rowLine(
          skuCode(history, row.sku),
          nodeCode(row.node),
          STATES.map((state) => row[state]),
          0,
        ),
      ),
    ...reservations.map(({ key, version, channel, order, piles }) => {
      const id = idOf(key);
      const backings = piles.map((pile) => [
        pile.line,
        skuCode(history, pile.sku),
        pile.node === null ? null : nodeCode(pile.node),
        pile.fulfilment === null ? null : fulfilmentId(id, pile.fulfilment),
        ...TALLIES.map((tally) => pile.units[tally]),
        ...[1, 2, 3].map((stage) => past(pile, stage)),
      ]);
      return reservationLine(id, version, channelCode(channel), order && `${id}.${order}`, backings);
    }),
  ].sort();
}

const rowLine = (sku: string, node: string, units: readonly number[], unapplied: number): string =>
  `${sku} at ${node}: ${STATES.map((state, place) => `${state} ${units[place]}`)
    .concat(`unapplied ${unapplied}`)
    .filter((count) => !count.endsWith(' 0'))
    .join(', ')}`;

const reservationLine = (
  id: string,
  version: number,
  channel: string,
  order: string | null,
  backings: readonly (readonly unknown[])[],
): string => `${id} version ${version} ${channel} ${order ?? 'of no order'}: ${JSON.stringify(backings)}`;
