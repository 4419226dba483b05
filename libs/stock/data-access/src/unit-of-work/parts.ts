/** The tables that a batch writes, a part each. Inserts and upserts by key: no plan of theirs depends on a table's size. */
import { ACCOUNTS, STAGES, STATE_ACCOUNTS, type SupplyRow, unitsOf } from '@onepool/stock-domain';
import { type FactEvent, OUTBOX_COLUMNS, outboxInsertFrom, outboxParameters } from '@onepool/platform-messaging';
import { kindCode, setExcluded, stateColumns } from '../stock-columns.ts';
import { changedBackings, holds, newBackings } from './backing-parts.ts';
import { judgedInspections, newInspections } from './inspection-parts.ts';
import { NOW, type Part, type PartOf, part, time } from './part.ts';
import {
  amendedReservations,
  changedReservations,
  newReservations,
  newSpecialReservations,
} from './reservation-parts.ts';
import { drainTasks, drained, tendTasks, tended } from './task-parts.ts';
import { takenEvents, toldEffects, toldTotals } from './told-parts.ts';
import type { Writes } from '../decision/batch-writes.ts';

/** What is written: what was decided, and the facts that tell of it. */
export interface Batch {
  readonly writes: Writes;
  readonly facts: readonly FactEvent[];
  readonly partitionCount: number;
}

const ACCOUNT_CODE = new Map(ACCOUNTS.map((account, code) => [account, code]));
const unitsAt =
  (place: number) =>
  ({ row }: { readonly row: SupplyRow }): number | undefined =>
    unitsOf(row)[place];

const gates = part({
  rows: ({ writes }: Batch) => writes.changedSkus,
  columns: { sku: ['int', ({ sku }) => sku], version: ['bigint', ({ version }) => version] },
  writes: (rows, guard) => ({
    gates: `
    INSERT INTO sku_gate (sku_key, version) SELECT x.sku, x.version FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET version = excluded.version`,
  }),
});

/** Rows of which units were held or came free, and nothing else: that is nearly all of them, and half as dear as an upsert. */
const promisedRows = part({
  rows: ({ writes }: Batch) => writes.promisedRows.filter(({ key }) => !writes.deletedRows.has(key)),
  columns: {
    key: ['bigint', ({ key }) => key],
    available: ['bigint', ({ available }) => available],
    reserved: ['bigint', ({ reserved }) => reserved],
  },
  writes: (rows, guard) => ({
    promised_rows: `
    UPDATE supply s SET available = found.available, reserved = found.reserved
      FROM (SELECT t.place, x.available, x.reserved FROM ${rows} CROSS JOIN LATERAL
              (SELECT ctid AS place FROM supply WHERE supply_key = x.key OFFSET 0) t WHERE ${guard}) found
     WHERE s.ctid = found.place`,
  }),
});

const otherRows = part({
  rows: ({ writes }: Batch) => writes.otherRows.filter(({ row }) => !writes.deletedRows.has(row.key)),
  columns: {
    key: ['bigint', ({ row }) => row.key],
    detail: ['bigint', ({ row }) => row.detail],
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ row }) => row.node],
    kind: ['smallint', ({ row }) => kindCode(row.kind)],
    ...Object.fromEntries(STATE_ACCOUNTS.map((state, place) => [state, ['bigint', unitsAt(place)] as const])),
  },
  writes: (rows, guard) => ({
    other_rows: `
    INSERT INTO supply (supply_key, detail_key, sku_key, node_key, kind, ${stateColumns()})
    SELECT x.key, x.detail, x.sku, x.node, x.kind, ${stateColumns((state) => `x.${state}`)} FROM ${rows} WHERE ${guard}
    ON CONFLICT (supply_key) DO UPDATE SET ${setExcluded()}`,
  }),
});

const deletedRows = part({
  rows: ({ writes }: Batch) => [...writes.deletedRows],
  columns: { key: ['bigint', (key) => key] },
  writes: (rows, guard) => ({
    deleted_rows: `DELETE FROM supply WHERE supply_key = ANY(ARRAY(SELECT x.key FROM ${rows} WHERE ${guard}))`,
  }),
});

