/**
 * Watermarks of rows, as the counts of feeds have left them (ADR 0009). They are kept in blocks: one array of capture
 * times (ms, 0 for none) for 128 consecutive SKU keys at one node, so that a feed of a million rows writes thousands of
 * them and no index entry for each row.
 */
import {
  COUNTED_STATES,
  type CountedState,
  NO_WATERMARKS,
  STAGES,
  type SkuKey,
  type Watermark,
  type Watermarks,
  newerCount,
  rowKey,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { stageOf } from '../sources/source-book.ts';
import type { Command, Verb } from '../requests/command.ts';

/** A block holds 2^7 SKU keys. */
export const BLOCK_BITS = 7;
export const BLOCK_MASK = 2 ** BLOCK_BITS - 1;

/** Verbs by which units come, or go. */
const PHYSICAL_VERBS: ReadonlySet<string> = new Set<Verb['name']>(['fulfil', 'unfulfil', 'reject']);

/** The SKUs of commands that may move physical units; holds and their like need no watermark. */
export const skusWithEvents = (commands: readonly Command[]): readonly SkuKey[] =>
  commands.flatMap((command) =>
    command.kind === 'movements' ||
    command.kind === 'receive' ||
    command.kind === 'ship' ||
    (command.kind === 'verb' && PHYSICAL_VERBS.has(command.verb.name))
      ? command.skus
      : [],
  );

/** After the stages: of a count of one state, its place among those that are counted. */
const MEASURE_OF_TOTALS_MAX = STAGES.length;
export const measureOf = (state: CountedState): number => MEASURE_OF_TOTALS_MAX + 1 + COUNTED_STATES.indexOf(state);
export const countedStateOf = (measure: number): CountedState | undefined =>
  COUNTED_STATES[measure - MEASURE_OF_TOTALS_MAX - 1];
/** That a watermark is of a count of all that is there, or of all that may be promised. */
export const OF_TOTALS = `measure <= ${MEASURE_OF_TOTALS_MAX}`;

interface WatermarkRecord {
  sku_key: number;
  node_key: number;
  captured_at: number;
  /** 0 is physical; then come the stages at which its source deducts, and states that are counted by themselves. */
  measure: number;
  source: string;
}

/** The newest count of every row of these SKUs that has one, and of each of its states. The caller holds their gates. */
export async function readWatermarks(
  client: Pick<pg.ClientBase, 'query'>,
  skus: readonly SkuKey[],
): Promise<Watermarks> {
  if (skus.length === 0) return NO_WATERMARKS;
  const { rows } = await client.query<WatermarkRecord>({
    name: 'watermarks',
    text: `SELECT k.sku_key, w.node_key, w.measure, s.name AS source, max(w.captured[(k.sku_key & ${BLOCK_MASK}) + 1]) AS captured_at
             FROM unnest($1::int[]) AS k (sku_key) JOIN feed_watermark w ON w.block = k.sku_key >> ${BLOCK_BITS}
             JOIN source s USING (source_key)
            WHERE w.captured[(k.sku_key & ${BLOCK_MASK}) + 1] > 0
            GROUP BY k.sku_key, w.node_key, w.measure, s.source_key, s.name`,
    values: [[...new Set(skus)]],
  });
  const newest = new Map<string, Watermark>();
  for (const { sku_key, node_key, captured_at, measure, source } of rows) {
    const key = rowKey(sku_key, node_key, countedStateOf(measure));
    const known = newest.get(key);
    const count = { capturedAt: captured_at, deductsAt: stageOf(measure), source };
    newest.set(key, known ? newerCount(known, count) : count);
  }
  return newest;
}
