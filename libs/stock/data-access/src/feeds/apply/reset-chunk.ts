/**
 * The chunks of a reset: which of its rows are settled together, and the statement that settles those of them that count all that is
 * there. A chunk is a range of SKU keys. What is in it is read from the staging table beforehand, which nobody changes any more.
 */
import { commitPoint } from '@onepool/platform-failpoints';
import { factKey, partitionOf } from '@onepool/platform-messaging';
import type pg from 'pg';
import type { ApplyContext } from './chunk.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import { type Density, resetStatement } from './reset-statement.ts';
import { type CountedNode, type CountedNodes, countedNodes, countedPerFact } from './counted-rows.ts';
import { BLOCK_MASK } from '../../repository/watermarks.ts';

export const RESET_CHUNK = commitPoint('stock.feed_reset');

const KEYS_PER_SKU_WHEN_DENSE = 4;
const ROWS_FOR_A_WHOLE_BLOCK_MAX = 2_000;

/** How the rows of a feed lie in its staging table. */
export interface StageShape {
  readonly table: string;
  /** On the whole: rows over the span of SKU keys. */
  readonly rowsPerKey: number;
}

/** What of a feed is settled together. */
export interface Chunk {
  /** The SKU key after which the chunk begins, and the one with which it ends. */
  readonly from: number;
  readonly end: number;
  /** Ascending. */
  readonly skus: readonly number[];
  readonly codes: readonly string[];
  readonly rows: number;
  /** When the oldest of its rows was counted, in milliseconds. */
  readonly earliest: number;
}

/** The nodes of a feed are the same for all of its chunks. */
export interface ResetPlan {
  readonly feed: FeedRecord;
  readonly nodes: CountedNodes;
  readonly shape: StageShape;
}

export async function planReset(
  client: Pick<pg.ClientBase, 'query'>,
  feed: FeedRecord,
  { partitionCount }: Pick<ApplyContext, 'partitionCount'>,
): Promise<ResetPlan> {
  const shape = await shapeOf(client, feed);
  return { feed, shape, nodes: countedNodes(await nodesOf(client, feed), feed, partitionCount) };
}

/** The statement for a chunk; see {@link resetStatement}. */
export function resetQuery(
  { feed, nodes }: Pick<ResetPlan, 'feed' | 'nodes'>,
  { from, end, skus, codes, rows, earliest }: Chunk,
  { partitionCount, leaseSeconds }: Pick<ApplyContext, 'partitionCount' | 'leaseSeconds'>,
): Required<Pick<pg.QueryConfig<unknown[]>, 'name' | 'text' | 'values'>> {
  const density: Density = end - from <= skus.length * KEYS_PER_SKU_WHEN_DENSE ? 'dense' : 'sparse';
  const keys = codes.map((code) => factKey('sku', code));
  const partitions = keys.map((key) => partitionOf(key, partitionCount));
  const { feed_key, source, source_key, id, trace } = feed;
  return {
    name: `reset-${density}`,
    text: resetStatement(feed, density),
    values: [
      ...[feed_key, from, end, skus, codes, partitions, rows, earliest, source_key, id, trace, leaseSeconds, keys],
      ...[JSON.stringify(source), nodes.keys, nodes.codes, nodes.factKeys, nodes.partitions, countedPerFact(codes)],
    ],
  };
}

/**
 * The next chunk, or null when no rows are left: a range of keys that should hold about `size` rows, if rows are spread
 * as they are on the whole, and that never holds more than twice as many, but for a single SKU. Where that adds little it
 * ends with its block of watermarks, so that the block is written once and whole.
 */
export async function nextChunk(
  client: Pick<pg.ClientBase, 'query'>,
  { table, rowsPerKey }: StageShape,
  from: number,
  size: number,
): Promise<Chunk | null> {
  const keys = Math.max(1, Math.floor(size / rowsPerKey));
  const isWhole = size > BLOCK_MASK && rowsPerKey * (BLOCK_MASK + 1) <= ROWS_FOR_A_WHOLE_BLOCK_MAX;
  const { rows } = await client.query<StagedSku>({
    name: 'next-chunk',
    text: `
      WITH first AS MATERIALIZED (SELECT min(sku_key) AS key FROM ${table} WHERE sku_key > $1::bigint),
      range AS MATERIALIZED (SELECT least((key + $2::bigint - 1) | $3::bigint, 2147483647) AS "end" FROM first),
      k AS MATERIALIZED (
        SELECT sku_key, count(*)::int AS rows, min(at_ms) AS earliest
          FROM (SELECT sku_key, at_ms FROM ${table} WHERE sku_key > $1::bigint AND sku_key <= (SELECT "end" FROM range)
                 ORDER BY sku_key LIMIT $4::int) next
         GROUP BY sku_key)
      SELECT k.sku_key, s.code, k.rows, k.earliest, (SELECT "end" FROM range)
        FROM k CROSS JOIN LATERAL (SELECT code FROM sku_code WHERE sku_key = k.sku_key OFFSET 0) s
       ORDER BY k.sku_key`,
    values: [from, keys, isWhole ? BLOCK_MASK : 0, 2 * size],
  });
  const isCut = sum(rows) >= 2 * size;
  // Of the SKU at which the limit cut, rows may be missing; it is the next chunk's first, unless it is this one's only one.
  const [first, ...others] = rows;
  if (!first) return null;
  const whole = !isCut ? rows : others.length > 0 ? rows.slice(0, -1) : [await allOf(client, table, first)];
  return {
    from,
    end: isCut ? (whole.at(-1)?.sku_key ?? first.sku_key) : first.end,
    skus: whole.map(({ sku_key }) => sku_key),
    codes: whole.map(({ code }) => code),
    rows: sum(whole),
    earliest: whole.reduce((earliest, row) => Math.min(earliest, row.earliest), Number.POSITIVE_INFINITY),
  };
}

interface StagedSku {
  readonly sku_key: number;
  readonly code: string;
  readonly rows: number;
  readonly earliest: number;
  readonly end: number;
}

const sum = (skus: readonly StagedSku[]): number => skus.reduce((total, { rows }) => total + rows, 0);

async function allOf(client: Pick<pg.ClientBase, 'query'>, table: string, sku: StagedSku): Promise<StagedSku> {
  const { rows } = await client.query<{ rows: number; earliest: number }>(
    `SELECT count(*)::int AS rows, min(at_ms) AS earliest FROM ${table} WHERE sku_key = $1`,
    [sku.sku_key],
  );
  return { ...sku, ...rows[0] };
}

/** Those that a feed names, where it is known; else all: its rows may be of any. */
async function nodesOf(
  client: Pick<pg.ClientBase, 'query'>,
  { node_key, scope }: FeedRecord,
): Promise<readonly CountedNode[]> {
  const { rows } = await client.query<CountedNode>(
    'SELECT node_key, code FROM rules_node WHERE $1::int[] IS NULL OR node_key = ANY($1::int[])',
    [node_key === null ? scope : [node_key]],
  );
  return rows;
}

async function shapeOf(client: Pick<pg.ClientBase, 'query'>, feed: FeedRecord): Promise<StageShape> {
  const table = stageTableOf(feed);
  const { rows } = await client.query<{ keys: number | null; rows: number }>(
    `SELECT max(sku_key)::bigint - min(sku_key) + 1 AS keys, (SELECT staged FROM feed WHERE feed_key = $1) AS rows FROM ${table}`,
    [feed.feed_key],
  );
  const { keys = null, rows: staged = 0 } = rows[0] ?? {};
  return { table, rowsPerKey: keys === null ? 1 : Math.max(staged / keys, 1e-9) };
}