const inboundLines = part({
  rows: ({ writes }: Batch) => [...writes.inboundLines],
  columns: {
    detail: ['bigint', ([detail]) => detail],
    expected: ['bigint', ([, { expected }]) => expected],
    received: ['bigint', ([, { received }]) => received],
    lost: ['bigint', ([, { lost }]) => lost],
    supply: ['bigint', ([, { supplyKey }]) => supplyKey],
    due_at: ['float8', ([, { dueAt }]) => dueAt],
    closed_at: ['float8', ([, { closedAt }]) => closedAt],
    is_open: ['smallint', ([, { isOpen }]) => Number(isOpen)],
  },
  writes: (rows, guard) => ({
    inbound_lines: `
    UPDATE inbound_line l SET expected = x.expected, received = x.received, lost = x.lost, is_open = x.is_open = 1, supply_key = x.supply,
           is_late = l.is_late AND l.due_at IS NOT DISTINCT FROM ${time('x.due_at')}, due_at = ${time('x.due_at')}, closed_at = ${time('x.closed_at')}
      FROM ${rows} WHERE l.detail_key = x.detail AND ${guard}`,
  }),
});

/** What is said of lines of which nothing else is written: that nobody has to load them any more, or that they are late. */
const lineMarks = part({
  rows: ({ writes }: Batch) => [
    ...[...writes.spentLines].map((detail) => ({ detail, isSpent: true })),
    ...writes.lateLines.map((detail) => ({ detail, isSpent: false })),
  ],
  columns: { detail: ['bigint', ({ detail }) => detail], is_spent: ['smallint', ({ isSpent }) => Number(isSpent)] },
  writes: (rows, guard) => ({
    line_marks: `
    UPDATE inbound_line l SET is_open = l.is_open AND x.is_spent = 0, is_late = l.is_late OR x.is_spent = 0
      FROM ${rows} WHERE l.detail_key = x.detail AND ${guard}`,
  }),
});

const fenceUses = part({
  rows: ({ writes }: Batch) => writes.fenceUses,
  columns: {
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ node }) => node],
    fence: ['int', ({ fence }) => fence],
    used: ['bigint', ({ used }) => used],
  },
  writes: (rows, guard) => ({
    fence_uses: `
    INSERT INTO fence_use (sku_key, node_key, fence_key, used)
    SELECT x.sku, x.node, x.fence, x.used FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key, node_key, fence_key) DO UPDATE SET used = excluded.used`,
  }),
});

const stopPlace = {
  sku: ['int', ({ sku }) => sku],
  node: ['int', ({ stop }) => stop.node ?? 0],
  channel: ['int', ({ stop }) => stop.channel ?? 0],
} as const satisfies PartOf<Batch, Writes['setStops'][number]>['columns'];

const setStops = part({
  rows: ({ writes }: Batch) => writes.setStops,
  columns: {
    ...stopPlace,
    drains: ['smallint', ({ stop }) => Number(stop.drains)],
    until: ['float8', ({ stop }) => stop.until],
  },
  writes: (rows, guard) => ({
    set_stops: `
    INSERT INTO sku_stop (sku_key, node_key, channel_key, drains, since, until)
    SELECT x.sku, x.node, x.channel, x.drains = 1, ${NOW}, ${time('x.until')} FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key, node_key, channel_key) DO UPDATE SET drains = excluded.drains, since = excluded.since, until = excluded.until`,
  }),
});

const liftedStops = part({
  rows: ({ writes }: Batch) => writes.liftedStops,
  columns: stopPlace,
  writes: (rows, guard) => ({
    lifted_stops: `
    DELETE FROM sku_stop s USING ${rows}
     WHERE s.sku_key = x.sku AND s.node_key = x.node AND s.channel_key = x.channel AND ${guard}`,
  }),
});

