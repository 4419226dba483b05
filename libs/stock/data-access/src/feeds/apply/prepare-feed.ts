/**
 * Between receiving and applying: settles rows and records that come twice, adds what a full count left out, and asks whether
 * it may be applied by itself. It holds no lock on stock.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import { COUNTED_STATES } from '@onepool/stock-domain';
import type pg from 'pg';
import { measureOf } from '../../repository/watermarks.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import { dropStage } from '../upload/staging.ts';
import { type GuardLimits, type Outlook, type Zeroes, waitReasons } from './guard.ts';
import { demandUniqueRecords, demandUniqueRows, indexStage } from './same-rows.ts';

const GATES = commitPoint('stock.feed_gates');
const PREPARE = commitPoint('stock.feed_prepare');

/**
 * Runs once for a feed; a second run, by a worker that was thought dead, finds it prepared. Answers whether it is to be
 * applied now.
 */
export async function prepareFeed(pool: pg.Pool, feed: FeedRecord, limits: GuardLimits): Promise<boolean> {
  if (!feed.prepared && !feed.dry_run) await makeGates(pool, feed);
  return inTransaction(pool, PREPARE, async (client) => {
    const { rows } = await client.query<FeedRecord>(
      `SELECT * FROM feed WHERE feed_key = $1 AND state = 'applying' FOR NO KEY UPDATE`,
      [feed.feed_key],
    );
    const [found] = rows;
    if (!found || found.prepared) return found !== undefined;
    await settleRows(client, found);
    await client.query('SELECT analyze_feed_stage($1, $2)', [feed.feed_key, feed.attempt]);
    const { rows: settled } = await client.query<FeedRecord>(
      'UPDATE feed SET prepared = true WHERE feed_key = $1 RETURNING *',
      [feed.feed_key],
    );
    return passOn(client, settled[0] ?? found, limits);
  });
}

/** By itself: creating gates inside a longer transaction would keep others waiting for them. */
async function makeGates(pool: pg.Pool, feed: FeedRecord): Promise<void> {
  const insert = `
    INSERT INTO sku_gate (sku_key)
    SELECT DISTINCT sku_key FROM ${stageTableOf(feed)} t WHERE NOT EXISTS (SELECT FROM sku_gate g WHERE g.sku_key = t.sku_key)
    ORDER BY 1 ON CONFLICT DO NOTHING`;
  await committing(GATES, () => pool.query(insert));
}

async function settleRows(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  if (feed.has_records) await demandUniqueRecords(client, feed);
  if (feed.mode === 'delta') return indexStage(client, feed, 'line');
  await demandUniqueRows(client, feed);
  if (feed.completeness === 'full') await addAbsent(client, feed);
  if (feed.states.length > 0) await addAbsentStates(client, feed);
  // Refused rows that name a SKU and node are kept until here so that these are not absent.
  if (feed.completeness === 'full' || feed.duplicates === 'sum')
    await client.query(`DELETE FROM ${stageTableOf(feed)} WHERE quantity IS NULL`);
}

/**
 * A count without a single good row says nothing about its nodes; it more likely lost its body. What is told of by one of its
 * states only is not absent, and of nodes at which nothing else is told this is no count of all that is there.
 */
async function addAbsent(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  const table = stageTableOf(feed);
  await client.query(
    `WITH scope AS MATERIALIZED (
       SELECT $2::int AS node_key WHERE $2::int IS NOT NULL AND EXISTS (SELECT FROM ${table} WHERE state IS NULL)
        UNION SELECT DISTINCT node_key FROM ${table} WHERE $2::int IS NULL AND state IS NULL),
     absent AS (
       INSERT INTO ${table} (line, sku_key, node_key, quantity, at_ms)
       SELECT 0, s.sku_key, s.node_key, 0, $3 FROM stock s JOIN scope USING (node_key)
        WHERE EXISTS (SELECT FROM ${table} WHERE quantity IS NOT NULL AND state IS NULL) AND NOT EXISTS (
          SELECT FROM ${table} t WHERE t.sku_key = s.sku_key AND t.node_key = s.node_key)
       RETURNING line)
     UPDATE feed SET absent = told.rows, staged = staged + told.rows,
            scope = ARRAY(SELECT node_key FROM scope ORDER BY node_key)
       FROM (SELECT count(*) AS rows FROM absent) told WHERE feed_key = $1`,
    [feed.feed_key, feed.node_key, feed.captured_at.getTime()],
  );
}

/** Rows of which a state is not told that the feed tells in full, wherever it tells anything. */
async function addAbsentStates(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  const table = stageTableOf(feed);
  await client.query(
    `WITH scope AS MATERIALIZED (
       SELECT $2::int AS node_key WHERE $2::int IS NOT NULL UNION SELECT DISTINCT node_key FROM ${table} WHERE $2::int IS NULL),
     absent AS (
       INSERT INTO ${table} (line, sku_key, node_key, quantity, at_ms, state)
       SELECT 0, s.sku_key, s.node_key, 0, $3, told.state FROM stock s JOIN scope USING (node_key)
        CROSS JOIN unnest($4::smallint[]) AS told (state)
        WHERE EXISTS (SELECT FROM ${table} WHERE quantity IS NOT NULL) AND NOT EXISTS (
          SELECT FROM ${table} t WHERE t.sku_key = s.sku_key AND t.node_key = s.node_key AND t.state = told.state)
       RETURNING line)
     UPDATE feed SET absent = absent + added.rows, staged = staged + added.rows
       FROM (SELECT count(*) AS rows FROM absent) added WHERE feed_key = $1`,
    [feed.feed_key, feed.node_key, feed.captured_at.getTime(), feed.states],
  );
}

