/** Rows of a reset that count units of one state: read with what the book has to know of them, marked as counted, and told. */
import { COUNTED_SKUS_MAX, ROWS_COUNTED, type RowsCounted } from '@onepool/contracts';
import { appendToOutbox, factId, factKey } from '@onepool/platform-messaging';
import {
  ACCOUNTS,
  COUNTED_STATES,
  type CountOfState,
  type NodeKey,
  type SellingRules,
  type SkuKey,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { BLOCK_BITS, BLOCK_MASK, countedStateOf, measureOf } from '../../repository/watermarks.ts';
import { RECORDED_BEFORE_OCCURRED_MAX_MS } from '../../requests/event-times.ts';
import { isoTime } from '../../requests/views.ts';
import { eventOf } from '../../unit-of-work/facts.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import type { ChunkGates } from './chunk.ts';
import { type DecidingContext, viewsOf } from './chunk-book.ts';
import { countedPerFact } from './counted-rows.ts';
import type { Chunk } from './reset-chunk.ts';

export interface StateRow extends CountOfState {
  /** 0 of an absent one. */
  readonly line: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Milliseconds; when it was counted. */
  readonly at: number;
  readonly recordId: string | null;
  /** When the state was counted last of what is known, by anyone and by this source; null if never. */
  readonly newest: number | null;
  readonly own: number | null;
}

const EXPECTED = ACCOUNTS.indexOf('expected');
/** The account of a row's state. */
const ACCOUNT = `CASE g.state ${COUNTED_STATES.map((state) => `WHEN ${measureOf(state)} THEN ${ACCOUNTS.indexOf(state)}`).join(' ')} END`;
/** As the ledger's index has it: what is there, and what is not for sale of it. */
const INDEXED = [ACCOUNTS.indexOf('external'), ...COUNTED_STATES.map((state) => ACCOUNTS.indexOf(state))].join(', ');
const time = (milliseconds: string): string => `to_timestamp((${milliseconds}) / 1000.0)`;

const readSql = (feed: FeedRecord): string => `
  WITH given AS MATERIALIZED (
    SELECT line, sku_key, node_key, state, quantity, at_ms, record_id FROM ${stageTableOf(feed)}
     WHERE sku_key > $1::int AND sku_key <= $2::int AND state IS NOT NULL),
  marks AS MATERIALIZED (
    SELECT block, node_key, source_key, measure, captured FROM feed_watermark
     WHERE block = ANY(ARRAY(SELECT DISTINCT sku_key >> ${BLOCK_BITS} FROM unnest($3::int[]) AS sku_key))
       AND measure IN (${COUNTED_STATES.map(measureOf).join(', ')})),
  known AS (
    SELECT sku_key, node_key, state, max(mark) AS newest, max(mark) FILTER (WHERE source_key = $5::int) AS own
      FROM (SELECT g.sku_key, g.node_key, g.state, m.source_key, m.captured[(g.sku_key & ${BLOCK_MASK}) + 1] AS mark
              FROM given g JOIN marks m ON m.block = g.sku_key >> ${BLOCK_BITS} AND m.node_key = g.node_key AND m.measure = g.state) each
     WHERE mark > 0 GROUP BY 1, 2, 3),
  events AS MATERIALIZED (
    SELECT sku_key, node_key, occurred_at, from_state, to_state, quantity FROM ledger
     WHERE sku_key = ANY($3::int[]) AND occurred_at > ${time('$4::bigint')}
       AND recorded_at > ${time(`$4::bigint - ${RECORDED_BEFORE_OCCURRED_MAX_MS}`)}
       AND (from_state IN (${INDEXED}) OR to_state IN (${INDEXED})) AND ${EXPECTED} NOT IN (from_state, to_state)),
  changes AS (
    SELECT g.sku_key, g.node_key, g.state,
           sum(((e.to_state = ${ACCOUNT})::int - (e.from_state = ${ACCOUNT})::int) * e.quantity)::bigint AS units
      FROM given g JOIN events e ON e.sku_key = g.sku_key AND e.node_key = g.node_key AND e.occurred_at > ${time('g.at_ms')}
     GROUP BY 1, 2, 3)
  SELECT line, sku_key AS sku, node_key AS node, state AS measure, quantity, at_ms AS at, record_id AS "recordId",
         coalesce(units, 0) AS since, newest, own
    FROM given LEFT JOIN known USING (sku_key, node_key, state) LEFT JOIN changes USING (sku_key, node_key, state)
   ORDER BY sku_key, node_key, state`;

/** By SKU and node. The caller holds the gates of the chunk. */
export async function readStateRows(
  client: pg.PoolClient,
  feed: FeedRecord,
  { from, end, skus, earliest }: Chunk,
): Promise<readonly StateRow[]> {
  const { rows } = await client.query<Omit<StateRow, 'state'> & { readonly measure: number }>({
    name: 'state-rows',
    text: readSql(feed),
    values: [from, end, skus, earliest, feed.source_key],
  });
  return rows.flatMap(({ measure, ...row }) => {
    const state = countedStateOf(measure);
    return state === undefined ? [] : [{ ...row, state }];
  });
}

/** These have been counted, whether or not the number was right. */
export async function markStates(
  client: pg.PoolClient,
  { source_key }: FeedRecord,
  rows: readonly StateRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'mark-states',
    text: `
      INSERT INTO feed_watermark AS w (block, node_key, source_key, measure, captured)
      SELECT block, node_key, $1::int, measure,
             ARRAY(SELECT coalesce(told.at_ms, 0) FROM generate_series(0, ${BLOCK_MASK}) AS place
                     LEFT JOIN unnest(places, times) AS told (place, at_ms) USING (place) ORDER BY place)
        FROM (SELECT sku_key >> ${BLOCK_BITS} AS block, node_key, measure, array_agg(sku_key & ${BLOCK_MASK}) AS places, array_agg(at_ms) AS times
                FROM unnest($2::int[], $3::int[], $4::smallint[], $5::bigint[]) AS counted (sku_key, node_key, measure, at_ms)
               GROUP BY 1, 2, 3) blocks
       ORDER BY block, node_key, measure
      ON CONFLICT (block, node_key, source_key, measure) DO UPDATE SET captured =
        ARRAY(SELECT greatest(old, new) FROM unnest(w.captured, excluded.captured) WITH ORDINALITY AS pair (old, new, i) ORDER BY i)`,
    values: [
      source_key,
      rows.map(({ sku }) => sku),
      rows.map(({ node }) => node),
      rows.map(({ state }) => measureOf(state)),
      rows.map(({ at }) => at),
    ],
  });
}

