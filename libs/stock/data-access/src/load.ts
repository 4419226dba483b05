/**
 * Reads everything a batch needs, under its locks, in the one order every writer takes: SKU gates, then existing
 * reservations, each sorted. Stock rows need no lock of their own, because nothing touches them without their gate.
 * Each read is its own statement, so that it sees what was committed while the locks were waited for.
 */
import {
  type Backing,
  type NodeKey,
  type Reservation,
  type SellingRules,
  type SkuKey,
  type SkuSupply,
  type StockRow,
  type Watermarks,
  rowKey,
} from '@onepool/stock-domain';
import type { MovementsResult, Reservation as ReservationView } from '@onepool/contracts';
import type pg from 'pg';
import type { Command, Keyed } from './command.ts';
import { readWatermarks, skusWithEvents } from './feeds/watermarks.ts';
import type { KnownSupplies, KnownSupply } from './known-supplies.ts';
import type { RulesSource } from './rules-source.ts';

/** A reservation as stored: the domain's view of it, and what only the store and its answers need. */
export interface StoredReservation {
  readonly reservation: Reservation;
  readonly client: string;
  readonly id: string;
  /** Since when (ms) the node knows of a backing, by row; only pinned backings are here. */
  readonly acknowledgedAt: ReadonlyMap<string, number>;
}

/** What an earlier request with the same key did. */
export interface Effect {
  readonly bodyHash: Buffer;
  /** Null for a hold, whose first answer is made from `reservationKey`. */
  readonly answer: ReservationView | MovementsResult | null;
  readonly firstAnswer: FirstAnswer | null;
}

/** The immutable part of a reservation row, from which a replayed hold is answered as it was the first time. */
export interface FirstAnswer {
  readonly channelKey: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lines: readonly AnsweredLine[];
}

/** `[sku key, requested, granted, SKU version, [[node key, units] …]]`: short, because every hold stores it. */
export type AnsweredLine = readonly [number, number, number, number, readonly (readonly [number, number])[]];

export interface BatchState {
  /** Milliseconds, the database's clock, read after the locks. */
  readonly now: number;
  readonly rules: SellingRules;
  readonly versions: Map<SkuKey, number>;
  readonly supplies: Map<SkuKey, SkuSupply>;
  readonly reservations: Map<number, StoredReservation>;
  readonly effects: Map<string, Effect>;
  /** Units of open `promise.broken` exceptions by `sku key:node key`, of the SKUs to be healed. */
  readonly openExceptions: ReadonlyMap<string, number>;
  /** Whether units may be overdue that were not loaded: nothing may be decided before they are reaped. */
  readonly hasMoreOverdue: boolean;
  /** Whether more reservations stand behind short rows than were loaded. */
  readonly hasMoreToHeal: boolean;
  /** Of the rows of those SKUs that movements and shipments may touch. */
  readonly watermarks: Watermarks;
}

export const keyOf = ({ client, id }: Pick<Keyed, 'client' | 'id'>): string => `${client}\u0000${id}`;

export async function loadBatch(
  client: pg.PoolClient,
  commands: readonly Command[],
  rules: RulesSource,
  known: KnownSupplies,
): Promise<BatchState> {
  const skus = [...new Set(commands.flatMap((command) => command.skus))].sort((a, b) => a - b);
  const healing = commands.flatMap((command) => (command.kind === 'tend' && command.heal ? command.skus : []));
  const named = commands.flatMap((command) => (command.kind === 'verb' ? [command.reservationKey] : []));
  const looked = known.look(skus);
  // Sent together, run in this order: whatever follows the gates sees what was committed while they were waited for.
  const [versions, moment, changed, holds, others, short, openExceptions, watermarks, ofVerbs] = await inOrder([
    lockGates(client, skus),
    readMoment(client, skus),
    readChangedSupplies(
      client,
      skus,
      looked.map(({ version }) => version),
    ),
    readEarlierHolds(client, commands),
    readEarlierCommands(client, commands),
    readBackedOnShortRows(client, healing),
    readOpenExceptions(client, healing),
    readWatermarks(client, skusWithEvents(commands)),
    lockReservations(client, named),
  ]);
  const missing = skus.filter((sku) => !versions.has(sku));
  if (missing.length > 0) throw new MissingGates(missing);
  // Nobody else can want the rows locked above, since all gates of a named reservation are ours. These others may share
  // a SKU with another batch's, so they are locked in order among themselves.
  const shared = [...moment.overdue, ...short].filter((key) => !ofVerbs.has(key));
  const reservations = new Map([...ofVerbs, ...(await lockReservations(client, shared))]);
  return {
    now: moment.now,
    rules: await rules.at(moment.epoch, client),
    versions,
    supplies: completeSupplies(skus, versions, looked, changed, known),
    reservations,
    effects: new Map([...holds, ...others]),
    openExceptions,
    hasMoreOverdue: moment.hasMoreOverdue,
    hasMoreToHeal: short.length === HEALED_PER_LOOK_MAX,
    watermarks,
  };
}

