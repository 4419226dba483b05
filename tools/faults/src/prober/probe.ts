/** One hold of one unit and what came of it; times by the drill's own clock, in milliseconds. */
export interface Probe {
  readonly id: string;
  readonly url: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** `try_again` is a 429 or 503 with Retry-After; `unexpected` is any other answer than that and a grant. */
  readonly outcome: 'granted' | 'try_again' | 'unanswered' | 'unexpected';
  readonly detail: string;
}

/** Nearest rank; undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)];
}
