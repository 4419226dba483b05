import assert from 'node:assert/strict';
import pg from 'pg';
import type { FactEvent } from '../cloud-event.ts';
import { partitionOf } from './partition-of.ts';

/** How many parameters {@link outboxInsert} takes: one array a column. */
export const OUTBOX_PARAMETER_COUNT = 9;

/**
 * SQL of a set-based insert into the outbox, as a statement of its own or inside a `WITH … AS (…)` of a larger one.
 * Its nine array parameters start at `$<firstParameter>` and are made by {@link outboxParameters}. Rows get their ids
 * in array order.
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
export function outboxInsert(schema: string, firstParameter = 1): string {
  const parameter = (offset: number, type: string): string => `$${firstParameter + offset}::${type}[]`;
  return `INSERT INTO ${pg.escapeIdentifier(schema)}.outbox
      (partition, key, subject, event_id, type, source, time, trace, data)
    SELECT e.partition, e.key, e.subject, e.event_id, e.type, e.source, e.time, e.trace, e.data
    FROM unnest(${parameter(0, 'smallint')}, ${parameter(1, 'text')}, ${parameter(2, 'text')}, ${parameter(3, 'text')},
      ${parameter(4, 'text')}, ${parameter(5, 'text')}, ${parameter(6, 'timestamptz')}, ${parameter(7, 'text')},
      ${parameter(8, 'jsonb')}) WITH ORDINALITY
      AS e (partition, key, subject, event_id, type, source, time, trace, data, position)
    WHERE pg_current_xact_id() IS NOT NULL
    ORDER BY e.position`;
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

/** Appends events in the caller's transaction, in order. The rules of {@link outboxInsert} apply. */
export async function appendToOutbox(
  client: Pick<pg.ClientBase, 'query'>,
  target: OutboxTarget,
  events: readonly FactEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await client.query(outboxInsert(target.schema), outboxParameters(events, target.partitionCount));
}
