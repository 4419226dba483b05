/** A figure over rounds: its median, and the lowest and highest round. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value; the mean of the two middle ones when their number is even. @throws on an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The median where every value could be measured, else null. */
export function medianOfAll(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : median(known);
}

export function spreadOf(values: readonly number[]): Spread {
  return Object.freeze({ median: median(values), min: Math.min(...values), max: Math.max(...values) });
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank), so it is always one that was
 * measured. @throws on an empty list.
 */
export function percentile(values: Float64Array | readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('a percentile of nothing');
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Ratios round by round: both sides of each ratio were measured seconds apart, so a slow minute slows both. */
export function ratios(over: readonly number[], under: readonly number[]): readonly number[] {
  if (over.length !== under.length) throw new RangeError('two measures of different numbers of rounds');
  return over.map((value, round) => value / (under[round] ?? Number.NaN));
}
