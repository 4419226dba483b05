/**
 * One chunk of a reset as one statement: what the rows come to, and everything that follows from it. The caller holds
 * the gates of the chunk's SKUs, and the feed's row.
 */
import { SKU_CHANGED } from '@onepool/contracts';
import { ACCOUNTS, STATE_ACCOUNTS, type Account } from '@onepool/stock-domain';
import { FACT_SOURCE } from '../write/facts.ts';
import { type FeedRecord, stageTableOf } from './feed-record.ts';
import { movedSql, transfersSql } from './row-arithmetic.ts';
import { BLOCK_BITS, BLOCK_MASK } from './watermarks.ts';

const codes = (...accounts: readonly Account[]): string => accounts.map((one) => ACCOUNTS.indexOf(one)).join(', ');
const EXTERNAL = codes('external');

/** Units the other system had deducted at the capture: still open here, or ended since, however they ended. */
const ACKNOWLEDGED = `
  open_promises AS (
    SELECT f.sku_key, f.node_key, sum(b.held + b.confirmed) AS units
      FROM backing b JOIN fresh f USING (sku_key, node_key)
     WHERE b.sku_key = ANY($4::int[]) AND b.held + b.confirmed > 0 AND b.pinned_at <= f.at GROUP BY 1, 2),
  ended_promises AS (
    SELECT f.sku_key, f.node_key, sum(e.quantity) AS units
      FROM events e JOIN fresh f ON f.sku_key = e.sku_key AND f.node_key = e.node_key AND e.occurred_at > f.at
     WHERE e.acknowledged_at <= f.at
       AND CASE WHEN e.reason = 'fulfil' THEN e.to_state = ${EXTERNAL}
                ELSE e.from_state IN (${codes('committed', 'reserved')}) AND e.to_state IN (${codes('available', 'shortfall')}) END
     GROUP BY 1, 2),`;

/**
 * Parameters: 1 feed key, 2 and 3 the range of SKU keys (from exclusive), 4–6 its SKUs' keys, codes and partitions,
 * 7 now (ms), 8 source, 9 feed id, 10 trace, 11 lease in seconds. Answers how many rows were told, applied and refused.
 */
