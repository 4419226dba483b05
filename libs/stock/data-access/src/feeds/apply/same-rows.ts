/**
 * What becomes of rows that a feed tells more than once. Building a unique index is the proof that it tells none; they are
 * only looked for when that fails.
 */
import { FEED_UNITS_MAX } from '@onepool/contracts';
import { classifyPgError } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';

/** What may be unique in a feed, by the name that `index_feed_stage` knows. */
type StageKey = 'record' | 'row' | 'state' | 'line';
type Settle = (client: pg.PoolClient, feed: FeedRecord) => Promise<unknown>;

export async function indexStage(
  client: pg.PoolClient,
  { feed_key, attempt }: FeedRecord,
  key: StageKey,
): Promise<void> {
  await client.query('SELECT index_feed_stage($1, $2, $3)', [feed_key, attempt, key]);
}

export const demandUniqueRecords = (client: pg.PoolClient, feed: FeedRecord): Promise<void> =>
  demandUnique(client, feed, 'record', refuseRepeatedRecords);
export const demandUniqueRows = (client: pg.PoolClient, feed: FeedRecord): Promise<void> =>
  demandUnique(client, feed, feed.has_states ? 'state' : 'row', settleSameRows);

async function demandUnique(client: pg.PoolClient, feed: FeedRecord, key: StageKey, settle: Settle): Promise<void> {
  await client.query('SAVEPOINT before_index');
  try {
    await indexStage(client, feed, key);
  } catch (error) {
    if (classifyPgError(error) !== 'unique_violation') throw error;
    await client.query('ROLLBACK TO before_index');
    await settle(client, feed);
    await indexStage(client, feed, key);
  }
}

/** The first of a record stays. Of a full count, rows that only the others named are not absent. */
const refuseRepeatedRecords: Settle = (client, feed) => {
  const table = stageTableOf(feed);
  return client.query(
    `WITH ranked AS MATERIALIZED (
       SELECT ctid, first_value(line) OVER rank AS first, row_number() OVER rank AS place
         FROM ${table} WHERE record_id IS NOT NULL WINDOW rank AS (PARTITION BY record_id ORDER BY quantity IS NULL, line)),
     gone AS (
       DELETE FROM ${table} t USING ranked r WHERE t.ctid = r.ctid AND r.place > 1
       RETURNING t.line, t.sku_key, t.node_key, t.state, t.quantity, t.at_ms, r.first),
     marks AS (
       INSERT INTO ${table} (line, sku_key, node_key, state, quantity, at_ms)
       SELECT min(line), sku_key, node_key, state, NULL, min(at_ms) FROM gone
        WHERE $2 AND (sku_key, node_key, coalesce(state, 0)) NOT IN (
          SELECT sku_key, node_key, coalesce(state, 0) FROM ${table} t
           WHERE NOT EXISTS (SELECT FROM ranked r WHERE r.ctid = t.ctid AND r.place > 1))
        GROUP BY sku_key, node_key, state),
     refused AS (
       INSERT INTO feed_refusal (feed_key, line, code, message)
       SELECT $1, line, 'record.duplicate', 'already in line ' || first FROM gone WHERE quantity IS NOT NULL ORDER BY line RETURNING line)
     UPDATE feed SET refused = refused + told.rows, staged = staged - told.rows
       FROM (SELECT count(*) AS rows FROM refused) told WHERE feed_key = $1`,
    [feed.feed_key, feed.completeness === 'full'],
  );
};

/**
 * Lines of one SKU and node, and of one state where they name any. The same quantity again counts once. Different ones are all refused, since nobody can tell which
 * is right, unless they are to be added up; then a line that cannot be read leaves no sum. A refused row stays as a mark
 * without a quantity, by which it is not absent.
 */
const settleSameRows: Settle = (client, feed) => {
  const table = stageTableOf(feed);
  return client.query(
    `WITH told AS MATERIALIZED (
       SELECT sku_key, node_key, t.state, line, quantity, at_ms,
              first_value(line) OVER place AS first, first_value(quantity) OVER place AS first_quantity
         FROM ${table} t JOIN (SELECT sku_key, node_key, state FROM ${table} GROUP BY 1, 2, 3 HAVING count(*) > 1) many USING (sku_key, node_key)
        WHERE t.state IS NOT DISTINCT FROM many.state
       WINDOW place AS (PARTITION BY sku_key, node_key, t.state ORDER BY quantity IS NULL, line)),
     same AS MATERIALIZED (
       SELECT *, CASE WHEN told = 0 THEN 'refused'
                      WHEN $2 THEN CASE WHEN refused_line IS NOT NULL THEN 'broken' WHEN units > ${FEED_UNITS_MAX} THEN 'too_many' ELSE 'summed' END
                      WHEN other IS NOT NULL THEN 'conflict' ELSE 'duplicate' END AS verdict
         FROM (SELECT sku_key, node_key, state, first, first_quantity, count(quantity) AS told, sum(quantity)::bigint AS units, min(at_ms) AS at_ms,
                      min(line) FILTER (WHERE quantity <> first_quantity) AS other, min(line) FILTER (WHERE quantity IS NULL) AS refused_line
                 FROM told GROUP BY 1, 2, 3, 4, 5) counted),
     gone AS (
       DELETE FROM ${table} t USING same s
        WHERE t.sku_key = s.sku_key AND t.node_key = s.node_key AND t.state IS NOT DISTINCT FROM s.state AND NOT (s.verdict = 'duplicate' AND t.line = s.first)
       RETURNING t.line, t.quantity, s.verdict, s.first, s.first_quantity, s.other, s.refused_line),
     put AS (
       INSERT INTO ${table} (line, sku_key, node_key, state, quantity, at_ms)
       SELECT first, sku_key, node_key, state, CASE verdict WHEN 'summed' THEN units END, at_ms FROM same
        WHERE verdict = 'summed' OR ($3 AND verdict <> 'duplicate')
       RETURNING quantity),
     refused AS (
       INSERT INTO feed_refusal (feed_key, line, code, message)
       SELECT $1, line, CASE verdict WHEN 'duplicate' THEN 'row.duplicate' WHEN 'too_many' THEN 'quantity.invalid' ELSE 'row.conflict' END,
              CASE verdict WHEN 'duplicate' THEN 'already in line ' || first
                           WHEN 'too_many' THEN 'the lines of this row add up to more than ${FEED_UNITS_MAX}'
                           WHEN 'broken' THEN 'line ' || refused_line || ' of the same row is refused, so they have no sum'
                           ELSE 'line ' || CASE WHEN quantity = first_quantity THEN other ELSE first END || ' tells another quantity of the same row' END
         FROM gone WHERE quantity IS NOT NULL AND verdict <> 'summed' ORDER BY line RETURNING line)
     UPDATE feed SET refused = feed.refused + told.refused, staged = staged - told.gone + told.summed
       FROM (SELECT (SELECT count(*) FROM refused) AS refused, (SELECT count(*) FROM gone WHERE quantity IS NOT NULL) AS gone,
                    (SELECT count(quantity) FROM put) AS summed) told
      WHERE feed_key = $1`,
    [feed.feed_key, feed.duplicates === 'sum', feed.completeness === 'full'],
  );
};
