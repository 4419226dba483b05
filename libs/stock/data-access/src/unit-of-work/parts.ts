/** The tables that a batch writes, a part each. Inserts and upserts by key: no plan of theirs depends on a table's size. */
import { ACCOUNTS, STATE_ACCOUNTS, type StateUnits, unitsOf } from '@onepool/stock-domain';
import { type FactEvent, OUTBOX_COLUMNS, outboxInsertFrom, outboxParameters } from '@onepool/platform-messaging';
import { setExcluded, stateColumns } from '../stock-columns.ts';
import { type Part, part } from './part.ts';
import type { Writes } from '../decision/batch-writes.ts';

/** What is written: what was decided, and the facts that tell of it. */
export interface Batch {
  readonly writes: Writes;
  readonly facts: readonly FactEvent[];
  readonly partitionCount: number;
}

const ACCOUNT_CODE = new Map(ACCOUNTS.map((account, code) => [account, code]));
const HOLD = { from: ACCOUNTS.indexOf('available'), to: ACCOUNTS.indexOf('reserved'), reason: 'hold' };
/** The decision's time is every statement's first parameter, in milliseconds. */
const NOW = 'to_timestamp($1::float8 / 1000.0)';
const unitsAt =
  (place: number) =>
  ({ units }: { readonly units: StateUnits }): number | undefined =>
    units[place];
const time = (column: string): string => `to_timestamp(${column} / 1000.0)`;

const gates = part({
  rows: ({ writes }: Batch) => writes.changedSkus,
  columns: { sku: ['int', ({ sku }) => sku], version: ['bigint', ({ version }) => version] },
  writes: (rows, guard) => ({
    gates: `
    INSERT INTO sku_gate (sku_key, version) SELECT x.sku, x.version FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET version = excluded.version`,
  }),
});

const stockRows = part({
  rows: ({ writes }: Batch) =>
    writes.changedSkus.flatMap(({ sku, rows }) => rows.map((row) => ({ sku, node: row.node, units: unitsOf(row) }))),
  columns: {
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ node }) => node],
    ...Object.fromEntries(STATE_ACCOUNTS.map((state, place) => [state, ['bigint', unitsAt(place)] as const])),
  },
  writes: (rows, guard) => ({
    stock_rows: `
    INSERT INTO stock (sku_key, node_key, ${stateColumns()})
    SELECT x.sku, x.node, ${stateColumns((state) => `x.${state}`)} FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key, node_key) DO UPDATE SET ${setExcluded()}`,
  }),
});

/** By the place of the locked row, which nobody else can move: a join by key would be planned by the table's size. */
const changedReservations = part({
  rows: ({ writes }: Batch) => [...writes.changedReservations.values()],
  columns: {
    key: ['bigint', ({ key }) => key],
    version: ['int', ({ version }) => version],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
  },
  writes: (rows, guard) => ({
    changed: `
    UPDATE reservation r SET version = found.version, expires_at = ${time('found.expires_at')}
      FROM (SELECT t.place, x.version, x.expires_at FROM ${rows} CROSS JOIN LATERAL
              (SELECT ctid AS place FROM reservation WHERE reservation_key = x.key OFFSET 0) t WHERE ${guard}) found
     WHERE r.ctid = found.place`,
  }),
});

const newReservations = part({
  rows: ({ writes }: Batch) => writes.newReservations,
  columns: {
    key: ['bigint', ({ key }) => key],
    owner: ['text', ({ command }) => command.owner],
    id: ['text', ({ command }) => command.id],
    body_hash: ['bytea', ({ command }) => command.bodyHash],
    channel: ['int', ({ command }) => command.channel],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
    nodes: ['text', ({ command }) => command.nodes && `{${command.nodes.join(',')}}`],
    lines: ['json', ({ lines }) => JSON.stringify(lines)],
    actor: ['text', ({ command: { actor, owner } }) => (actor === owner ? null : actor)],
    person: ['text', ({ command }) => command.person],
  },
  writes: (rows, guard) => ({
    created: `
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, nodes, lines, actor, person)
    SELECT x.key, x.owner, x.id, x.body_hash, x.channel, 1, ${NOW}, ${time('x.expires_at')}, ${time('x.expires_at')}, x.nodes::int[], x.lines, x.actor, x.person
      FROM ${rows} WHERE ${guard} ORDER BY x.owner, x.id`,
  }),
});

