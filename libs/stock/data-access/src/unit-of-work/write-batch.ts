/**
 * Writes a batch: one statement of set-based parts over arrays, then the command keys. New reservations and commands
 * come after everything that is locked (ADR 0005): a key that another replica took meanwhile fails with 23505, the
 * batch is rolled back and decided anew, and then sees the committed effect.
 */
import type pg from 'pg';
import { type FactContext, factsOf } from './facts.ts';
import { type Part, type Preamble, type Statement, compose } from './part.ts';
import { type Batch, partsOf } from './parts.ts';
import type { Writes } from '../decision/batch-writes.ts';
import { sendClosedExceptions, sendExceptions } from './exceptions.ts';
import { groupOf } from '../repository/earlier-effects.ts';

export interface WriteContext extends FactContext {
  readonly schema: string;
  readonly partitionCount: number;
}

/** Sends every statement of the batch at once; they take effect together with the COMMIT that follows them. */
export function sendWrites(client: pg.PoolClient, writes: Writes, context: WriteContext): readonly Promise<unknown>[] {
  const preamble: Preamble = {
    name: 'write-batch',
    sql: '',
    values: [context.now],
    guard: 'true',
    answer: 'SELECT $1::float8',
  };
  const sent: Promise<unknown>[] = [client.query(statementOf(writes, context, preamble))];
  if (writes.exceptions.length > 0) sent.push(sendExceptions(client, writes, context));
  if (writes.closedExceptions.length > 0) sent.push(sendClosedExceptions(client, writes, context));
  if (writes.detached.length > 0) sent.push(sendDetached(client, writes));
  if (writes.attached.size > 0) sent.push(sendAttached(client, writes));
  if (writes.commands.length > 0) sent.push(sendCommands(client, writes, context));
  return sent;
}

/** The statement that writes all but exceptions and command keys. The preamble's first value is the decision's time. */
export function statementOf(writes: Writes, context: WriteContext, preamble: Preamble): Statement {
  const { schema, partitionCount } = context;
  const batch = { writes, facts: factsOf(writes, context), partitionCount };
  return compose(schema, preamble, partsFor(schema), batch);
}

const partsBySchema = new Map<string, readonly Part<Batch>[]>();

function partsFor(schema: string): readonly Part<Batch>[] {
  let parts = partsBySchema.get(schema);
  if (!parts) partsBySchema.set(schema, (parts = partsOf(schema)));
  return parts;
}

const seconds = (parameter: string): string => `to_timestamp(${parameter} / 1000.0)`;

function sendCommands(client: pg.PoolClient, { commands }: Writes, { now }: WriteContext): Promise<unknown> {
  return client.query({
    name: 'write-commands',
    text: `INSERT INTO command (actor, id, group_no, body_hash, answer, recorded_at, person)
           SELECT x.actor, x.id, x.group_no, x.body_hash, x.answer, ${seconds('$5::float8')}, x.person
             FROM unnest($1::text[], $2::text[], $3::bytea[], $4::json[], $6::text[], $7::smallint[]) AS x (actor, id, body_hash, answer, person, group_no)
            ORDER BY x.actor, x.id, x.group_no`,
    values: [
      commands.map(({ command }) => command.actor),
      commands.map(({ command }) => command.id),
      commands.map(({ command }) => command.bodyHash),
      commands.map(({ answer }) => JSON.stringify(answer)),
      now,
      commands.map(({ command }) => command.person),
      commands.map(({ command }) => groupOf(command)),
    ],
  });
}

function sendDetached(client: pg.PoolClient, { detached }: Writes): Promise<unknown> {
  return client.query({
    name: 'detach',
    text: `DELETE FROM controller c USING unnest($1::text[], $2::text[]) AS x (actor, order_id)
            WHERE c.actor = x.actor AND c.order_id = x.order_id`,
    values: [detached.map(({ actor }) => actor), detached.map(({ order }) => order)],
  });
}

/** One that another replica has taken meanwhile fails as keys of commands do, and is then found to be taken. */
function sendAttached(client: pg.PoolClient, writes: Writes): Promise<unknown> {
  const attached = [...writes.attached.values()];
  return client.query({
    name: 'attach',
    text: `INSERT INTO controller (actor, order_id, reservation_key)
           SELECT actor, order_id, reservation_key FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x (actor, order_id, reservation_key)
            ORDER BY actor, order_id`,
    values: [
      attached.map(({ controller }) => controller.actor),
      attached.map(({ controller }) => controller.order),
      attached.map(({ reservationKey }) => reservationKey),
    ],
  });
}
