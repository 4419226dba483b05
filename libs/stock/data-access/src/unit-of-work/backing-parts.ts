/**
 * How a batch writes backings: those of new holds, other new ones, and those that were there. Nothing can be in conflict with a new backing,
 * which makes it half as dear as an upsert; what was there is found by the key of its row.
 */
import { ACCOUNTS, type Backing, STAGES, TALLIES } from '@onepool/stock-domain';
import type { BackingWrite, Writes } from '../decision/batch-writes.ts';
import { kindCode } from '../stock-columns.ts';
import { NOW, type PartOf, part, time } from './part.ts';

interface Backings {
  readonly writes: Pick<Writes, 'holds' | 'changedBackings'>;
}

const HOLD = { from: ACCOUNTS.indexOf('available'), to: ACCOUNTS.indexOf('reserved'), reason: 'hold' };

/**
 * What each new hold takes: its backing, and the ledger's entry, which says the same in other words.
 */
export const holds = part({
  rows: ({ writes }: Backings) => writes.holds,
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    supply: ['bigint', ({ supplyKey }) => supplyKey],
    source: ['int', ({ source }) => source],
    id: ['text', ({ id }) => id],
    sku: ['int', ({ sku }) => sku],
    version: ['bigint', ({ version }) => version],
    ordinal: ['int', ({ ordinal }) => ordinal],
    node: ['int', ({ node }) => node],
    no: ['smallint', ({ no }) => no],
    line: ['smallint', ({ line }) => line],
    units: ['int', ({ units }) => units],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
  },
  writes: (rows, guard) => ({
    new_backings: `
    INSERT INTO backing (reservation_key, supply_key, expires_at, sku_key, node_key, backing_no, line, held, confirmed, fulfilled, released, expired, cancelled, broken)
    SELECT x.reservation, x.supply, ${time('x.expires_at')}, x.sku, x.node, x.no, x.line, x.units, 0, 0, 0, 0, 0, 0 FROM ${rows} WHERE ${guard}`,
    hold_entries: `
    INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key, source_event_id)
    SELECT x.sku, x.ordinal, x.version, x.supply, x.units, ${NOW}, ${NOW}, x.node, ${HOLD.from}, ${HOLD.to}, '${HOLD.reason}', x.source, x.id
      FROM ${rows} WHERE ${guard}`,
  }),
});

type Columns = PartOf<Backings, BackingWrite>['columns'];

/** Of a backing without stages nothing is written there. */
const stagesOf = ({ accepted }: Backing, units: number): number | null => (accepted === 0 ? null : units);

const named: Columns = {
  reservation: ['bigint', ({ reservationKey }) => reservationKey],
  supply: ['bigint', ({ supplyKey }) => supplyKey],
  no: ['smallint', ({ backing }) => backing.no],
  line: ['smallint', ({ backing }) => backing.line],
};

/** What verbs change. */
const units: Columns = {
  ...Object.fromEntries(
    TALLIES.map((tally) => [tally, ['int', ({ backing }: BackingWrite) => backing[tally]] as const]),
  ),
  ...Object.fromEntries(
    STAGES.map((stage) => [stage, ['int', ({ backing }: BackingWrite) => stagesOf(backing, backing[stage])] as const]),
  ),
  fence_key: ['int', ({ backing }) => backing.fence],
  fenced: ['int', ({ backing }) => (backing.fence === null ? null : backing.fenced)],
  wait_rank: ['bigint', ({ waitRank = null }) => waitRank],
};
const UNITS = Object.keys(units);

const expiry: Columns = { expires_at: ['float8', ({ expiresAt }) => expiresAt] };
/** Only what is held runs out. */
const expiresAt = (row: string): string =>
  `CASE WHEN ${row}.held > 0 THEN ${time(`${row}.expires_at`)} ELSE 'infinity' END`;

export const newBackings = part({
  rows: ({ writes }: Backings) => [...writes.changedBackings.values()].filter(({ isNew }) => isNew),
  columns: {
    ...named,
    sku: ['int', ({ backing }) => backing.sku],
    node: ['int', ({ backing }) => backing.node],
    kind: ['smallint', ({ backing: { kind } }) => (kind === 'unbacked' ? 0 : kindCode(kind))],
    detail: ['bigint', ({ backing }) => backing.detail || null],
    fulfilment: ['text', ({ backing }) => backing.fulfilment],
    ...expiry,
    ...units,
  },
  writes: (rows, guard) => ({
    other_new_backings: `
    INSERT INTO backing (reservation_key, supply_key, expires_at, sku_key, node_key, backing_no, line, kind, detail_key, fulfilment, ${UNITS.join(', ')})
    SELECT x.reservation, x.supply, ${expiresAt('x')}, x.sku, x.node, x.no, x.line, x.kind, x.detail, x.fulfilment,
           ${UNITS.map((column) => `x.${column}`).join(', ')}
      FROM ${rows} WHERE ${guard}`,
  }),
});

export const changedBackings = part({
  rows: ({ writes }: Backings) => [...writes.changedBackings.values()].filter(({ isNew }) => !isNew),
  columns: { ...named, ...expiry, ...units },
  writes: (rows, guard) => ({
    changed_backings: `
    UPDATE backing b SET expires_at = ${expiresAt('found')}, ${UNITS.map((column) => `${column} = found.${column}`).join(', ')}
      FROM (SELECT t.place, x.* FROM ${rows} CROSS JOIN LATERAL (
              SELECT ctid AS place FROM backing
               WHERE reservation_key = x.reservation AND supply_key = x.supply AND line = x.line AND backing_no = x.no
               UNION ALL
              SELECT ctid FROM backing
               WHERE x.supply IS NULL AND reservation_key = x.reservation AND supply_key IS NULL AND line = x.line AND backing_no = x.no) t
             WHERE ${guard}) found
     WHERE b.ctid = found.place`,
  }),
});
