/**
 * Between receiving and applying: proves that no row and no record comes twice, and adds what a full feed left out. It
 * holds no lock on stock.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { classifyPgError, inTransaction } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type FeedRecord, stageTableOf, zeroesAbsent } from '../feed-record.ts';

/** What may be unique in a feed, by the name that `index_feed_stage` knows, and the columns that tell. */
const STAGE_KEYS = { record: 'record_id', row: 'sku_key, node_key', line: 'line' } as const;
type StageKey = keyof typeof STAGE_KEYS;

const GATES = commitPoint('stock.feed_gates');
const PREPARE = commitPoint('stock.feed_prepare');

/** Runs once for a feed; a second run, by a worker that was thought dead, finds it prepared. */
export async function prepareFeed(pool: pg.Pool, feed: FeedRecord): Promise<void> {
  const table = stageTableOf(feed);
  // By itself: creating gates inside a longer transaction would keep others waiting for them.
  const insert = `
    INSERT INTO sku_gate (sku_key)
    SELECT DISTINCT sku_key FROM ${table} t WHERE NOT EXISTS (SELECT FROM sku_gate g WHERE g.sku_key = t.sku_key)
    ORDER BY 1 ON CONFLICT DO NOTHING`;
  await committing(GATES, () => pool.query(insert));
  await inTransaction(pool, PREPARE, async (client) => {
    const { rows } = await client.query<{ prepared: boolean }>(
      `SELECT prepared FROM feed WHERE feed_key = $1 AND state = 'applying' FOR NO KEY UPDATE`,
      [feed.feed_key],
    );
    if (rows[0]?.prepared !== false) return;
    if (feed.has_records) await demandUnique(client, feed, 'record', 'record.duplicate');
    if (feed.mode === 'reset') {
      await demandUnique(client, feed, 'row', 'row.duplicate');
      if (zeroesAbsent(feed)) await addAbsent(client, feed);
      // Refused rows that name a SKU and node are kept until here so that these are not absent.
      if (feed.completeness === 'full') await client.query(`DELETE FROM ${table} WHERE quantity IS NULL`);
    } else {
      await indexStage(client, feed, 'line');
    }
    await client.query('SELECT analyze_feed_stage($1, $2)', [feed.feed_key, feed.attempt]);
    await client.query('UPDATE feed SET prepared = true WHERE feed_key = $1', [feed.feed_key]);
  });
}

/** Building the unique index is the proof; the duplicates are only looked for when it fails. */
async function demandUnique(client: pg.PoolClient, feed: FeedRecord, key: StageKey, code: string): Promise<void> {
  await client.query('SAVEPOINT before_index');
  try {
    await indexStage(client, feed, key);
  } catch (error) {
    if (classifyPgError(error) !== 'unique_violation') throw error;
    await client.query('ROLLBACK TO before_index');
    await refuseDuplicates(client, feed, STAGE_KEYS[key], code);
    await indexStage(client, feed, key);
  }
}

async function indexStage(client: pg.PoolClient, { feed_key, attempt }: FeedRecord, key: StageKey): Promise<void> {
  await client.query('SELECT index_feed_stage($1, $2, $3)', [feed_key, attempt, key]);
}

/** The first good row stays. */
async function refuseDuplicates(client: pg.PoolClient, feed: FeedRecord, columns: string, code: string): Promise<void> {
  const table = stageTableOf(feed);
  await client.query(
    `WITH ranked AS (
       SELECT ctid, first_value(line) OVER rank AS first, row_number() OVER rank AS place
         FROM ${table} WHERE (${columns}) IS NOT NULL WINDOW rank AS (PARTITION BY ${columns} ORDER BY quantity IS NULL, line)),
     gone AS (
       DELETE FROM ${table} t USING ranked r WHERE t.ctid = r.ctid AND r.place > 1 RETURNING t.line, t.quantity, r.first),
     refused AS (
       INSERT INTO feed_refusal (feed_key, line, code, message)
       SELECT $1, line, $2, 'already in line ' || first FROM gone WHERE quantity IS NOT NULL ORDER BY line RETURNING line)
     UPDATE feed SET refused = refused + told.rows, staged = staged - told.rows
       FROM (SELECT count(*) AS rows FROM refused) told WHERE feed_key = $1`,
    [feed.feed_key, code],
  );
}

/** A feed without a single row says nothing about its nodes; it more likely lost its body. */
async function addAbsent(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  const table = stageTableOf(feed);
  await client.query(
    `WITH scope AS (SELECT $2::int AS node_key WHERE $2::int IS NOT NULL UNION SELECT DISTINCT node_key FROM ${table}),
     absent AS (
       INSERT INTO ${table} (line, sku_key, node_key, quantity, at_ms)
       SELECT 0, s.sku_key, s.node_key, 0, $3 FROM stock s JOIN scope USING (node_key)
        WHERE EXISTS (SELECT FROM ${table}) AND NOT EXISTS (
          SELECT FROM ${table} t WHERE t.sku_key = s.sku_key AND t.node_key = s.node_key)
       RETURNING line)
     UPDATE feed SET absent = told.rows, staged = staged + told.rows
       FROM (SELECT count(*) AS rows FROM absent) told WHERE feed_key = $1`,
    [feed.feed_key, feed.node_key, feed.captured_at.getTime()],
  );
}