export function resetStatement(feed: FeedRecord): string {
  const isAvailability = feed.measure === 'availability';
  const beside = isAvailability
    ? `+ coalesce(o.units, 0) + coalesce(p.units, 0) + coalesce(b.damaged, 0) + coalesce(b.quality_control, 0)`
    : '';
  const joins = isAvailability
    ? `LEFT JOIN open_promises o USING (sku_key, node_key) LEFT JOIN ended_promises p USING (sku_key, node_key)`
    : '';
  return `WITH
  given AS MATERIALIZED (
    SELECT line, sku_key, node_key, quantity, at_ms, to_timestamp(at_ms / 1000.0) AS at, record_id
      FROM ${stageTableOf(feed)} WHERE sku_key > $2::int AND sku_key <= $3::int),
  marks AS MATERIALIZED (
    SELECT g.sku_key, g.node_key, max(mark) AS newest, max(mark) FILTER (WHERE w.source = $8) AS own
      FROM given g JOIN feed_watermark w ON w.block = g.sku_key >> ${BLOCK_BITS} AND w.node_key = g.node_key
     CROSS JOIN LATERAL (SELECT w.captured[(g.sku_key & ${BLOCK_MASK}) + 1] AS mark) m
     WHERE w.block BETWEEN $2::int >> ${BLOCK_BITS} AND $3::int >> ${BLOCK_BITS} GROUP BY 1, 2),
  stale AS (
    INSERT INTO feed_refusal (feed_key, line, code, message)
    SELECT $1, g.line, CASE WHEN m.own > g.at_ms THEN 'feed.stale' ELSE 'feed.superseded' END,
           CASE WHEN m.own > g.at_ms THEN 'the source has told a newer count of this row'
                ELSE 'another source has told a newer count of this row' END
      FROM given g JOIN marks m USING (sku_key, node_key) WHERE m.newest > g.at_ms ORDER BY g.line RETURNING line),
  fresh AS MATERIALIZED (
    SELECT g.* FROM given g LEFT JOIN marks m USING (sku_key, node_key) WHERE m.newest IS NULL OR m.newest <= g.at_ms),
  events AS MATERIALIZED (
    SELECT l.sku_key, l.node_key, l.occurred_at, l.from_state, l.to_state, l.quantity, l.reason, l.acknowledged_at
      FROM ledger l
     WHERE l.sku_key = ANY($4::int[]) AND l.occurred_at > (SELECT min(at) FROM given)
       AND (l.from_state = 0 OR l.to_state = 0 OR l.acknowledged_at IS NOT NULL)),
  deltas AS (
    SELECT f.sku_key, f.node_key,
           sum(CASE WHEN e.from_state = ${EXTERNAL} THEN e.quantity WHEN e.to_state = ${EXTERNAL} THEN -e.quantity ELSE 0 END) AS units
      FROM events e JOIN fresh f ON f.sku_key = e.sku_key AND f.node_key = e.node_key AND e.occurred_at > f.at GROUP BY 1, 2),
  ${isAvailability ? ACKNOWLEDGED : ''}
  book AS MATERIALIZED (SELECT * FROM stock WHERE sku_key = ANY($4::int[])),
  decided AS MATERIALIZED (
    SELECT f.sku_key, f.node_key, f.at, f.record_id, ${STATE_ACCOUNTS.map((state) => `coalesce(b.${state}, 0)::bigint AS ${state}`).join(', ')},
           f.quantity ${beside} + coalesce(d.units, 0) - coalesce(b.on_hand::bigint - b.overdrawn, 0) AS difference
      FROM fresh f LEFT JOIN book b USING (sku_key, node_key) LEFT JOIN deltas d USING (sku_key, node_key) ${joins}),
  moved AS MATERIALIZED (${movedSql('(SELECT * FROM decided WHERE difference <> 0)')}),
  gates AS (
    UPDATE sku_gate g SET version = g.version + 1 WHERE g.sku_key IN (SELECT sku_key FROM moved)
    RETURNING g.sku_key, g.version),
  rows_written AS (
    INSERT INTO stock AS s (sku_key, node_key, ${STATE_ACCOUNTS.join(', ')})
    SELECT sku_key, node_key, new_available, committed, reserved, new_safety_stock, new_damaged, new_quality_control, new_shortfall, new_overdrawn
      FROM moved
    ON CONFLICT (sku_key, node_key) DO UPDATE SET
      available = excluded.available, safety_stock = excluded.safety_stock, damaged = excluded.damaged,
      quality_control = excluded.quality_control, shortfall = excluded.shortfall, overdrawn = excluded.overdrawn),
  entries AS (
    INSERT INTO ledger (sku_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source, source_event_id, occurred_at, recorded_at)
    SELECT t.sku_key, g.version, row_number() OVER (PARTITION BY t.sku_key ORDER BY t.node_key, t.step) - 1, t.node_key,
           t.from_state, t.to_state, t.units, 'reset', $8, coalesce(t.record_id, $9), t.at, to_timestamp($7::bigint / 1000.0)
      FROM (${transfersSql('moved')}) t JOIN gates g USING (sku_key)),
  after AS (
    SELECT sku_key, sum(coalesce(m.new_shortfall, b.shortfall)) AS short, sum(coalesce(m.new_available, b.available)) AS free,
           bool_or(coalesce(m.from_promised, 0) > 0) AS newly_short
      FROM book b FULL JOIN moved m USING (sku_key, node_key) WHERE sku_key IN (SELECT sku_key FROM moved) GROUP BY 1),
  tasks AS (
    INSERT INTO reback_task (sku_key, due_at)
    SELECT sku_key, clock_timestamp() FROM after WHERE short > 0 AND (newly_short OR free > 0) ORDER BY sku_key
    ON CONFLICT (sku_key) DO UPDATE SET due_at = least(reback_task.due_at, excluded.due_at), before_key = NULL),
  mended AS (
    UPDATE stock_exception e
       SET quantity = m.new_shortfall, closed_at = CASE WHEN m.new_shortfall = 0 THEN to_timestamp($7::bigint / 1000.0) END
      FROM moved m
     WHERE m.healed > 0 AND e.code = 'promise.broken' AND e.closed_at IS NULL AND e.sku_key = m.sku_key AND e.node_key = m.node_key),
  ${factsSql()},
  ${marksSql(feed)}
  UPDATE feed SET cursor = $3, settled = settled + told.rows, applied = feed.applied + told.applied,
         refused = feed.refused + told.refused, refused_applying = refused_applying + told.refused, lease_until = clock_timestamp() + make_interval(secs => $11)
    FROM (SELECT (SELECT count(*) FROM given) AS rows, (SELECT count(*) FROM moved) AS applied, (SELECT count(*) FROM stale) AS refused) told
   WHERE feed_key = $1
  RETURNING told.rows, told.applied, told.refused`;
}

