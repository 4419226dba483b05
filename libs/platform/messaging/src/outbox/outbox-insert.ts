import assert from 'node:assert/strict';
import pg from 'pg';
import type { FactEvent } from '../cloud-event.ts';
import { partitionOf } from './partition-of.ts';

/** Columns of the outbox that its writers fill, with their types, in the order of {@link outboxParameters}. */
export const OUTBOX_COLUMNS = {
  partition: 'smallint',
  key: 'text',
  subject: 'text',
  event_id: 'text',
  type: 'text',
  source: 'text',
  time: 'timestamptz',
  trace: 'text',
  data: 'json',
} as const;

/**
 * SQL of a set-based insert into the outbox, as a statement of its own or inside a `WITH … AS (…)` of a larger one.
 * `rows` is a FROM item named x with {@link OUTBOX_COLUMNS} and a `position`, in whose order rows get their ids; nothing is
 * written unless `condition` holds.
 *
 * Two rules keep the relay's order right:
 * 1. Append an event of a key only while holding the lock under which that key changes (for a SKU, its gate), so that
 *    ids of one key grow in commit order.
 * 2. The transaction must hold a transaction id *before* an outbox id is taken. The relay reads the sequence, then
 *    waits until every transaction that existed by then has ended; a transaction that takes its outbox id first and its
 *    transaction id later would escape that wait, and its rows would be skipped. Having written or locked any row
 *    before satisfies it, and this statement also asks for the transaction id in a one-time filter, which PostgreSQL
 *    evaluates before it produces the first row. Whoever writes other SQL must see to it.
 */
export function outboxInsertFrom(schema: string, rows: string, condition = 'true'): string {
  const columns = Object.keys(OUTBOX_COLUMNS);
  return `INSERT INTO ${pg.escapeIdentifier(schema)}.outbox (${columns.join(', ')})
    SELECT ${columns.map((column) => `x.${column}`).join(', ')} FROM ${rows}
    WHERE pg_current_xact_id() IS NOT NULL AND ${condition}
    ORDER BY x.position`;
}

/** {@link outboxInsertFrom} array parameters from `$<firstParameter>` on, which {@link outboxParameters} makes. */
export function outboxInsert(schema: string, firstParameter = 1): string {
  const arrays = Object.values(OUTBOX_COLUMNS).map((type, index) => `$${firstParameter + index}::${type}[]`);
  const names = Object.keys(OUTBOX_COLUMNS).join(', ');
  return outboxInsertFrom(schema, `unnest(${arrays.join(', ')}) WITH ORDINALITY AS x (${names}, position)`);
}

/** NATS refuses a message above 1 MiB, headers included; such a row would hold its key up for ever. */
export const MAX_EVENT_BYTES = 900_000;

function serialize(event: FactEvent): string {
  const text = JSON.stringify(event.data);
  const bytes = Buffer.byteLength(text);
  assert(bytes <= MAX_EVENT_BYTES, `event ${event.id} of ${event.type} has ${bytes} bytes, above ${MAX_EVENT_BYTES}`);
  return text;
}

/** The parameter values of {@link outboxInsert}, in order. */
export function outboxParameters(events: readonly FactEvent[], partitionCount: number): unknown[][] {
  return [
    events.map((event) => partitionOf(event.key, partitionCount)),
    events.map((event) => event.key),
    events.map((event) => event.subject),
    events.map((event) => event.id),
    events.map((event) => event.type),
    events.map((event) => event.source),
    events.map((event) => event.time),
    events.map((event) => event.trace ?? null),
    events.map(serialize),
  ];
}

export interface OutboxTarget {
  readonly schema: string;
  /** The same number everywhere; see {@link partitionOf}. */
  readonly partitionCount: number;
}

/** Putting so many into one statement takes a few milliseconds, in which nobody else of this process gets a turn. */
const EVENTS_PER_STATEMENT = 1_000;

/** Appends events in the caller's transaction, in order. The rules of {@link outboxInsert} apply. */
export async function appendToOutbox(
  client: Pick<pg.ClientBase, 'query'>,
  target: OutboxTarget,
  events: readonly FactEvent[],
): Promise<void> {
  for (let from = 0; from < events.length; from += EVENTS_PER_STATEMENT) {
    const some = events.slice(from, from + EVENTS_PER_STATEMENT);
    await client.query(outboxInsert(target.schema), outboxParameters(some, target.partitionCount));
  }
}
