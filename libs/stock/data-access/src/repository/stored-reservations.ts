/** Reservations as stored, with their backings. */
import {
  type Backing,
  type Controller,
  type Destination,
  type NodeKey,
  type Reservation,
  type ReservationLine,
  STAGES,
  type Stage,
  type SupplyKey,
  TALLIES,
  type Tally,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { kindOf } from '../stock-columns.ts';
import { inOrder } from './in-order.ts';

/** A reservation as stored: the domain's view of it, and what only the store and its answers need. */
export interface StoredReservation {
  readonly reservation: Reservation;
  readonly owner: string;
  readonly id: string;
  /** Opaque. */
  readonly customerReference: string | null;
  /** Whether its lines are others than it was held with. */
  readonly isAmended: boolean;
  /** On which rows its backings stood when they were read, by their numbers: what was on its way may have no row any more. */
  readonly rowKeys: readonly (SupplyKey | null)[];
}

/** The immutable part of a reservation row, from which a replayed hold is answered as it was the first time. */
export interface FirstAnswer {
  readonly owner: string;
  readonly channelKey: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lines: readonly AnsweredLine[];
}

/**
 * `[line id, sku key, requested, granted, SKU version, [[node key, units, kind if not stock] …], its nodes if only some may back it]`: short,
 * because every hold stores it.
 */
export type AnsweredLine = readonly [
  id: string,
  sku: number,
  requested: number,
  granted: number,
  version: number,
  units: readonly (readonly [node: number, units: number, kind?: number])[],
  nodes?: readonly NodeKey[],
];

/** `[number, line id, sku key, units added, units withdrawn, its nodes if only some may back it]`. */
export type AmendedLineTuple = readonly [
  no: number,
  id: string,
  sku: number,
  added: number,
  withdrawn: number,
  nodes: readonly NodeKey[] | null,
];

interface ReservationRecord {
  reservation_key: number;
  owner: string;
  id: string;
  channel_key: number;
  version: number;
  created_at: number;
  expires_at: number;
  lines: AnsweredLine[];
  amended: AmendedLineTuple[] | null;
  customer_reference: string | null;
  controller_actor: string | null;
  controller_order: string | null;
  tombstone_by: string | null;
  ordered_at: number | null;
  priority: number | null;
  destination_lat: number | null;
  destination_lng: number | null;
}

interface BackingRecord extends Record<Tally, number>, Record<Stage, number | null> {
  reservation_key: number;
  backing_no: number;
  line: number;
  supply_key: number | null;
  sku_key: number;
  node_key: number;
  kind: number;
  detail_key: number | null;
  fulfilment: string | null;
  fence_key: number | null;
  fenced: number | null;
}

/** As numbers: a driver that makes dates of thousands of them takes longer over that than over all else. */
const milliseconds = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::bigint AS ${column}`;
const COLUMNS = `reservation_key, owner, id, channel_key, version, ${['created_at', 'expires_at', 'ordered_at'].map(milliseconds).join(', ')},
  lines, amended, customer_reference, controller_actor, controller_order, tombstone_by, priority, destination_lat, destination_lng`;
const RESERVATIONS = `SELECT ${COLUMNS} FROM reservation`;
const BACKING_COLUMNS = `reservation_key, backing_no, line, supply_key, sku_key, node_key, kind, detail_key, fulfilment, fence_key, fenced, ${[...TALLIES, ...STAGES].join(', ')}`;

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
  const { rows } = await pool.query<ReservationRecord & { backings: BackingRecord[] | null }>({
    name: 'read-reservation',
    text: `SELECT ${COLUMNS},
                  (SELECT json_agg(b) FROM backing b WHERE b.reservation_key = r.reservation_key) AS backings
             FROM reservation r WHERE r.owner = $1 AND r.id = $2 AND r.tombstone_by IS NULL`,
    values: [owner, id],
  });
  const [row] = rows;
  return row ? toStored(row, (row.backings ?? []).sort(byNumber)) : null;
}

async function readBackings(
  client: Pick<pg.Pool, 'query'>,
  keys: readonly number[],
): Promise<readonly BackingRecord[]> {
  const { rows } = await client.query<BackingRecord>({
    name: 'backings',
    text: `SELECT ${BACKING_COLUMNS} FROM backing WHERE reservation_key = ANY($1::bigint[])`,
    values: [keys],
  });
  return rows;
}

function assemble(
  records: readonly ReservationRecord[],
  backingRecords: readonly BackingRecord[],
): Map<number, StoredReservation> {
  const backings = new Map<number, BackingRecord[]>(records.map((record) => [record.reservation_key, []]));
  for (const row of backingRecords.toSorted(byNumber)) backings.get(row.reservation_key)?.push(row);
  return new Map(
    records.map((record) => [record.reservation_key, toStored(record, backings.get(record.reservation_key) ?? [])]),
  );
}

const byNumber = (a: BackingRecord, b: BackingRecord): number => a.backing_no - b.backing_no;

const toBacking = (row: BackingRecord): Backing => ({
  no: row.backing_no,
  line: row.line,
  sku: row.sku_key,
  kind: row.supply_key === null ? 'unbacked' : kindOf(row.kind),
  node: row.node_key,
  detail: row.detail_key ?? 0,
  fulfilment: row.fulfilment,
  fence: row.fence_key,
  fenced: row.fenced ?? 0,
  held: row.held,
  confirmed: row.confirmed,
  fulfilled: row.fulfilled,
  released: row.released,
  expired: row.expired,
  cancelled: row.cancelled,
  broken: row.broken,
  accepted: row.accepted ?? 0,
  picked: row.picked ?? 0,
  shipped: row.shipped ?? 0,
});

const TENTHS = 10;
/** A place as it is kept: to a tenth of a degree, which is about ten kilometres. */
export const tenthsOf = (degrees: number): number => Math.round(degrees * TENTHS);

function destinationOf({ destination_lat: lat, destination_lng: lng }: ReservationRecord): Destination | null {
  return lat === null || lng === null ? null : { lat: lat / TENTHS, lng: lng / TENTHS };
}

function controllerOf({ controller_actor: actor, controller_order: order }: ReservationRecord): Controller | null {
  return actor === null || order === null ? null : { actor, order };
}

/** Lines as they were asked, and as they have been amended since. */
function linesOf({ lines, amended }: ReservationRecord): readonly ReservationLine[] {
  const all = lines.map(([id, sku, requested, granted, , , nodes = null], no): ReservationLine => {
    return { no, id, sku, requested, granted, added: 0, withdrawn: 0, nodes };
  });
  for (const [no, id, sku, added, withdrawn, nodes] of amended ?? []) {
    const { requested = 0, granted = 0 } = all[no] ?? {};
    all[no] = { no, id, sku, requested, granted, added, withdrawn, nodes };
  }
  return all;
}

/** The backings as they are numbered. */
const toStored = (record: ReservationRecord, backings: readonly BackingRecord[]): StoredReservation => ({
  owner: record.owner,
  id: record.id,
  customerReference: record.customer_reference,
  isAmended: record.amended !== null,
  rowKeys: backings.map((row) => row.supply_key),
  reservation: {
    key: record.reservation_key,
    channel: record.channel_key,
    version: record.version,
    createdAt: record.created_at,
    expiresAt: record.expires_at,
    controller: controllerOf(record),
    priority: record.priority ?? 0,
    orderedAt: record.ordered_at,
    destination: destinationOf(record),
    lines: linesOf(record),
    backings: backings.map(toBacking),
  },
});
