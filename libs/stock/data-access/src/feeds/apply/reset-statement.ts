/**
 * One chunk of a reset as one statement: what the rows come to, and everything that follows from it. The caller holds
 * the gates of the chunk's SKUs, and the feed's row.
 */
import { SKU_CHANGED } from '@onepool/contracts';
import { variant } from '@onepool/platform-failpoints';
import { factIdSql } from '@onepool/platform-messaging';
import { ACCOUNTS, type Account, STAGES, type Stage } from '@onepool/stock-domain';
import { RECORDED_BEFORE_OCCURRED_MAX_MS } from '../../requests/event-times.ts';
import { FACT_SOURCE } from '../../unit-of-work/facts.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import { countedSql } from './counted-rows.ts';
import { rowJson, setExcluded, stateColumns } from '../../stock-columns.ts';
import { MOVED_STATES, movedColumn, movedSql, transfersSql } from './row-arithmetic.ts';
import { stageOf } from '../../sources/source-book.ts';
import { BLOCK_BITS, BLOCK_MASK, OF_TOTALS } from '../../repository/watermarks.ts';

const codes = (...accounts: readonly Account[]): string => accounts.map((one) => ACCOUNTS.indexOf(one)).join(', ');
const EXTERNAL = codes('external');
const EXPECTED = codes('expected');
/** What is there and not for sale until somebody has looked at it, or for good. */
const SIDELINED = codes('damaged', 'quality_control');
const BLOCK_SIZE = 1 << BLOCK_BITS;
const time = (milliseconds: string): string => `to_timestamp((${milliseconds}) / 1000.0)`;

/**
 * Units that the other system had deducted at the capture: those past its stage now, less those that have come past it since, and
 * with those that have left it since, however they ended.
 */
const acknowledgedSql = (stage: Stage): string => `
  open_promises AS (
    SELECT f.sku_key, f.node_key, sum(b.${stage})::bigint AS units
      FROM backing b JOIN fresh f USING (sku_key, node_key)
     WHERE b.sku_key = ANY($4::int[]) AND b.held + b.confirmed > 0 AND b.kind = 0 AND b.${stage} > 0 GROUP BY 1, 2),
  later_stages AS (
    SELECT f.sku_key, f.node_key, sum(-e.units)::bigint AS units
      FROM stage_entry e JOIN supply s USING (supply_key)
      JOIN fresh f ON f.sku_key = s.sku_key AND f.node_key = s.node_key AND e.occurred_at > ${time('f.at_ms')}
     WHERE e.sku_key = ANY($4::int[]) AND e.occurred_at > ${time('$8::bigint')}
       AND e.recorded_at > ${time(`$8::bigint - ${RECORDED_BEFORE_OCCURRED_MAX_MS}`)}
       AND e.stage = ${STAGES.indexOf(stage) + 1} AND s.kind = 0
     GROUP BY 1, 2),`;

/** `dense` chunks name most SKUs between their ends, so that reading everything between costs less than looking each up. */
export type Density = 'dense' | 'sparse';

/**
 * Parameters: 1 feed key, 2 and 3 the range of SKU keys (from exclusive), 4–6 its SKUs' keys, codes and partitions, 7 how
 * many rows there are, 8 the earliest time of one (ms), 9 source key, 10 feed id, 11 trace, 12 lease in seconds, 13 its SKUs' fact keys, 14 the source's name as JSON,
 * and those of {@link countedSql}. Answers how many rows were applied; nothing, and nothing is done, if the feed is not where the range begins.
 *
 * Most rows of most counts are as the book has them. Such a row is read, judged and compared, and marked as counted;
 * whatever costs more is only done with rows that differ.
 */
