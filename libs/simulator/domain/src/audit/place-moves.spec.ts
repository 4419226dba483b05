import { describe, expect, it } from '@jest/globals';
import type { Interval } from '../history/history.ts';
import { clockBound } from './place-moves.ts';

const stamp = (recordedAtMs: number, fromMs: number, untilMs: number) => ({
  recordedAtMs,
  interval: { fromMs, untilMs } satisfies Interval,
});

describe('clockBound', () => {
  it('puts a stamp after the calls whose stamps are strictly earlier', () => {
    const earliestOf = clockBound([stamp(1_000, 5, 8), stamp(1_010, 16, 20), stamp(1_020, 24, 30)]);
    expect([999, 1_000, 1_001, 1_015, 1_020, 9_999].map((at) => earliestOf?.(at))).toEqual([
      -Infinity,
      -Infinity,
      5,
      16,
      16,
      24,
    ]);
  });

  it('gives no bound when the stamps contradict the order of the calls, as two skewed clocks do', () => {
    expect(clockBound([stamp(1_000, 50, 60), stamp(2_000, 5, 8)])).toBeUndefined();
  });
});
