/** What sources have told of fulfilments, and which of their events have taken effect. */
import { NOTHING_TOLD, type Told, type ToldBook, toldKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { type Command, handOversOf } from '../requests/command.ts';
import type { SourceKey } from '../sources/source-book.ts';

/** Of hand-overs and shipments. */
export const HAND_OVER = 0;

/** By the keys of reservations. */
export type ToldBooks = Map<number, ToldBook>;

const tellsOf = (command: Command): readonly number[] => {
  if (command.kind === 'movements') return handOversOf(command);
  const tells = command.kind === 'verb' && (command.verb.name === 'fulfil' || command.verb.name === 'unfulfil');
  return tells ? [command.reservationKey] : [];
};

interface ToldRecord {
  reservation_key: number;
  subject: string;
  sku_key: number;
  effect: number;
  plain: number;
  undone: number;
  totals: Record<string, number>;
}

/** Of all reservations of which the commands tell. The caller holds the gates of their SKUs. */
export async function readTold(client: pg.PoolClient, commands: readonly Command[]): Promise<ToldBooks> {
  const keys = [...new Set(commands.flatMap(tellsOf))];
  if (keys.length === 0) return new Map();
  const { rows } = await client.query<ToldRecord>({
    name: 'told',
    text: `SELECT e.reservation_key, e.subject, e.sku_key, e.effect, e.plain, e.undone,
                  (SELECT json_object_agg(t.source_key, t.total) FROM told t
                    WHERE t.what = e.what AND t.reservation_key = e.reservation_key AND t.subject = e.subject AND t.sku_key = e.sku_key) AS totals
             FROM told_effect e WHERE e.what = ${HAND_OVER} AND e.reservation_key = ANY($1::bigint[])`,
    values: [keys],
  });
  const books = new Map<number, Map<string, Told>>(keys.map((key) => [key, new Map()]));
  for (const { reservation_key, subject, sku_key, totals, effect, plain, undone } of rows) {
    const told = { ...NOTHING_TOLD, totals: new Map(Object.entries(totals)), effect, plain, undone };
    books.get(reservation_key)?.set(toldKey(subject, sku_key), told);
  }
  return books;
}

export const eventKey = (source: SourceKey, id: string): string => `${source}\u0000${id}`;

/** Events that the commands tell and that have taken effect before. */
export async function readTakenEvents(client: pg.PoolClient, commands: readonly Command[]): Promise<Set<string>> {
  const events = commands.flatMap((command) => {
    if (command.kind !== 'movements') return [];
    const { sourceKey, movements } = command;
    return movements.flatMap(({ sourceEventId: id }) => (id === null ? [] : [{ sourceKey, id }]));
  });
  if (events.length === 0) return new Set();
  const { rows } = await client.query<{ source_key: SourceKey; event_id: string }>({
    name: 'taken-events',
    text: `SELECT k.source_key, k.event_id FROM unnest($1::int[], $2::text[]) AS k (source_key, event_id)
            CROSS JOIN LATERAL (SELECT FROM source_event WHERE source_key = k.source_key AND event_id = k.event_id OFFSET 0) e`,
    values: [events.map(({ sourceKey }) => sourceKey), events.map(({ id }) => id)],
  });
  return new Set(rows.map(({ source_key, event_id }) => eventKey(source_key, event_id)));
}

/** Reservations that have units at work for these fulfilments, or had: one each, or more by mistake. */
export async function findFulfilments(
  pool: Pick<pg.Pool, 'query'>,
  fulfilments: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  if (fulfilments.length === 0) return new Map();
  const { rows } = await pool.query<{ fulfilment: string; keys: number[] }>({
    name: 'find-fulfilments',
    text: `SELECT fulfilment, array_agg(DISTINCT reservation_key)::float8[] AS keys
             FROM backing WHERE fulfilment = ANY($1::text[]) AND fulfilment IS NOT NULL GROUP BY fulfilment`,
    values: [[...new Set(fulfilments)]],
  });
  return new Map(rows.map(({ fulfilment, keys }) => [fulfilment, keys]));
}