export function resetStatement(feed: FeedRecord, density: Density): string {
  const isAvailability = feed.measure === 'availability';
  const beside = isAvailability
    ? `+ coalesce(o.units, 0) + coalesce(p.units, 0) + coalesce(b.damaged, 0) + coalesce(b.quality_control, 0) - coalesce(d.sidelined, 0)`
    : '';
  const joins = isAvailability
    ? `LEFT JOIN open_promises o USING (sku_key, node_key) LEFT JOIN later_stages p USING (sku_key, node_key)`
    : '';
  const inChunk = density === 'dense' ? 'sku_key > $2::int AND sku_key <= $3::int' : 'sku_key = ANY($4::int[])';
  const after = variant('stock.reset_counts_its_instant_twice') ? '>=' : '>';
  // Of changes of state a physical count knows nothing, and of units that are on their way no count does.
  const isEvent = (state: string): string => `${state} IN (${isAvailability ? `${EXTERNAL}, ${SIDELINED}` : EXTERNAL})`;
  const isThere = isAvailability ? `AND ${EXPECTED} NOT IN (l.from_state, l.to_state)` : '';
  return `WITH
  clock AS MATERIALIZED (
    SELECT now, to_char(now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS iso
      FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS now) one),
  given AS NOT MATERIALIZED (
    SELECT line, sku_key, node_key, quantity, at_ms, record_id
      FROM ${stageTableOf(feed)}
     WHERE sku_key > $2::int AND sku_key <= $3::int ${feed.has_states ? 'AND state IS NULL' : ''}
       AND EXISTS (SELECT FROM feed WHERE feed_key = $1 AND state = 'applying' AND cursor = $2)),
  ${JUDGED},
  events AS MATERIALIZED (
    SELECT l.sku_key, l.node_key, l.occurred_at, l.from_state, l.to_state, l.quantity
      FROM ledger l
     WHERE l.sku_key = ANY($4::int[]) AND l.occurred_at ${after} ${time('$8::bigint')}
       AND l.recorded_at > ${time(`$8::bigint - ${RECORDED_BEFORE_OCCURRED_MAX_MS}`)}
       AND (${isEvent('l.from_state')} OR ${isEvent('l.to_state')}) ${isThere}),
  deltas AS (
    SELECT f.sku_key, f.node_key,
           sum(CASE WHEN e.from_state = ${EXTERNAL} THEN e.quantity WHEN e.to_state = ${EXTERNAL} THEN -e.quantity ELSE 0 END)::bigint AS units,
           sum(((e.to_state IN (${SIDELINED}))::int - (e.from_state IN (${SIDELINED}))::int) * e.quantity)::bigint AS sidelined
      FROM events e JOIN fresh f ON f.sku_key = e.sku_key AND f.node_key = e.node_key AND e.occurred_at ${after} ${time('f.at_ms')} GROUP BY 1, 2),
  ${isAvailability ? acknowledgedSql(stageOf(feed.deducts_at) ?? 'accepted') : ''}
  book AS NOT MATERIALIZED (
    SELECT supply_key, sku_key, node_key, ${stateColumns()}, net FROM stock WHERE ${inChunk}),
  decided AS MATERIALIZED (
    SELECT * FROM (
      SELECT b.supply_key, f.sku_key, f.node_key, f.at_ms, f.record_id, ${stateColumns((state) => `coalesce(b.${state}, 0) AS ${state}`)},
             f.quantity ${beside} + coalesce(d.units, 0) - coalesce(b.net, 0) AS difference
        FROM fresh f LEFT JOIN book b USING (sku_key, node_key)
        LEFT JOIN deltas d USING (sku_key, node_key) ${joins}) compared
     WHERE difference <> 0),
  waited AS MATERIALIZED (
    SELECT sku_key FROM supply WHERE sku_key = ANY($4::int[]) AND kind <> 0 AND committed + reserved > 0),
  judged AS NOT MATERIALIZED (SELECT *, sku_key IN (SELECT sku_key FROM waited) AS is_waited_for FROM decided),
  moved AS MATERIALIZED (SELECT m.*, coalesce(supply_key, nextval('supply_key')) AS row_key FROM (${movedSql('judged')}) m),
  gates AS (
    INSERT INTO sku_gate AS g (sku_key, version)
    SELECT DISTINCT sku_key, 1 FROM moved
    ON CONFLICT (sku_key) DO UPDATE SET version = g.version + 1 RETURNING g.sku_key, g.version),
  rows_written AS (
    INSERT INTO supply AS s (supply_key, sku_key, node_key, ${stateColumns()})
    SELECT row_key, sku_key, node_key, ${stateColumns(movedColumn)} FROM moved
    ON CONFLICT (supply_key) DO UPDATE SET ${setExcluded(MOVED_STATES)}),
  entries AS (
    INSERT INTO ledger (sku_key, sku_version, ordinal, supply_key, node_key, from_state, to_state, quantity, reason, source_key, source_event_id, occurred_at, recorded_at)
    SELECT t.sku_key, g.version, row_number() OVER (PARTITION BY t.sku_key ORDER BY t.node_key, t.step) - 1, t.row_key, t.node_key,
           t.from_state, t.to_state, t.units, 'reset', $9::int, coalesce(t.record_id, $10), least(${time('t.at_ms')}, (SELECT now FROM clock)), (SELECT now FROM clock)
      FROM (${transfersSql('moved')}) t JOIN gates g USING (sku_key)),
  ${TASKS},
  ${FACTS},
  ${marksSql(feed)},
  ${countedSql(feed, time)}
  UPDATE feed SET cursor = $3, settled = settled + $7::int, applied = feed.applied + told.applied,
         refused = feed.refused + told.refused, refused_applying = refused_applying + told.refused, lease_until = clock_timestamp() + make_interval(secs => $12)
    FROM (SELECT (SELECT count(*) FROM moved) AS applied, (SELECT count(*) FROM stale) AS refused) told
   WHERE feed_key = $1 AND state = 'applying' AND cursor = $2
  RETURNING told.applied`;
}