/** One fact a changed SKU, in the format and with the ids of every other writer. */
const factsSql = (): string => `
  facts AS (
    INSERT INTO outbox (partition, key, subject, event_id, type, source, time, trace, data)
    SELECT k.partition, k.code, '${SKU_CHANGED}', format('sku/%s/%s', k.code, g.version), '${SKU_CHANGED}', '${FACT_SOURCE}',
           to_timestamp($7::bigint / 1000.0), $10,
           json_build_object('sku', k.code, 'fromVersion', g.version - 1, 'toVersion', g.version, 'rows', r.rows, 'recordedAt',
             to_char(to_timestamp($7::bigint / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      FROM gates g
      JOIN unnest($4::int[], $5::text[], $6::smallint[]) AS k (sku_key, code, partition) USING (sku_key)
      JOIN (SELECT m.sku_key, json_agg(json_build_object('node', n.code,
                   'onHand', new_available + committed + reserved + new_safety_stock + new_damaged + new_quality_control - new_shortfall,
                   'available', new_available, 'committed', committed, 'reserved', reserved, 'safetyStock', new_safety_stock,
                   'damaged', new_damaged, 'qualityControl', new_quality_control, 'shortfall', new_shortfall,
                   'overdrawn', new_overdrawn) ORDER BY m.node_key) AS rows
              FROM moved m JOIN node n USING (node_key) GROUP BY m.sku_key) r USING (sku_key)
     WHERE pg_current_xact_id() IS NOT NULL
     ORDER BY g.sku_key)`;

/** Every row that was not refused has been counted, whether or not it changed. */
const marksSql = ({ measure }: FeedRecord): string => `
  marked AS (
    INSERT INTO feed_watermark AS w (block, node_key, source, measure, captured)
    SELECT b.block, b.node_key, $8, '${measure}', array_agg(coalesce(f.at_ms, 0) ORDER BY i)
      FROM (SELECT DISTINCT sku_key >> ${BLOCK_BITS} AS block, node_key FROM fresh) b
     CROSS JOIN generate_series(0, ${BLOCK_MASK}) AS i
      LEFT JOIN fresh f ON f.sku_key = (b.block << ${BLOCK_BITS}) + i AND f.node_key = b.node_key
     GROUP BY b.block, b.node_key ORDER BY b.block, b.node_key
    ON CONFLICT (block, node_key, source, measure) DO UPDATE SET captured = ARRAY(
      SELECT greatest(old, new) FROM unnest(w.captured, excluded.captured) WITH ORDINALITY AS pair (old, new, i) ORDER BY i))`;