/**
 * What each new hold takes: its backing, and the ledger's entry, which says the same in other words. Nothing can be in
 * conflict with a new backing, which makes it half as dear as an upsert.
 */
const holds = part({
  rows: ({ writes }: Batch) => writes.holds,
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    actor: ['text', ({ actor }) => actor],
    id: ['text', ({ id }) => id],
    sku: ['int', ({ sku }) => sku],
    version: ['bigint', ({ version }) => version],
    ordinal: ['int', ({ ordinal }) => ordinal],
    node: ['int', ({ node }) => node],
    units: ['int', ({ units }) => units],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
  },
  writes: (rows, guard) => ({
    new_backings: `
    INSERT INTO backing (reservation_key, sku_key, node_key, held, confirmed, fulfilled, released, expired, cancelled, expires_at)
    SELECT x.reservation, x.sku, x.node, x.units, 0, 0, 0, 0, 0, ${time('x.expires_at')} FROM ${rows} WHERE ${guard}`,
    hold_entries: `
    INSERT INTO ledger (sku_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source, source_event_id, occurred_at, recorded_at)
    SELECT x.sku, x.version, x.ordinal, x.node, ${HOLD.from}, ${HOLD.to}, x.units, '${HOLD.reason}', x.actor, x.id, ${NOW}, ${NOW}
      FROM ${rows} WHERE ${guard}`,
  }),
});

const changedBackings = part({
  rows: ({ writes }: Batch) => [...writes.changedBackings.values()],
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    sku: ['int', ({ backing }) => backing.sku],
    node: ['int', ({ backing }) => backing.node],
    held: ['int', ({ backing }) => backing.held],
    confirmed: ['int', ({ backing }) => backing.confirmed],
    fulfilled: ['int', ({ backing }) => backing.fulfilled],
    released: ['int', ({ backing }) => backing.released],
    expired: ['int', ({ backing }) => backing.expired],
    cancelled: ['int', ({ backing }) => backing.cancelled],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
    pin_fulfilment: ['text', ({ backing }) => backing.pin?.fulfilmentId ?? null],
    pin_order_version: ['int', ({ backing }) => backing.pin?.orderVersion ?? null],
  },
  writes: (rows, guard) => ({
    backings: `
    INSERT INTO backing (reservation_key, sku_key, node_key, held, confirmed, fulfilled, released, expired, cancelled, expires_at, pin_fulfilment, pin_order_version, pinned_at)
    SELECT x.reservation, x.sku, x.node, x.held, x.confirmed, x.fulfilled, x.released, x.expired, x.cancelled,
           CASE WHEN x.held > 0 THEN ${time('x.expires_at')} ELSE 'infinity' END, x.pin_fulfilment, x.pin_order_version,
           CASE WHEN x.pin_fulfilment IS NOT NULL THEN ${NOW} END
      FROM ${rows} WHERE ${guard}
    ON CONFLICT (reservation_key, sku_key, node_key, kind) DO UPDATE SET
      held = excluded.held, confirmed = excluded.confirmed, fulfilled = excluded.fulfilled, released = excluded.released,
      expired = excluded.expired, cancelled = excluded.cancelled, expires_at = excluded.expires_at,
      pin_fulfilment = excluded.pin_fulfilment, pin_order_version = excluded.pin_order_version,
      pinned_at = CASE WHEN excluded.pin_fulfilment IS NOT NULL THEN coalesce(backing.pinned_at, excluded.pinned_at) END`,
  }),
});