/** Waits for all, even when one fails, so that no answer is left over on the connection; then throws the first failure. */
async function inOrder<T extends readonly unknown[]>(sent: { readonly [I in keyof T]: Promise<T[I]> }): Promise<T> {
  const settled = await Promise.allSettled(sent);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as unknown as T;
}

async function lockGates(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<Map<SkuKey, number>> {
  const { rows } = await client.query<{ sku_key: number; version: number }>({
    name: 'lock-gates',
    text: 'SELECT sku_key, version FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE',
    values: [skus],
  });
  return new Map(rows.map((row) => [row.sku_key, row.version]));
}

/** Thrown out of the transaction: creating gates while holding others would break the lock order. */
export class MissingGates extends Error {
  constructor(readonly skus: readonly SkuKey[]) {
    super(`${skus.length} SKU gates do not exist yet`);
  }
}

export async function createGates(pool: pg.Pool, skus: readonly SkuKey[]): Promise<void> {
  await pool.query('INSERT INTO sku_gate (sku_key) SELECT unnest($1::int[]) ORDER BY 1 ON CONFLICT DO NOTHING', [skus]);
}

/** Of backings that one batch reaps: it must take less time than a session may idle with its locks. */
const OVERDUE_PER_BATCH_MAX = 2_000;

async function readMoment(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<{ now: number; epoch: number; overdue: readonly number[]; hasMoreOverdue: boolean }> {
  const { rows } = await client.query<{ now: number; epoch: number; overdue: string[] | null }>({
    name: 'moment',
    text: `WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
           SELECT floor(extract(epoch FROM moment.at) * 1000)::bigint AS now,
                  (SELECT epoch FROM catalog_epoch) AS epoch,
                  (SELECT array_agg(due.reservation_key) FROM (
                     SELECT b.reservation_key::text FROM backing b
                      WHERE b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
                        AND b.expires_at <= moment.at LIMIT ${OVERDUE_PER_BATCH_MAX}) due) AS overdue
             FROM moment`,
    values: [skus],
  });
  const row = rows[0];
  if (!row) throw new Error('Broken invariant: the clock gave no row');
  const overdue = (row.overdue ?? []).map(Number);
  return { now: row.now, epoch: row.epoch, overdue, hasMoreOverdue: overdue.length === OVERDUE_PER_BATCH_MAX };
}

interface StockRecord {
  sku_key: number;
  node_key: number;
  available: number;
  committed: number;
  reserved: number;
  safety_stock: number;
  damaged: number;
  quality_control: number;
  shortfall: number;
  overdrawn: number;
}

export const toStockRow = (row: Omit<StockRecord, 'sku_key'>): StockRow => ({
  node: row.node_key,
  available: row.available,
  committed: row.committed,
  reserved: row.reserved,
  safetyStock: row.safety_stock,
  damaged: row.damaged,
  qualityControl: row.quality_control,
  shortfall: row.shortfall,
  overdrawn: row.overdrawn,
});

/** Rows of the SKUs whose version is another than the known one. */
async function readChangedSupplies(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
  knownVersions: readonly number[],
): Promise<Map<SkuKey, StockRow[]>> {
  const { rows } = await client.query<StockRecord>({
    name: 'changed-supplies',
    text: `SELECT s.sku_key, s.node_key, s.available, s.committed, s.reserved, s.safety_stock, s.damaged, s.quality_control,
                  s.shortfall, s.overdrawn
             FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
             JOIN sku_gate g ON g.sku_key = known.sku_key AND g.version <> known.version
             JOIN stock s ON s.sku_key = known.sku_key`,
    values: [skus, knownVersions],
  });
  const found = new Map<SkuKey, StockRow[]>();
  for (const row of rows) {
    const of = found.get(row.sku_key);
    if (of) of.push(toStockRow(row));
    else found.set(row.sku_key, [toStockRow(row)]);
  }
  return found;
}

/** Rows were asked for where the version is not the one that was `looked` at, so only there may they be missing. */
export function completeSupplies(
  skus: readonly SkuKey[],
  versions: ReadonlyMap<SkuKey, number>,
  looked: readonly KnownSupply[],
  changed: ReadonlyMap<SkuKey, readonly StockRow[]>,
  known: KnownSupplies,
): Map<SkuKey, SkuSupply> {
  const supplies = new Map<SkuKey, SkuSupply>();
  for (const [index, sku] of skus.entries()) {
    const version = versions.get(sku) ?? 0;
    const at = looked[index];
    const remembered = at?.version === version ? at.supply : undefined;
    const supply = remembered ?? { sku, rows: changed.get(sku) ?? [] };
    if (!remembered) known.remember(supply, version);
    supplies.set(sku, supply);
  }
  return supplies;
}

const keysOf = (keyed: readonly Keyed[]): [string[], string[]] => [
  keyed.map(({ client }) => client),
  keyed.map(({ id }) => id),
];

async function readEarlierHolds(client: pg.PoolClient, commands: readonly Command[]): Promise<Map<string, Effect>> {
  const holds = commands.filter((command) => command.kind === 'hold');
  if (holds.length === 0) return new Map();
  const { rows } = await client.query<{
    client: string;
    id: string;
    body_hash: Buffer;
    channel_key: number;
    created_at: Date;
    first_expires_at: Date;
    lines: AnsweredLine[];
  }>({
    name: 'earlier-holds',
    text: `SELECT r.client, r.id, r.body_hash, r.channel_key, r.created_at, r.first_expires_at, r.lines
             FROM unnest($1::text[], $2::text[]) AS k (client, id) JOIN reservation r USING (client, id)`,
    values: keysOf(holds),
  });
  const toEffect = (row: (typeof rows)[number]): Effect => ({
    bodyHash: row.body_hash,
    answer: null,
    firstAnswer: {
      channelKey: row.channel_key,
      createdAt: row.created_at.getTime(),
      expiresAt: row.first_expires_at.getTime(),
      lines: row.lines,
    },
  });
  return new Map(rows.map((row) => [`hold\u0000${keyOf(row)}`, toEffect(row)]));
}

async function readEarlierCommands(client: pg.PoolClient, commands: readonly Command[]): Promise<Map<string, Effect>> {
  const others = commands.filter((command) => command.kind === 'verb' || command.kind === 'movements');
  if (others.length === 0) return new Map();
  const { rows } = await client.query<{
    client: string;
    id: string;
    body_hash: Buffer;
    answer: ReservationView | MovementsResult;
  }>({
    name: 'earlier-commands',
    text: `SELECT c.client, c.id, c.body_hash, c.answer
             FROM unnest($1::text[], $2::text[]) AS k (client, id) JOIN command c USING (client, id)`,
    values: keysOf(others),
  });
  return new Map(rows.map((row) => [keyOf(row), { bodyHash: row.body_hash, answer: row.answer, firstAnswer: null }]));
}

/** Moving them must take less time than a session may idle with its locks. */
const HEALED_PER_LOOK_MAX = 1_000;

/** Newest first: the longer a node has known of an order, the less it should lose it. */
async function readBackedOnShortRows(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<readonly number[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'backed-on-short-rows',
    text: `SELECT DISTINCT b.reservation_key
             FROM stock s JOIN backing b USING (sku_key, node_key)
            WHERE s.sku_key = ANY($1::int[]) AND s.shortfall > 0
              AND b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.pin_fulfilment IS NULL
            ORDER BY b.reservation_key DESC LIMIT ${HEALED_PER_LOOK_MAX}`,
    values: [skus],
  });
  return rows.map((row) => row.reservation_key);
}

async function readOpenExceptions(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<Map<string, number>> {
  if (skus.length === 0) return new Map();
  const { rows } = await client.query<{ sku_key: number; node_key: number; quantity: number }>({
    name: 'open-broken',
    text: `SELECT sku_key, node_key, quantity FROM stock_exception
            WHERE code = 'promise.broken' AND closed_at IS NULL AND sku_key = ANY($1::int[])`,
    values: [skus],
  });
  return new Map(rows.map((row) => [`${row.sku_key}:${row.node_key}`, row.quantity]));
}

interface ReservationRecord {
  reservation_key: number;
  client: string;
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

const RESERVATIONS = `SELECT reservation_key, client, id, channel_key, version, created_at, expires_at, nodes, lines FROM reservation`;

/** Locks and reads; the two statements travel together, and the second sees what was committed before the lock. */
async function lockReservations(
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

/** Reads a reservation without locking it. */
export async function readReservation(
  pool: Pick<pg.Pool, 'query'>,
  owner: string,
  id: string,
): Promise<StoredReservation | null> {
  const { rows } = await pool.query<ReservationRecord>({
    name: 'read-reservation',
    text: `${RESERVATIONS} WHERE client = $1 AND id = $2`,
    values: [owner, id],
  });
  const backings = await readBackings(
    pool,
    rows.map((row) => row.reservation_key),
  );
  return assemble(rows, backings).values().next().value ?? null;
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
  client: record.client,
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
