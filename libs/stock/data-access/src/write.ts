/**
 * Writes a batch: one statement of set-based parts over arrays, then the command keys. New reservations and commands
 * come after everything that is locked (ADR 0005): a key that another replica took meanwhile fails with 23505, the
 * batch is rolled back and decided anew, and then sees the committed effect.
 */
import { ACCOUNTS } from '@onepool/stock-domain';
import {
  PROMISE_BROKEN,
  SKU_CHANGED,
  type PromiseBroken,
  type SkuChanged,
  reservationSubject,
} from '@onepool/contracts';
import { type FactEvent, OUTBOX_PARAMETER_COUNT, outboxInsert, outboxParameters } from '@onepool/platform-messaging';
import type pg from 'pg';
import type { Views } from './view.ts';
import { isoTime } from './view.ts';
import type { Writes } from './writes.ts';

const ACCOUNT_CODE = new Map(ACCOUNTS.map((account, code) => [account, code]));
export const FACT_SOURCE = '/onepool/availability';

export interface WriteContext {
  /** Milliseconds, of the decision. */
  readonly now: number;
  readonly views: Views;
  /** Versions as they were when the gates were locked. */
  readonly versionsBefore: ReadonlyMap<number, number>;
  readonly schema: string;
  readonly partitionCount: number;
}

/** Sends every statement of the batch at once; they take effect together with the COMMIT that follows them. */
export function sendWrites(client: pg.PoolClient, writes: Writes, context: WriteContext): readonly Promise<unknown>[] {
  const facts = factsOf(writes, context);
  const sent: Promise<unknown>[] = [
    client.query({
      name: 'write-batch',
      text: statementFor(context.schema),
      values: parametersOf(writes, facts, context),
    }),
  ];
  if (writes.broken.length > 0) sent.push(openExceptions(client, writes, context));
  if (writes.mended.length > 0) sent.push(mendExceptions(client, writes, context));
  if (writes.commands.length > 0) sent.push(sendCommands(client, writes, context));
  return sent;
}

const seconds = (parameter: string): string => `to_timestamp(${parameter} / 1000.0)`;
const statements = new Map<string, string>();

function statementFor(schema: string): string {
  const known = statements.get(schema);
  if (known) return known;
  const text = `WITH
  gate AS (
    UPDATE sku_gate g SET version = x.version
      FROM unnest($1::int[], $2::bigint[]) AS x (sku_key, version) WHERE g.sku_key = x.sku_key),
  stock_rows AS (
    INSERT INTO stock AS s (sku_key, node_key, available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn)
    SELECT * FROM unnest($3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
    ON CONFLICT (sku_key, node_key) DO UPDATE SET
      available = excluded.available, committed = excluded.committed, reserved = excluded.reserved,
      safety_stock = excluded.safety_stock, damaged = excluded.damaged, quality_control = excluded.quality_control,
      shortfall = excluded.shortfall, overdrawn = excluded.overdrawn),
  changed AS (
    UPDATE reservation r SET version = x.version, expires_at = ${seconds('x.expires_at')}
      FROM unnest($13::bigint[], $14::int[], $15::float8[]) AS x (reservation_key, version, expires_at)
     WHERE r.reservation_key = x.reservation_key),
  created AS (
    INSERT INTO reservation (reservation_key, client, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, nodes, lines)
    SELECT x.key, x.client, x.id, x.body_hash, x.channel_key, 1, ${seconds('x.created_at')}, ${seconds('x.expires_at')},
           ${seconds('x.expires_at')}, x.nodes::int[], x.lines
      FROM unnest($16::bigint[], $17::text[], $18::text[], $19::bytea[], $20::int[], $21::float8[], $22::float8[], $23::text[], $24::jsonb[])
        AS x (key, client, id, body_hash, channel_key, created_at, expires_at, nodes, lines)
     ORDER BY x.client, x.id),
  backings AS (
    INSERT INTO backing (reservation_key, sku_key, node_key, held, confirmed, fulfilled, released, expired, cancelled, expires_at, pin_fulfilment, pin_order_version, pinned_at)
    SELECT x.r, x.s, x.n, x.held, x.confirmed, x.fulfilled, x.released, x.expired, x.cancelled,
           CASE WHEN x.held > 0 THEN ${seconds('x.expires_at')} ELSE 'infinity' END, x.pf, x.pv,
           CASE WHEN x.pf IS NOT NULL THEN ${seconds('$48::float8')} END
      FROM unnest($25::bigint[], $26::int[], $27::int[], $28::int[], $29::int[], $30::int[], $31::int[], $32::int[], $33::int[], $34::float8[], $35::text[], $36::int[])
        AS x (r, s, n, held, confirmed, fulfilled, released, expired, cancelled, expires_at, pf, pv)
    ON CONFLICT (reservation_key, sku_key, node_key, kind) DO UPDATE SET
      held = excluded.held, confirmed = excluded.confirmed, fulfilled = excluded.fulfilled, released = excluded.released,
      expired = excluded.expired, cancelled = excluded.cancelled, expires_at = excluded.expires_at,
      pin_fulfilment = excluded.pin_fulfilment, pin_order_version = excluded.pin_order_version,
      pinned_at = CASE WHEN excluded.pin_fulfilment IS NOT NULL THEN coalesce(backing.pinned_at, excluded.pinned_at) END),
  entries AS (
    INSERT INTO ledger (sku_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source, source_event_id, occurred_at, recorded_at, acknowledged_at)
    SELECT x.s, x.v, x.o, x.n, x.f, x.t, x.q, x.reason, x.source, x.event, ${seconds('x.occurred_at')}, ${seconds('$48::float8')},
           ${seconds('x.acknowledged_at')}
      FROM unnest($37::int[], $38::bigint[], $39::int[], $40::int[], $41::smallint[], $42::smallint[], $43::int[], $44::text[], $45::text[], $46::text[], $47::float8[], $51::float8[])
        AS x (s, v, o, n, f, t, q, reason, source, event, occurred_at, acknowledged_at)),
  tasks AS (
    INSERT INTO reback_task (sku_key, due_at, before_key)
    SELECT x.sku_key, clock_timestamp(), x.before_key FROM unnest($49::int[], $52::bigint[]) AS x (sku_key, before_key)
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(reback_task.due_at, excluded.due_at), before_key = excluded.before_key),
  healed AS (DELETE FROM reback_task WHERE sku_key = ANY($50::int[]) AND NOT sku_key = ANY($49::int[]))
  ${outboxInsert(schema, OUTBOX_FIRST)}`;
  statements.set(schema, text);
  return text;
}