/**
 * The rows that no newer count has overtaken. Nearly always that is all of them, which one look at the blocks tells; only
 * where some block knows a newer time is every row judged by the newest count of it, of anyone and of this source.
 */
const JUDGED = `
  told_marks AS MATERIALIZED (
    SELECT block, node_key, source_key, captured
      FROM feed_watermark
     WHERE block = ANY(ARRAY(SELECT DISTINCT sku_key >> ${BLOCK_BITS} FROM unnest($4::int[]) AS sku_key)) AND ${OF_TOTALS}),
  overtaken AS MATERIALIZED (
    SELECT g.line, g.sku_key, g.node_key, max(mark) AS newest, max(mark) FILTER (WHERE m.source_key = $9::int) AS own
      FROM given g JOIN told_marks m ON m.block = g.sku_key >> ${BLOCK_BITS} AND m.node_key = g.node_key
     CROSS JOIN LATERAL (SELECT m.captured[(g.sku_key & ${BLOCK_MASK}) + 1] AS mark) one
     WHERE mark > g.at_ms
       AND EXISTS (SELECT FROM told_marks WHERE $8::bigint < ANY (captured))
     GROUP BY g.line, g.sku_key, g.node_key),
  stale AS (
    INSERT INTO feed_refusal (feed_key, line, code, message)
    SELECT $1, line, CASE WHEN own IS NOT NULL THEN 'feed.stale' ELSE 'feed.superseded' END,
           CASE WHEN own IS NOT NULL THEN 'the source has told a newer count of this row'
                ELSE 'another source has told a newer count of this row' END
      FROM overtaken ORDER BY line RETURNING line),
  fresh AS NOT MATERIALIZED (
    SELECT * FROM given g WHERE NOT EXISTS (
      SELECT FROM overtaken o WHERE o.sku_key = g.sku_key AND o.node_key = g.node_key))`;

/**
 * Promises of a changed SKU with a shortfall are worth a look if some are newly short, if there are units to take, and if some are short
 * no longer, since that is told; it begins anew if some are newly short or there are more units to take. Units that have
 * come while somebody waits for the SKU are unapplied: a task gives them out, in slices, to whoever comes first.
 */
const TASKS = `
  short AS MATERIALIZED (
    SELECT sku_key FROM moved WHERE new_shortfall > 0
     UNION
    SELECT sku_key FROM stock WHERE shortfall > 0 AND sku_key = ANY(ARRAY(SELECT sku_key FROM moved))),
  after AS (
    SELECT sku_key, sum(coalesce(m.new_shortfall, b.shortfall)) AS short, sum(coalesce(m.new_available, b.available)) AS free,
           bool_or(coalesce(m.from_promised, 0) > 0) AS newly_short
      FROM (SELECT * FROM stock WHERE sku_key = ANY(ARRAY(SELECT sku_key FROM short))) b
      FULL JOIN (SELECT * FROM moved WHERE sku_key IN (SELECT sku_key FROM short)) m USING (sku_key, node_key) GROUP BY 1),
  tasks AS (
    INSERT INTO sku_task (sku_key, due_at, before_key, after_rank, after_reservation)
    SELECT due.sku_key, clock_timestamp(), CASE WHEN NOT c.begins_anew THEN t.before_key END,
           CASE WHEN NOT c.has_deferred THEN t.after_rank END, CASE WHEN NOT c.has_deferred THEN t.after_reservation END
      FROM (SELECT sku_key FROM after WHERE short > 0 AND (newly_short OR free > 0)
             UNION
            SELECT sku_key FROM moved WHERE healed > 0 OR deferred > 0) due
      JOIN (SELECT sku_key, bool_or(from_promised > 0 OR new_available > available) AS begins_anew, bool_or(deferred > 0) AS has_deferred
              FROM moved GROUP BY sku_key) c USING (sku_key)
      LEFT JOIN sku_task t USING (sku_key) ORDER BY due.sku_key
    ON CONFLICT (sku_key) DO UPDATE SET due_at = least(sku_task.due_at, excluded.due_at), before_key = excluded.before_key,
      after_rank = excluded.after_rank, after_reservation = excluded.after_reservation)`;

