/** The statement with which `multi` writes one reservation: all tables at once, each value its own parameter. */
import { AVAILABLE, FACT_SOURCE, FACT_SUBJECT, HOLD_REASON, RESERVED } from './rows.ts';
import type { Backed, Fact } from './rows.ts';
import { EXPIRES_IN_SECONDS } from './contender.ts';

export interface OneReservation {
  readonly key: number;
  readonly owner: string;
  readonly id: string;
  readonly hash: Buffer;
  readonly channelKey: number;
  readonly sourceKey: number;
  readonly nowMs: number;
  /** JSON of `reservation.lines`. */
  readonly lines: string;
  readonly steps: readonly { readonly sku: number; readonly version: number; readonly fact: Fact }[];
  /** `line` is the place of its line, from 0. */
  readonly backings: readonly (Backed & { readonly line: number; readonly version: number })[];
}

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

const texts = new Map<string, string>();

export function writeOne(one: OneReservation): Statement {
  const name = `write-${one.steps.length}-${one.backings.length}`;
  const text = texts.get(name) ?? textFor(one.steps.length, one.backings.length);
  texts.set(name, text);
  const values = [
    one.key,
    one.owner,
    one.id,
    one.hash,
    one.channelKey,
    one.nowMs,
    one.lines,
    one.sourceKey,
    ...one.steps.flatMap(({ sku, version, fact }) => [sku, version, fact.partition, fact.key, fact.eventId, fact.data]),
    ...one.backings.flatMap(({ row, line, units, version }) => [row.key, row.sku, row.node, line, units, version]),
  ];
  return { name, text, values };
}

const SCALARS = 8;

/** `($9::int, $10::bigint, …), (…)`: as many tuples of these types as there are. */
function tuples(first: number, count: number, types: readonly string[]): string {
  const tuple = (index: number): string =>
    types.map((type, column) => `$${first + index * types.length + column}::${type}`).join(', ');
  return Array.from({ length: count }, (_, index) => `(${tuple(index)}, ${index})`).join(', ');
}

function textFor(steps: number, backings: number): string {
  const stepTypes = ['int', 'bigint', 'smallint', 'text', 'text', 'json'];
  const stepRows = `(VALUES ${tuples(SCALARS + 1, steps, stepTypes)}) AS x (s, v, partition, key, event_id, data, o)`;
  const backingFirst = SCALARS + 1 + steps * stepTypes.length;
  const backingRows = `(VALUES ${tuples(backingFirst, backings, ['bigint', 'int', 'int', 'smallint', 'int', 'bigint'])}) AS x (k, s, n, l, u, v, o)`;
  const now = 'to_timestamp($6::float8 / 1000.0)';
  const expires = `to_timestamp($6::float8 / 1000.0 + ${EXPIRES_IN_SECONDS})`;
  return `WITH
  gate AS (UPDATE sku_gate g SET version = x.v FROM ${stepRows} WHERE g.sku_key = x.s),
  rows AS (
    UPDATE supply s SET available = s.available - x.u, reserved = s.reserved + x.u
      FROM ${backingRows} WHERE s.supply_key = x.k),
  created AS (
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines)
    VALUES ($1::bigint, $2::text, $3::text, $4::bytea, $5::int, 1, ${now}, ${expires}, ${expires}, $7::json)),
  backings AS (
    INSERT INTO backing (reservation_key, supply_key, expires_at, sku_key, node_key, backing_no, line, held, confirmed, fulfilled, released, expired, cancelled, broken)
    SELECT $1::bigint, x.k, ${expires}, x.s, x.n, x.o, x.l, x.u, 0, 0, 0, 0, 0, 0 FROM ${backingRows}),
  entries AS (
    INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key, source_event_id)
    SELECT x.s, x.o, x.v, x.k, x.u, ${now}, ${now}, x.n, ${AVAILABLE}, ${RESERVED}, '${HOLD_REASON}', $8::int, $3::text FROM ${backingRows})
  INSERT INTO outbox (partition, key, subject, event_id, type, source, time, data)
  SELECT x.partition, x.key, '${FACT_SUBJECT}', x.event_id, '${FACT_SUBJECT}', '${FACT_SOURCE}', ${now}, x.data
    FROM ${stepRows} WHERE pg_current_xact_id() IS NOT NULL ORDER BY x.o`;
}
