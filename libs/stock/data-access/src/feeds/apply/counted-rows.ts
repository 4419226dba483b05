/**
 * The part of a reset's statement that tells which rows it has counted, whether or not the number was right: a fact for each node
 * of a chunk, or several where there are many SKUs. It is told from what the chunk knows anyway. Only where some SKUs of a chunk
 * were not counted at a node, or were refused there, its rows are looked at once more.
 */
import { COUNTED_SKUS_MAX, ROWS_COUNTED } from '@onepool/contracts';
import { factIdSql, factKey, partitionOf } from '@onepool/platform-messaging';
import type { NodeKey } from '@onepool/stock-domain';
import { FACT_SOURCE } from '../../unit-of-work/facts.ts';
import type { FeedRecord } from '../feed-record.ts';

/** Besides what else it says; a message of NATS holds 1 MB. */
const CODES_BYTES_MAX = 400_000;

export interface CountedNode {
  readonly node_key: NodeKey;
  readonly code: string;
}

/** Nodes of which a feed may count rows, as the statement takes them: by key, with their codes, fact keys and partitions. */
export interface CountedNodes {
  readonly keys: readonly NodeKey[];
  readonly codes: readonly string[];
  readonly factKeys: readonly string[];
  readonly partitions: readonly number[];
}

export function countedNodes(
  nodes: readonly CountedNode[],
  { source }: Pick<FeedRecord, 'source'>,
  partitionCount: number,
): CountedNodes {
  const factKeys = nodes.map(({ code }) => factKey('count', source, code));
  return {
    keys: nodes.map(({ node_key }) => node_key),
    codes: nodes.map(({ code }) => code),
    factKeys,
    partitions: factKeys.map((key) => partitionOf(key, partitionCount)),
  };
}

/** How many of these codes one fact may name. */
export function countedPerFact(codes: readonly string[]): number {
  const longest = codes.reduce((bytes, code) => Math.max(bytes, Buffer.byteLength(JSON.stringify(code)) + 1), 1);
  return Math.min(COUNTED_SKUS_MAX, Math.floor(CODES_BYTES_MAX / longest));
}

/** `time` makes a time of milliseconds. Parameters besides the statement's: 15–18 the nodes, 19 how many SKUs a fact may name. */
export const countedSql = (
  { measure }: Pick<FeedRecord, 'measure'>,
  time: (milliseconds: string) => string,
): string => `
  counted_nodes AS MATERIALIZED (
    SELECT node_key, sum(counted) = cardinality($4::int[]) AS is_all, min(earliest) AS earliest FROM blocks GROUP BY 1),
  counted AS (
    SELECT node_key, earliest, $5::text[] AS skus FROM counted_nodes WHERE is_all
     UNION ALL
    SELECT f.node_key, n.earliest, array_agg(k.code ORDER BY f.sku_key)
      FROM fresh f JOIN counted_nodes n ON n.node_key = f.node_key AND NOT n.is_all
      JOIN unnest($4::int[], $5::text[]) AS k (sku_key, code) ON k.sku_key = f.sku_key
     WHERE (SELECT bool_or(NOT is_all) FROM counted_nodes)
     GROUP BY 1, 2),
  counted_facts AS (
    INSERT INTO outbox (partition, key, subject, event_id, type, source, time, trace, data)
    SELECT n.partition, n.fact_key, '${ROWS_COUNTED}', ${factIdSql('n.fact_key', `concat($1::bigint, '.', $2::int, '.', part)`)},
           '${ROWS_COUNTED}', '${FACT_SOURCE}', (SELECT now FROM clock), $11,
           concat('{"source":', $14::text, ',"node":', to_json(n.code), ',"measure":"${measure}","capturedAt":"',
             to_char(${time('c.earliest')} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '","recordedAt":"', (SELECT iso FROM clock),
             '","skus":', to_json(c.skus[part * $19::int + 1 : (part + 1) * $19::int]), '}')::json
      FROM counted c JOIN unnest($15::int[], $16::text[], $17::text[], $18::smallint[]) AS n (node_key, code, fact_key, partition) USING (node_key)
     CROSS JOIN LATERAL generate_series(0, (cardinality(c.skus) - 1) / $19::int) AS part
     WHERE pg_current_xact_id() IS NOT NULL
     ORDER BY c.node_key, part)`;
