/**
 * Counts told by other systems. A count speaks of its capture time: the book becomes what was counted then, plus what
 * has happened since, and events that turn out to have happened before it are in the count already (ADR 0009).
 */
import { type RowChange, sell, supply } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { type Backing, STAGES, type Stage } from './reservation.ts';
import type { CountedState } from './stock-states.ts';
import { type SupplyRow, net } from './supply-row.ts';

/** What a reset counts: units that are there, or units the other system has not yet promised. */
export type Measure = 'physical' | 'availability';

/** The newest count that a row took. */
export interface Watermark {
  /** Milliseconds; when it was captured. */
  readonly capturedAt: number;
  /**
   * Of a count of availability: the stage from which on its source no longer counts promised units. Null of a physical count,
   * which counts them until they are gone.
   */
  readonly deductsAt: Stage | null;
  /** Who counted. */
  readonly source: string;
}

/** Watermarks of the rows that have one, and of their states that were counted by themselves, by {@link rowKey}. */
export type Watermarks = ReadonlyMap<string, Watermark>;

export const NO_WATERMARKS: Watermarks = new Map();

/** Of a row, or of one of its states. */
export const rowKey = (sku: SkuKey, node: NodeKey, state?: CountedState): string =>
  state === undefined ? `${sku}:${node}` : `${sku}:${node}:${state}`;

/** Of two counts of a row the newer one; of one moment the one that knows more, since it leaves out less. */
export function newerCount(one: Watermark, other: Watermark): Watermark {
  if (one.capturedAt !== other.capturedAt) return one.capturedAt > other.capturedAt ? one : other;
  return knowledgeOf(one) >= knowledgeOf(other) ? one : other;
}

const knowledgeOf = ({ deductsAt }: Watermark): number =>
  deductsAt === null ? STAGES.length : STAGES.indexOf(deductsAt);

/** Whether an event of that time (ms) was already in what the row's newest count saw. */
export const isLate = (watermark: Watermark | undefined, occurredAt: number): boolean =>
  watermark !== undefined && occurredAt <= watermark.capturedAt;

/** What is known of a row besides its book, to place a count in time. All in units. */
export interface SinceCapture {
  /** Physical units that came, less those that went, after the capture. */
  readonly physicalDelta: number;
  /**
   * Units that were promised at the capture and past the stage at which the other system deducts, wherever they went since: open
   * ones, shipped ones and ones given back.
   */
  readonly acknowledged: number;
  /** Units that have become damaged or kept for inspection after the capture, less those that have left these states since. */
  readonly sidelined: number;
}

/** Units by which the book is to change (> 0 found, < 0 gone) so that it says what was counted and what happened since. */
export function resetDifference(
  row: SupplyRow,
  counted: number,
  measure: Measure,
  { physicalDelta, acknowledged, sidelined }: SinceCapture,
): number {
  // Of what is damaged or kept for inspection, a count of availability left out what was so at its capture.
  const beside = measure === 'availability' ? acknowledged + row.damaged + row.qualityControl - sidelined : 0;
  return counted + beside + physicalDelta - net(row);
}

/** Applies a difference as units that turned up or went; never refused, for physical truth wins. */
export const applyDifference = (row: SupplyRow, difference: number): RowChange =>
  difference > 0 ? supply(row, difference) : sell(row, -difference);

/**
 * Of units of a backing that are told to have shipped at that time, those that the row's newest count no longer saw, so that
 * the book does not have them any more. A count of availability leaves out what its source had deducted, and the book was given
 * those units beside it: they leave it when they ship. Which units ship first is known: those with which the node has come farthest.
 */
export function countedAsShipped(
  backing: Backing,
  quantity: number,
  watermark: Watermark | undefined,
  occurredAt: number,
): number {
  if (watermark === undefined || !isLate(watermark, occurredAt)) return 0;
  const { deductsAt } = watermark;
  return deductsAt === null ? quantity : quantity - Math.min(quantity, backing[deductsAt]);
}