const OUTBOX_FIRST = 53;

function parametersOf(writes: Writes, facts: readonly FactEvent[], { now, partitionCount }: WriteContext): unknown[] {
  const { changedSkus, newReservations, ledger } = writes;
  const rows = changedSkus.flatMap(({ sku, rows: changed }) => changed.map((row) => ({ sku, ...row })));
  const changed = [...writes.changedReservations.values()];
  const backings = [...writes.backings.values()];
  const parameters: unknown[] = [
    changedSkus.map(({ sku }) => sku),
    changedSkus.map(({ version }) => version),
    rows.map(({ sku }) => sku),
    rows.map(({ node }) => node),
    rows.map(({ available }) => available),
    rows.map(({ committed }) => committed),
    rows.map(({ reserved }) => reserved),
    rows.map(({ safetyStock }) => safetyStock),
    rows.map(({ damaged }) => damaged),
    rows.map(({ qualityControl }) => qualityControl),
    rows.map(({ shortfall }) => shortfall),
    rows.map(({ overdrawn }) => overdrawn),
    changed.map(({ key }) => key),
    changed.map(({ version }) => version),
    changed.map(({ expiresAt }) => expiresAt),
    newReservations.map(({ key }) => key),
    newReservations.map(({ command }) => command.client),
    newReservations.map(({ command }) => command.id),
    newReservations.map(({ command }) => command.bodyHash),
    newReservations.map(({ command }) => command.channel),
    newReservations.map(({ createdAt }) => createdAt),
    newReservations.map(({ expiresAt }) => expiresAt),
    newReservations.map(({ command }) => command.nodes && `{${command.nodes.join(',')}}`),
    newReservations.map(({ lines }) => JSON.stringify(lines)),
    backings.map(({ reservationKey }) => reservationKey),
    backings.map(({ backing }) => backing.sku),
    backings.map(({ backing }) => backing.node),
    backings.map(({ backing }) => backing.held),
    backings.map(({ backing }) => backing.confirmed),
    backings.map(({ backing }) => backing.fulfilled),
    backings.map(({ backing }) => backing.released),
    backings.map(({ backing }) => backing.expired),
    backings.map(({ backing }) => backing.cancelled),
    backings.map(({ expiresAt }) => expiresAt),
    backings.map(({ backing }) => backing.pin?.fulfilmentId ?? null),
    backings.map(({ backing }) => backing.pin?.orderVersion ?? null),
    ledger.map(({ sku }) => sku),
    ledger.map(({ version }) => version),
    ledger.map(({ ordinal }) => ordinal),
    ledger.map(({ node }) => node),
    ledger.map(({ from }) => ACCOUNT_CODE.get(from)),
    ledger.map(({ to }) => ACCOUNT_CODE.get(to)),
    ledger.map(({ quantity }) => quantity),
    ledger.map(({ reason }) => reason),
    ledger.map(({ source }) => source),
    ledger.map(({ sourceEventId }) => sourceEventId),
    ledger.map(({ occurredAt }) => occurredAt),
    now,
    [...writes.rebackTasks.keys()],
    writes.healed,
    ledger.map(({ acknowledgedAt }) => acknowledgedAt),
    [...writes.rebackTasks.values()],
    ...outboxParameters(facts, partitionCount),
  ];
  if (parameters.length !== OUTBOX_FIRST - 1 + OUTBOX_PARAMETER_COUNT)
    throw new Error('Broken invariant: parameters and statement differ');
  return parameters;
}

