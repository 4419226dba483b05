/** Reservations as stored, with their backings. */
import { type Backing, type NodeKey, type Reservation, rowKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { inOrder } from './in-order.ts';

/** A reservation as stored: the domain's view of it, and what only the store and its answers need. */
export interface StoredReservation {
  readonly reservation: Reservation;
  readonly owner: string;
  readonly id: string;
  /** Since when (ms) the node knows of a backing, by row; only pinned backings are here. */
  readonly acknowledgedAt: ReadonlyMap<string, number>;
}

/** The immutable part of a reservation row, from which a replayed hold is answered as it was the first time. */
export interface FirstAnswer {
  readonly owner: string;
  readonly channelKey: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lines: readonly AnsweredLine[];
}

/** `[sku key, requested, granted, SKU version, [[node key, units] …]]`: short, because every hold stores it. */
export type AnsweredLine = readonly [number, number, number, number, readonly (readonly [number, number])[]];

interface ReservationRecord {
  reservation_key: number;
  owner: string;
  id: string;
  channel_key: number;
  version: number;
  created_at: Date;
  expires_at: Date;
  nodes: NodeKey[] | null;
  lines: AnsweredLine[];
}

interface BackingRecord {
  reservation_key: number;
  sku_key: number;
  node_key: number;
  held: number;
  confirmed: number;
  fulfilled: number;
  released: number;
  expired: number;
  cancelled: number;
  pin_fulfilment: string | null;
  pin_order_version: number | null;
  pinned_at: Date | null;
}

const RESERVATIONS = `SELECT reservation_key, owner, id, channel_key, version, created_at, expires_at, nodes, lines FROM reservation`;

/** Locks and reads; the two statements travel together, and the second sees what was committed before the lock. */
export async function lockReservations(
  client: pg.PoolClient,
  keys: readonly number[],
): Promise<Map<number, StoredReservation>> {
  if (keys.length === 0) return new Map();
  const distinct = [...new Set(keys)];
  const locking = client.query<ReservationRecord>({
    name: 'lock-reservations',
    text: `${RESERVATIONS} WHERE reservation_key = ANY($1::bigint[]) ORDER BY reservation_key FOR NO KEY UPDATE`,
    values: [distinct],
  });
  const [locked, backings] = await inOrder([locking, readBackings(client, distinct)]);
  return assemble(locked.rows, backings);
}

/** Reads a reservation without locking it: head and backings in one statement, hence of one moment. */
export async function readReservation(
  pool: Pick<pg.Pool, 'query'>,
  owner: string,
  id: string,
): Promise<StoredReservation | null> {
  type Joined = ReservationRecord & {
    backings: (Omit<BackingRecord, 'pinned_at'> & { pinned_at: string | null })[] | null;
  };
  const { rows } = await pool.query<Joined>({
    name: 'read-reservation',
    text: `SELECT r.reservation_key, r.owner, r.id, r.channel_key, r.version, r.created_at, r.expires_at, r.nodes, r.lines,
                  (SELECT json_agg(b) FROM backing b WHERE b.reservation_key = r.reservation_key) AS backings
             FROM reservation r WHERE r.owner = $1 AND r.id = $2`,
    values: [owner, id],
  });
  const [row] = rows;
  if (!row) return null;
  const backings = (row.backings ?? []).map((one) => ({
    ...one,
    pinned_at: one.pinned_at === null ? null : new Date(one.pinned_at),
  }));
  return toStored(row, backings);
}

async function readBackings(
  client: Pick<pg.Pool, 'query'>,
  keys: readonly number[],
): Promise<readonly BackingRecord[]> {
  const { rows } = await client.query<BackingRecord>({
    name: 'backings',
    text: `SELECT reservation_key, sku_key, node_key, held, confirmed, fulfilled, released, expired, cancelled, pin_fulfilment, pin_order_version, pinned_at
             FROM backing WHERE reservation_key = ANY($1::bigint[])`,
    values: [keys],
  });
  return rows;
}

function assemble(
  records: readonly ReservationRecord[],
  backingRecords: readonly BackingRecord[],
): Map<number, StoredReservation> {
  const backings = new Map<number, BackingRecord[]>(records.map((record) => [record.reservation_key, []]));
  for (const row of backingRecords) backings.get(row.reservation_key)?.push(row);
  return new Map(
    records.map((record) => [record.reservation_key, toStored(record, backings.get(record.reservation_key) ?? [])]),
  );
}

const toBacking = (row: BackingRecord): Backing => ({
  sku: row.sku_key,
  node: row.node_key,
  held: row.held,
  confirmed: row.confirmed,
  fulfilled: row.fulfilled,
  released: row.released,
  expired: row.expired,
  cancelled: row.cancelled,
  pin:
    row.pin_fulfilment === null ? null : { fulfilmentId: row.pin_fulfilment, orderVersion: row.pin_order_version ?? 0 },
});

const NONE_ACKNOWLEDGED: ReadonlyMap<string, number> = new Map();

function acknowledgedOf(backings: readonly BackingRecord[]): ReadonlyMap<string, number> {
  const pinned = backings.flatMap(({ sku_key, node_key, pinned_at }) =>
    pinned_at === null ? [] : [[rowKey(sku_key, node_key), pinned_at.getTime()] as const],
  );
  return pinned.length === 0 ? NONE_ACKNOWLEDGED : new Map(pinned);
}

const toStored = (record: ReservationRecord, backings: readonly BackingRecord[]): StoredReservation => ({
  owner: record.owner,
  id: record.id,
  acknowledgedAt: acknowledgedOf(backings),
  reservation: {
    key: record.reservation_key,
    channel: record.channel_key,
    version: record.version,
    createdAt: record.created_at.getTime(),
    expiresAt: record.expires_at.getTime(),
    nodes: record.nodes,
    lines: record.lines.map(([sku, requested, granted]) => ({ sku, requested, granted })),
    backings: backings.map(toBacking),
  },
});