interface Told {
  readonly feed: FeedRecord;
  readonly chunk: Chunk;
  readonly gates: ChunkGates;
  readonly rules: SellingRules;
  /** Milliseconds. */
  readonly now: number;
}

/** As the statement of a reset tells what else a feed has counted: by node, and here by state. */
export async function tellCountedStates(
  client: pg.PoolClient,
  rows: readonly StateRow[],
  { feed, chunk, gates, rules, now }: Told,
  { schema, partitionCount }: Pick<DecidingContext, 'schema' | 'partitionCount'>,
): Promise<void> {
  const views = viewsOf(gates, rules);
  const counted = new Map<string, StateRow[]>();
  for (const row of rows) {
    const key = `${row.node}/${row.state}`;
    const others = counted.get(key);
    if (others) others.push(row);
    else counted.set(key, [row]);
  }
  const events = [...counted.values()].flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    const { node, state } = first;
    const codes = some.map(({ sku }) => views.sku(sku));
    const size = Math.min(COUNTED_SKUS_MAX, countedPerFact(codes));
    const key = factKey('count', feed.source, views.node(node));
    const about = factKey('count', feed.source, views.node(node), state, String(feed.feed_key));
    const told = { source: feed.source, node: views.node(node), measure: feed.measure, state };
    const capturedAt = isoTime(some.reduce((earliest, { at }) => Math.min(earliest, at), Number.POSITIVE_INFINITY));
    return Array.from({ length: Math.ceil(codes.length / size) }, (_, part) => {
      const skus = codes.slice(part * size, (part + 1) * size);
      const data: RowsCounted = { ...told, capturedAt, recordedAt: isoTime(now), skus };
      return eventOf(
        { id: factId(about, chunk.from, part + 1), key, subject: ROWS_COUNTED, data, trace: feed.trace },
        now,
      );
    });
  });
  await appendToOutbox(client, { schema, partitionCount }, events);
}
