/**
 * Counts told by other systems. A count speaks of its capture time: the book becomes what was counted then, plus what
 * has happened since, and events that turn out to have happened before it are in the count already (ADR 0009).
 */
import { type RowChange, sell, supply } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { type StockRow, onHand } from './stock-row.ts';

/** What a reset counts: units that are there, or units the other system has not yet promised. */
export type Measure = 'physical' | 'availability';

/** The newest count that a row took. */
export interface Watermark {
  /** Milliseconds; when it was captured. */
  readonly capturedAt: number;
  readonly measure: Measure;
  /** Who counted. */
  readonly source: string;
}

/** Watermarks of the rows that have one, by {@link rowKey}. */
export type Watermarks = ReadonlyMap<string, Watermark>;

export const NO_WATERMARKS: Watermarks = new Map();

export const rowKey = (sku: SkuKey, node: NodeKey): string => `${sku}:${node}`;

/** Whether an event of that time (ms) was already in what the row's newest count saw. */
export const isLate = (watermark: Watermark | undefined, occurredAt: number): boolean =>
  watermark !== undefined && occurredAt <= watermark.capturedAt;

/** What is known of a row besides its book, to place a count in time. All in units. */
export interface SinceCapture {
  /** Physical units that came, less those that went, after the capture. */
  readonly physicalDelta: number;
  /**
   * Units promised at the capture of which the node knew then, wherever they went since: open ones, shipped ones and
   * ones given back. The other system had deducted them already.
   */
  readonly acknowledged: number;
}

/** Units by which the book is to change (> 0 found, < 0 gone) so that it says what was counted and what happened since. */
export function resetDifference(
  row: StockRow,
  counted: number,
  measure: Measure,
  { physicalDelta, acknowledged }: SinceCapture,
): number {
  const beside = measure === 'availability' ? acknowledged + row.damaged + row.qualityControl : 0;
  return counted + beside + physicalDelta - (onHand(row) - row.overdrawn);
}

/** Applies a difference as units that turned up or went; never refused, for physical truth wins. */
export const applyDifference = (row: StockRow, difference: number): RowChange =>
  difference > 0 ? supply(row, difference) : sell(row, -difference);

/**
 * Whether a shipment of that time was over when the row's newest count was taken, so that the units are in it no more.
 * An availability count never has units the node had set aside for us: these leave the book when they ship.
 */
export const isShipmentCounted = (
  watermark: Watermark | undefined,
  occurredAt: number,
  acknowledgedAt: number | null,
): boolean => {
  if (watermark === undefined || !isLate(watermark, occurredAt)) return false;
  const wasDeducted = acknowledgedAt !== null && acknowledgedAt <= watermark.capturedAt;
  return !(watermark.measure === 'availability' && wasDeducted);
};