/** Whether the feed is applied now; else it waits or has ended. */
async function passOn(client: pg.PoolClient, feed: FeedRecord, limits: GuardLimits): Promise<boolean> {
  const isFull = feed.completeness === 'full';
  if (isFull && feed.staged === 0) {
    await end(client, feed, 'failed', 'a full count without a single row that can be counted');
    return false;
  }
  const zeroes = isFull || feed.dry_run ? await zeroesOf(client, feed) : null;
  const reasons = zeroes === null ? [] : waitReasons(feed, zeroes, limits);
  if (zeroes !== null && (feed.dry_run || reasons.length > 0)) {
    const outlook: Outlook = { wouldChange: await changesOf(client, feed), ...zeroes };
    const update = 'UPDATE feed SET outlook = $2, waits_for = $3 WHERE feed_key = $1';
    await client.query(update, [feed.feed_key, JSON.stringify(outlook), reasons]);
  }
  if (feed.dry_run) {
    await end(client, feed, 'dry_run', null);
    return false;
  }
  if (isFull) await replaceWaiting(client, feed);
  if (reasons.length === 0) return true;
  await client.query(`UPDATE feed SET state = 'waiting' WHERE feed_key = $1`, [feed.feed_key]);
  return false;
}

async function end(client: pg.PoolClient, feed: FeedRecord, state: string, failure: string | null): Promise<void> {
  await client.query('UPDATE feed SET state = $2, failure = $3, finished_at = clock_timestamp() WHERE feed_key = $1', [
    feed.feed_key,
    state,
    failure,
  ]);
  await dropStage(client, feed);
}

/** Whoever would approve an older count of all that this one counts would undo this one. */
async function replaceWaiting(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  const { rows } = await client.query<FeedRecord>(
    `UPDATE feed SET state = 'replaced', finished_at = clock_timestamp()
      WHERE state = 'waiting' AND source_key = $1 AND captured_at < $2 AND scope <@ $3::int[] AND states <@ $4::smallint[] RETURNING *`,
    [feed.source_key, feed.captured_at, feed.scope, feed.states],
  );
  for (const replaced of rows) await dropStage(client, replaced);
}

/** What a row of the book has to tell of the feed's measure: units that are there, or those that are not promised. */
const UNITS = { physical: 'on_hand', availability: 'available + safety_stock' } as const;

/** Against the book as it is now: what happens until the feed is applied is not in it. */
async function zeroesOf(client: pg.PoolClient, feed: FeedRecord): Promise<Zeroes> {
  const zeroes = await zeroesOfTotals(client, feed);
  return feed.has_states ? { ...zeroes, states: await zeroesOfStates(client, feed) } : zeroes;
}

async function zeroesOfTotals(client: pg.PoolClient, feed: FeedRecord): Promise<Zeroes> {
  const table = stageTableOf(feed);
  const units = UNITS[feed.measure];
  const { rows } = await client.query<Zeroes>(
    `SELECT count(*) AS "wouldZero", count(*) FILTER (WHERE line = 0) AS "wouldZeroAbsent",
            (SELECT count(*) FROM stock WHERE ${units} > 0
                AND node_key = ANY(coalesce($2::int[], ARRAY(SELECT DISTINCT node_key FROM ${table})))) AS "nonZero",
            (SELECT count(*) FROM feed_refusal WHERE feed_key = $1 AND code = 'sku.unknown') AS "unknownSkus"
       FROM ${table} JOIN stock USING (sku_key, node_key) WHERE $3 AND quantity = 0 AND ${units} > 0 AND state IS NULL`,
    [feed.feed_key, feed.scope, feed.mode === 'reset'],
  );
  return theOnly(rows);
}

/** Of a row and state that are counted: units that the book has in the state. */
const IN_STATE = `CASE state ${COUNTED_STATES.map((state) => `WHEN ${measureOf(state)} THEN ${state}`).join(' ')} END`;

async function zeroesOfStates(client: pg.PoolClient, feed: FeedRecord): Promise<Zeroes['states']> {
  const table = stageTableOf(feed);
  const { rows } = await client.query<NonNullable<Zeroes['states']>>(
    `SELECT count(*) FILTER (WHERE is_told) AS "wouldZero", count(*) FILTER (WHERE is_told AND line = 0) AS "wouldZeroAbsent",
            count(*) AS "nonZero"
       FROM stock JOIN (SELECT DISTINCT node_key FROM ${table} WHERE state IS NOT NULL) AS scope USING (node_key)
      CROSS JOIN (SELECT DISTINCT state FROM ${table} WHERE state IS NOT NULL) AS counted
       LEFT JOIN (SELECT true AS is_told, line, sku_key, node_key, state FROM ${table} WHERE quantity = 0) AS zeroed
           USING (sku_key, node_key, state)
      WHERE ${IN_STATE} > 0`,
  );
  return theOnly(rows);
}

async function changesOf(client: pg.PoolClient, feed: FeedRecord): Promise<number> {
  const inBook = feed.mode === 'delta' ? '0' : `coalesce(${UNITS[feed.measure]} - overdrawn, 0)`;
  const ofStates = COUNTED_STATES.map((state) => `WHEN ${measureOf(state)} THEN coalesce(${state}, 0)`).join(' ');
  const { rows } = await client.query<{ changes: number }>(
    `SELECT count(*) AS changes FROM ${stageTableOf(feed)} LEFT JOIN stock USING (sku_key, node_key)
      WHERE quantity <> CASE state ${ofStates} ELSE ${inBook} END`,
  );
  return theOnly(rows).changes;
}

function theOnly<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('Broken invariant: a count answers one row');
  return row;
}