function factsOf(writes: Writes, context: WriteContext): FactEvent[] {
  const { now, views, versionsBefore } = context;
  const recordedAt = isoTime(now);
  const fact = (id: string, key: string, subject: string, data: unknown, trace: string | null): FactEvent => ({
    id,
    key,
    subject,
    type: subject,
    source: FACT_SOURCE,
    time: recordedAt,
    data,
    ...(trace === null ? {} : { trace }),
  });
  const changed = writes.changedSkus.map(({ sku, rows, version, trace }) => {
    const code = views.sku(sku);
    const data: SkuChanged = {
      sku: code,
      fromVersion: versionsBefore.get(sku) ?? 0,
      toVersion: version,
      recordedAt,
      rows: rows.map((row) => views.stockRow(row)),
    };
    return fact(`sku/${code}/${version}`, code, SKU_CHANGED, data, trace);
  });
  const reservations = writes.reservationFacts.map(({ data, part, trace }) =>
    fact(
      `reservation/${data.client}/${data.reservation}/${data.version}${part > 1 ? `/${part}` : ''}`,
      data.reservation,
      reservationSubject(data.fact),
      data,
      trace,
    ),
  );
  const broken = writes.newlyBroken.map(({ sku, node, quantity }) => {
    const data: PromiseBroken = { sku: views.sku(sku), node: views.node(node), quantity, recordedAt };
    const version = writes.changedSkus.find((entry) => entry.sku === sku)?.version ?? versionsBefore.get(sku) ?? 0;
    return fact(`broken/${data.sku}/${data.node}/${version}`, data.sku, PROMISE_BROKEN, data, null);
  });
  return [...changed, ...reservations, ...broken];
}

function sendCommands(client: pg.PoolClient, { commands }: Writes, { now }: WriteContext): Promise<unknown> {
  return client.query({
    name: 'write-commands',
    text: `INSERT INTO command (client, id, body_hash, answer, recorded_at)
           SELECT x.client, x.id, x.body_hash, x.answer, ${seconds('$5::float8')}
             FROM unnest($1::text[], $2::text[], $3::bytea[], $4::jsonb[]) AS x (client, id, body_hash, answer)
            ORDER BY x.client, x.id`,
    values: [
      commands.map(({ command }) => command.client),
      commands.map(({ command }) => command.id),
      commands.map(({ command }) => command.bodyHash),
      commands.map(({ answer }) => JSON.stringify(answer)),
      now,
    ],
  });
}

const columnsOf = (rows: Writes['broken']): number[][] => [
  rows.map(({ sku }) => sku),
  rows.map(({ node }) => node),
  rows.map(({ quantity }) => quantity),
];

function openExceptions(client: pg.PoolClient, { broken }: Writes, { now }: WriteContext): Promise<unknown> {
  return client.query({
    name: 'open-exceptions',
    text: `INSERT INTO stock_exception (code, sku_key, node_key, quantity, opened_at)
           SELECT 'promise.broken', x.s, x.n, x.q, ${seconds('$4::float8')} FROM unnest($1::int[], $2::int[], $3::bigint[]) AS x (s, n, q)
           ON CONFLICT (code, sku_key, node_key) WHERE closed_at IS NULL DO UPDATE SET quantity = excluded.quantity`,
    values: [...columnsOf(broken), now],
  });
}

function mendExceptions(client: pg.PoolClient, { mended }: Writes, { now }: WriteContext): Promise<unknown> {
  return client.query({
    name: 'mend-exceptions',
    text: `UPDATE stock_exception e
              SET quantity = x.q, closed_at = CASE WHEN x.q = 0 THEN ${seconds('$4::float8')} END
             FROM unnest($1::int[], $2::int[], $3::bigint[]) AS x (s, n, q)
            WHERE e.code = 'promise.broken' AND e.closed_at IS NULL AND e.sku_key = x.s AND e.node_key = x.n`,
    values: [...columnsOf(mended), now],
  });
}