const stageEntries = part({
  rows: ({ writes }: Batch) => writes.stageEntries,
  columns: {
    sku: ['int', ({ sku }) => sku],
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    version: ['int', ({ version }) => version],
    supply: ['bigint', ({ supplyKey }) => supplyKey],
    no: ['smallint', ({ no }) => no],
    stage: ['smallint', ({ stage }) => STAGES.indexOf(stage) + 1],
    units: ['int', ({ units }) => units],
    occurred_at: ['float8', ({ occurredAt }) => occurredAt],
  },
  writes: (rows, guard) => ({
    stages: `
    INSERT INTO stage_entry (sku_key, reservation_version, reservation_key, supply_key, occurred_at, recorded_at, units, backing_no, stage)
    SELECT x.sku, x.version, x.reservation, x.supply, ${time('x.occurred_at')}, ${NOW}, x.units, x.no, x.stage FROM ${rows} WHERE ${guard}`,
  }),
});

const ledger = part({
  rows: ({ writes }: Batch) => writes.ledger,
  columns: {
    sku: ['int', ({ sku }) => sku],
    version: ['bigint', ({ version }) => version],
    ordinal: ['int', ({ ordinal }) => ordinal],
    supply: ['bigint', ({ supplyKey }) => supplyKey],
    node: ['int', ({ at }) => at.node],
    from_state: ['smallint', ({ from }) => ACCOUNT_CODE.get(from)],
    to_state: ['smallint', ({ to }) => ACCOUNT_CODE.get(to)],
    quantity: ['bigint', ({ quantity }) => quantity],
    reason: ['text', ({ reason }) => reason],
    source: ['int', ({ source }) => source],
    event: ['text', ({ sourceEventId }) => sourceEventId],
    occurred_at: ['float8', ({ occurredAt }) => occurredAt],
  },
  writes: (rows, guard) => ({
    entries: `
    INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key, source_event_id)
    SELECT x.sku, x.ordinal, x.version, x.supply, x.quantity, ${time('x.occurred_at')}, ${NOW}, x.node, x.from_state, x.to_state, x.reason, x.source, x.event
      FROM ${rows} WHERE ${guard}`,
  }),
});

const lateNotes = part({
  rows: ({ writes }: Batch) => writes.lateNotes,
  columns: {
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ node }) => node],
    kind: ['text', ({ kind }) => kind],
    state: ['text', ({ state }) => state],
    quantity: ['bigint', ({ quantity }) => quantity],
    source: ['int', ({ source }) => source],
    event: ['text', ({ sourceEventId }) => sourceEventId],
    occurred_at: ['float8', ({ occurredAt }) => occurredAt],
    counted_at: ['float8', ({ count }) => count.capturedAt],
    counted_by: ['text', ({ count }) => count.source],
  },
  writes: (rows, guard) => ({
    late: `
    INSERT INTO late_note (sku_key, node_key, kind, state, quantity, source_key, source_event_id, occurred_at, counted_at, counted_by, recorded_at)
    SELECT x.sku, x.node, x.kind, x.state, x.quantity, x.source, x.event, ${time('x.occurred_at')}, ${time('x.counted_at')}, x.counted_by, ${NOW}
      FROM ${rows} WHERE ${guard}`,
  }),
});

const outboxColumns = Object.keys(OUTBOX_COLUMNS) as (keyof typeof OUTBOX_COLUMNS)[];

/** Takes its ids when all that the facts tell of is locked, and before the other parts write: PostgreSQL runs them last to first. */
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
  promisedRows,
  otherRows,
  deletedRows,
  inboundLines,
  lineMarks,
  newInspections,
  judgedInspections,
  fenceUses,
  setStops,
  liftedStops,
  changedReservations,
  amendedReservations,
  newReservations,
  newSpecialReservations,
  holds,
  newBackings,
  changedBackings,
  stageEntries,
  toldEffects,
  toldTotals,
  takenEvents,
  ledger,
  lateNotes,
  tendTasks,
  tended,
  drainTasks,
  drained,
  outbox(schema),
];