/** A row's difference, in the way in which facts tell what came or went. */
const CAUSE = (() => {
  const at = `to_char(least(${time('m.at_ms')}, (SELECT now FROM clock)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return `concat('{"kind":"stock","node":', n.name, ',"source":', $14::text, ',"reason":"reset","quantity":', m.difference, ',"occurredFrom":"', ${at}, '","occurredTo":"', ${at}, '"}')`;
})();

/** One fact a changed SKU, in the format and with the ids of every other writer. */
const FACTS = `
  facts AS (
    INSERT INTO outbox (partition, key, subject, event_id, type, source, time, trace, data)
    SELECT k.partition, k.fact_key, '${SKU_CHANGED}', ${factIdSql('k.fact_key', 'g.version')}, '${SKU_CHANGED}', '${FACT_SOURCE}',
           (SELECT now FROM clock), $11,
           concat('{"sku":', to_json(k.code), ',"fromVersion":', g.version - 1, ',"toVersion":', g.version, ',"recordedAt":"',
             (SELECT iso FROM clock), '","rows":[', r.rows, '],"causes":[', r.causes, ']}')::json
      FROM gates g
      JOIN unnest($4::int[], $5::text[], $6::smallint[], $13::text[]) AS k (sku_key, code, partition, fact_key) USING (sku_key)
      JOIN (SELECT m.sku_key, string_agg(${rowJson('n.name', movedColumn)}, ',' ORDER BY m.node_key) AS rows,
                     string_agg(${CAUSE}, ',' ORDER BY m.node_key) AS causes
              FROM moved m JOIN (SELECT node_key, to_json(code)::text AS name FROM rules_node) n USING (node_key)
             GROUP BY m.sku_key) r USING (sku_key)
     WHERE pg_current_xact_id() IS NOT NULL
     ORDER BY g.sku_key)`;

/** Every row that was not refused has been counted, whether or not it changed. Whole blocks of one time need no look at each row. */
const marksSql = ({ measure, deducts_at }: FeedRecord): string => `
  blocks AS MATERIALIZED (
    SELECT block, node_key, counted, earliest, latest, counted = ${BLOCK_SIZE} AND earliest = latest AS is_whole
      FROM (SELECT sku_key >> ${BLOCK_BITS} AS block, node_key, count(*) AS counted, min(at_ms) AS earliest, max(at_ms) AS latest
              FROM fresh GROUP BY 1, 2) counts),
  marks AS (
    SELECT block, node_key, array_fill(latest, ARRAY[${BLOCK_SIZE}]) AS captured FROM blocks WHERE is_whole
     UNION ALL
    SELECT block, node_key,
           ARRAY(SELECT coalesce(told.at_ms, 0) FROM generate_series(0, ${BLOCK_MASK}) AS place
                   LEFT JOIN unnest(places, times) AS told (place, at_ms) USING (place) ORDER BY place)
      FROM (SELECT b.block, b.node_key, array_agg(f.sku_key & ${BLOCK_MASK}) AS places, array_agg(f.at_ms) AS times
              FROM fresh f JOIN blocks b ON b.block = f.sku_key >> ${BLOCK_BITS} AND b.node_key = f.node_key AND NOT b.is_whole
             WHERE (SELECT bool_or(NOT is_whole) FROM blocks)
             GROUP BY 1, 2) parts),
  marked AS (
    INSERT INTO feed_watermark AS w (block, node_key, source_key, measure, captured)
    SELECT block, node_key, $9::int, ${measure === 'physical' ? 0 : deducts_at}, captured FROM marks ORDER BY block, node_key
    ON CONFLICT (block, node_key, source_key, measure) DO UPDATE SET captured =
      CASE WHEN excluded.captured[1] >= ALL (w.captured) AND excluded.captured[1] = ALL (excluded.captured) THEN excluded.captured
           ELSE ARRAY(SELECT greatest(old, new) FROM unnest(w.captured, excluded.captured) WITH ORDINALITY AS pair (old, new, i) ORDER BY i) END)`;