const ledger = part({
  rows: ({ writes }: Batch) => writes.ledger,
  columns: {
    sku: ['int', ({ sku }) => sku],
    version: ['bigint', ({ version }) => version],
    ordinal: ['int', ({ ordinal }) => ordinal],
    node: ['int', ({ node }) => node],
    from_state: ['smallint', ({ from }) => ACCOUNT_CODE.get(from)],
    to_state: ['smallint', ({ to }) => ACCOUNT_CODE.get(to)],
    quantity: ['int', ({ quantity }) => quantity],
    reason: ['text', ({ reason }) => reason],
    source: ['text', ({ source }) => source],
    event: ['text', ({ sourceEventId }) => sourceEventId],
    occurred_at: ['float8', ({ occurredAt }) => occurredAt],
    acknowledged_at: ['float8', ({ acknowledgedAt }) => acknowledgedAt],
  },
  writes: (rows, guard) => ({
    entries: `
    INSERT INTO ledger (sku_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source, source_event_id, occurred_at, recorded_at, acknowledged_at)
    SELECT x.sku, x.version, x.ordinal, x.node, x.from_state, x.to_state, x.quantity, x.reason, x.source, x.event,
           ${time('x.occurred_at')}, ${NOW}, ${time('x.acknowledged_at')}
      FROM ${rows} WHERE ${guard}`,
  }),
});

const lateNotes = part({
  rows: ({ writes }: Batch) => writes.lateNotes,
  columns: {
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ node }) => node],
    kind: ['text', ({ kind }) => kind],
    quantity: ['bigint', ({ quantity }) => quantity],
    source: ['text', ({ source }) => source],
    event: ['text', ({ sourceEventId }) => sourceEventId],
    occurred_at: ['float8', ({ occurredAt }) => occurredAt],
    counted_at: ['float8', ({ count }) => count.capturedAt],
    counted_by: ['text', ({ count }) => count.source],
  },
  writes: (rows, guard) => ({
    late: `
    INSERT INTO late_note (sku_key, node_key, kind, quantity, source, source_event_id, occurred_at, counted_at, counted_by, recorded_at)
    SELECT x.sku, x.node, x.kind, x.quantity, x.source, x.event, ${time('x.occurred_at')}, ${time('x.counted_at')}, x.counted_by, ${NOW}
      FROM ${rows} WHERE ${guard}`,
  }),
});

const tasks = part({
  rows: ({ writes }: Batch) => [...writes.rebackTasks],
  columns: { sku: ['int', ([sku]) => sku], before_key: ['bigint', ([, beforeKey]) => beforeKey] },
  writes: (rows, guard) => ({
    tasks: `
    INSERT INTO reback_task (sku_key, due_at, before_key)
    SELECT x.sku, clock_timestamp(), x.before_key FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(reback_task.due_at, excluded.due_at), before_key = excluded.before_key`,
  }),
});

const healed = part({
  rows: ({ writes }: Batch) => writes.healed.filter((sku) => !writes.rebackTasks.has(sku)),
  columns: { sku: ['int', (sku) => sku] },
  writes: (rows, guard) => ({
    healed: `DELETE FROM reback_task WHERE sku_key = ANY(ARRAY(SELECT x.sku FROM ${rows} WHERE ${guard}))`,
  }),
});

const outboxColumns = Object.keys(OUTBOX_COLUMNS) as (keyof typeof OUTBOX_COLUMNS)[];

/** Takes its ids last, when all that the facts tell of is locked. */
const outbox = (schema: string): Part<Batch> => ({
  ...part({
    rows: ({ facts }: Batch) => facts,
    columns: Object.fromEntries(outboxColumns.map((column) => [column, [OUTBOX_COLUMNS[column], () => null]] as const)),
    writes: (rows, guard) => ({ facts: outboxInsertFrom(schema, rows, guard) }),
  }),
  valuesOf: ({ facts, partitionCount }) => (facts.length === 0 ? null : outboxParameters(facts, partitionCount)),
});

/** Every part of a batch. */
export const partsOf = (schema: string): readonly Part<Batch>[] => [
  gates,
  stockRows,
  changedReservations,
  newReservations,
  holds,
  changedBackings,
  ledger,
  lateNotes,
  tasks,
  healed,
  outbox(schema),
];
