/** The tables that a batch writes, a part each. Inserts and upserts by key: no plan of theirs depends on a table's size. */
import {
  ACCOUNTS,
  type Reservation,
  STAGES,
  STATE_ACCOUNTS,
  type SkuKey,
  type SupplyRow,
  readToldKey,
  unitsOf,
} from '@onepool/stock-domain';
import { type FactEvent, OUTBOX_COLUMNS, outboxInsertFrom, outboxParameters } from '@onepool/platform-messaging';
import { kindCode, setExcluded, stateColumns } from '../stock-columns.ts';
import { changedBackings, holds, newBackings } from './backing-parts.ts';
import { judgedInspections, newInspections } from './inspection-parts.ts';
import { NOW, type Part, type PartOf, part, time } from './part.ts';
import { type AmendedLineTuple, tenthsOf } from '../repository/stored-reservations.ts';
import { HAND_OVER } from '../repository/told.ts';
import type { NewReservation, Writes } from '../decision/batch-writes.ts';

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

/** By the place of the locked row, which nobody else can move: a join by key would be planned by the table's size. */
const changedReservations = part({
  rows: ({ writes }: Batch) =>
    [...writes.changedReservations.values()].filter(({ key }) => !writes.amendedReservations.has(key)),
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

const ofNew = {
  key: ['bigint', ({ key }) => key],
  owner: ['text', ({ owner }) => owner],
  id: ['text', ({ id }) => id],
  body_hash: ['bytea', ({ bodyHash }) => bodyHash],
  channel: ['int', ({ channel }) => channel],
  expires_at: ['float8', ({ expiresAt }) => expiresAt],
  lines: ['json', ({ lines }) => JSON.stringify(lines)],
  actor: ['text', ({ actor, owner }) => (actor === owner ? null : actor)],
  person: ['text', ({ person }) => person],
} as const satisfies PartOf<Batch, NewReservation>['columns'];

/** What most holds do not have. */
const ofFew = {
  customer_reference: ['text', ({ customerReference }) => customerReference],
  tombstone_by: ['text', ({ isTombstone, actor }) => (isTombstone ? actor : null)],
  priority: ['smallint', ({ priority }) => priority || null],
  destination_lat: ['smallint', ({ destination }) => destination && tenthsOf(destination.lat)],
  destination_lng: ['smallint', ({ destination }) => destination && tenthsOf(destination.lng)],
} as const satisfies PartOf<Batch, NewReservation>['columns'];

const isPlain = ({ customerReference, isTombstone, priority, destination }: NewReservation): boolean =>
  customerReference === null && !isTombstone && priority === 0 && destination === null;

/** All new ones of a batch in one statement, since their keys are taken in order; without the columns that none of them has. */
const insertReservations = (more: readonly string[]) => (rows: string, guard: string) => ({
  created: `
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines, actor, person${more.map((column) => `, ${column}`).join('')})
    SELECT x.key, x.owner, x.id, x.body_hash, x.channel, 1, ${NOW}, ${time('x.expires_at')}, ${time('x.expires_at')}, x.lines, x.actor, x.person${more.map((column) => `, x.${column}`).join('')}
      FROM ${rows} WHERE ${guard} ORDER BY x.owner, x.id`,
});

const newReservations = part({
  rows: ({ writes }: Batch) => (writes.newReservations.every(isPlain) ? writes.newReservations : []),
  columns: ofNew,
  writes: insertReservations([]),
});

const newSpecialReservations = part({
  rows: ({ writes }: Batch) => (writes.newReservations.every(isPlain) ? [] : writes.newReservations),
  columns: { ...ofNew, ...ofFew },
  writes: insertReservations(Object.keys(ofFew)),
});

const amendedLines = ({ lines }: Reservation): string =>
  JSON.stringify(
    lines.map(({ no, id, sku, added, withdrawn, nodes }): AmendedLineTuple => [no, id, sku, added, withdrawn, nodes]),
  );

const amendedReservations = part({
  rows: ({ writes }: Batch) => [...writes.amendedReservations.values()],
  columns: {
    key: ['bigint', ({ reservation }) => reservation.key],
    channel: ['int', ({ reservation }) => reservation.channel],
    channel_before: ['int', ({ channelBefore }) => channelBefore],
    amended: ['json', ({ reservation, isAmended }) => (isAmended ? amendedLines(reservation) : null)],
    controller_actor: ['text', ({ reservation }) => reservation.controller?.actor ?? null],
    controller_order: ['text', ({ reservation }) => reservation.controller?.order ?? null],
    ordered_at: ['float8', ({ reservation }) => reservation.orderedAt],
    priority: ['smallint', ({ reservation }) => reservation.priority || null],
    destination_lat: ['smallint', ({ reservation: { destination } }) => destination && tenthsOf(destination.lat)],
    destination_lng: ['smallint', ({ reservation: { destination } }) => destination && tenthsOf(destination.lng)],
    version: ['int', ({ reservation }) => reservation.version],
    expires_at: ['float8', ({ reservation }) => reservation.expiresAt],
  },
  writes: (rows, guard) => ({
    amended: `
    UPDATE reservation r SET version = found.version, expires_at = ${time('found.expires_at')},
           channel_key = found.channel, amended = found.amended, ordered_at = ${time('found.ordered_at')},
           first_channel_key = coalesce(first_channel_key, CASE WHEN found.channel <> found.channel_before THEN found.channel_before END),
           controller_actor = found.controller_actor, controller_order = found.controller_order, priority = found.priority,
           destination_lat = found.destination_lat, destination_lng = found.destination_lng
      FROM (SELECT t.place, x.* FROM ${rows} CROSS JOIN LATERAL
              (SELECT ctid AS place FROM reservation WHERE reservation_key = x.key OFFSET 0) t WHERE ${guard}) found
     WHERE r.ctid = found.place`,
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

const toldRows = ({ writes }: Batch) =>
  [...writes.told].flatMap(([reservationKey, book]) =>
    [...book].map(([key, told]) => ({ reservationKey, ...readToldKey(key), told })),
  );

const toldEffects = part({
  rows: toldRows,
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    subject: ['text', ({ fulfilment }) => fulfilment],
    sku: ['int', ({ sku }) => sku],
    effect: ['bigint', ({ told }) => told.effect],
    plain: ['bigint', ({ told }) => told.plain],
    undone: ['bigint', ({ told }) => told.undone],
  },
  writes: (rows, guard) => ({
    told_effects: `
    INSERT INTO told_effect (what, reservation_key, subject, sku_key, effect, plain, undone)
    SELECT ${HAND_OVER}, x.reservation, x.subject, x.sku, x.effect, x.plain, x.undone FROM ${rows} WHERE ${guard}
    ON CONFLICT (what, reservation_key, subject, sku_key) DO UPDATE SET
      effect = excluded.effect, plain = excluded.plain, undone = excluded.undone`,
  }),
});

const toldTotals = part({
  rows: (batch: Batch) =>
    toldRows(batch).flatMap(({ told, ...row }) =>
      [...told.totals].map(([source, total]) => ({ ...row, source: Number(source), total })),
    ),
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    subject: ['text', ({ fulfilment }) => fulfilment],
    sku: ['int', ({ sku }) => sku],
    source: ['int', ({ source }) => source],
    total: ['bigint', ({ total }) => total],
  },
  writes: (rows, guard) => ({
    told_totals: `
    INSERT INTO told (what, reservation_key, subject, sku_key, source_key, total)
    SELECT ${HAND_OVER}, x.reservation, x.subject, x.sku, x.source, x.total FROM ${rows} WHERE ${guard}
    ON CONFLICT (what, reservation_key, subject, sku_key, source_key) DO UPDATE SET total = excluded.total`,
  }),
});

/** One that another replica has taken meanwhile fails as keys of commands do, and is then found to be taken. */
const takenEvents = part({
  rows: ({ writes }: Batch) => writes.takenEvents,
  columns: {
    source: ['int', ({ source }) => source],
    id: ['text', ({ id }) => id],
    actor: ['text', ({ command }) => command.actor],
    command: ['text', ({ command }) => command.id],
  },
  writes: (rows, guard) => ({
    taken_events: `
    INSERT INTO source_event (source_key, event_id, actor, command_id, recorded_at)
    SELECT x.source, x.id, x.actor, x.command, ${NOW} FROM ${rows} WHERE ${guard} ORDER BY x.source, x.id`,
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

/** Jobs make tasks without gates, in this order: whoever makes them in another one might wait crosswise. */
const bySku = <T>(tasks: readonly (readonly [SkuKey, T])[]): readonly (readonly [SkuKey, T])[] =>
  tasks.toSorted(([a], [b]) => a - b);

/** Where a task stands only its gate may change, so that what is read of it here is so still when it is written. */
const tendTasks = part({
  rows: ({ writes }: Batch) => bySku([...writes.tendTasks]),
  columns: {
    sku: ['int', ([sku]) => sku],
    says_below: ['smallint', ([, { below }]) => Number(below !== undefined)],
    below: ['bigint', ([, { below }]) => below],
    says_after: ['smallint', ([, { after }]) => Number(after !== undefined)],
    after_rank: ['bigint', ([, { after }]) => after?.rank],
    after_reservation: ['bigint', ([, { after }]) => after?.reservation],
    offers: ['smallint', ([, { offers }]) => offers],
  },
  writes: (rows, guard) => ({
    tend_tasks: `
    INSERT INTO sku_task (sku_key, due_at, before_key, after_rank, after_reservation, offers)
    SELECT x.sku, clock_timestamp(), CASE WHEN x.says_below = 1 THEN x.below ELSE t.before_key END,
           CASE WHEN x.says_after = 1 THEN x.after_rank ELSE t.after_rank END,
           CASE WHEN x.says_after = 1 THEN x.after_reservation ELSE t.after_reservation END, coalesce(x.offers, t.offers, 0)
      FROM ${rows} LEFT JOIN LATERAL (SELECT * FROM sku_task WHERE sku_key = x.sku OFFSET 0) t ON true WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(sku_task.due_at, excluded.due_at), before_key = excluded.before_key,
      after_rank = excluded.after_rank, after_reservation = excluded.after_reservation, offers = excluded.offers`,
  }),
});

const tended = part({
  rows: ({ writes }: Batch) => writes.tended.filter((sku) => !writes.tendTasks.has(sku)),
  columns: { sku: ['int', (sku) => sku] },
  writes: (rows, guard) => ({
    tended: `DELETE FROM sku_task WHERE sku_key = ANY(ARRAY(SELECT x.sku FROM ${rows} WHERE ${guard}))`,
  }),
});

const drainTasks = part({
  rows: ({ writes }: Batch) => bySku([...writes.drainTasks]),
  columns: { sku: ['int', ([sku]) => sku], before_key: ['bigint', ([, beforeKey]) => beforeKey] },
  writes: (rows, guard) => ({
    drain_tasks: `
    INSERT INTO drain_task (sku_key, due_at, before_key)
    SELECT x.sku, clock_timestamp(), x.before_key FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(drain_task.due_at, excluded.due_at), before_key = excluded.before_key`,
  }),
});

const drained = part({
  rows: ({ writes }: Batch) => writes.drained.filter((sku) => !writes.drainTasks.has(sku)),
  columns: { sku: ['int', (sku) => sku] },
  writes: (rows, guard) => ({
    drained: `DELETE FROM drain_task WHERE sku_key = ANY(ARRAY(SELECT x.sku FROM ${rows} WHERE ${guard}))`,
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
