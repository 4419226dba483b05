/**
 * When did a quantity move to another node? The client did not ask for it; the system's time stamp says when, by a clock
 * that the client does not share. Calls that the client did make carry stamps of the same clock: what was recorded
 * before the move and had been sent at time t puts the move after t. No offset is guessed, only the order of stamps
 * is used, and that only if all of them agree with the client's own order; otherwise the move is merely known to lie
 * between the reservation's hold and the arrival of the fact.
 */
import type { ConfirmFact, History, Interval, MoveFact } from '../history/history.ts';

interface Stamp {
  readonly recordedAtMs: number;
  readonly interval: Interval;
}

/** Answers the latest client time that certainly precedes a stamp, or −∞. */
export type EarliestOf = (recordedAtMs: number) => number;

export const stampsOf = (history: History, facts: readonly ConfirmFact[]): Stamp[] => {
  const confirms = new Map(history.confirms.map(({ reservation, interval }) => [reservation, interval]));
  const stamps: Stamp[] = [];
  for (const { reservation, recordedAtMs } of facts) {
    const interval = confirms.get(reservation);
    if (interval) stamps.push({ recordedAtMs, interval });
  }
  for (const { recordedAtMs, interval } of history.movements) {
    if (recordedAtMs !== undefined) stamps.push({ recordedAtMs, interval });
  }
  return stamps.sort((a, b) => a.recordedAtMs - b.recordedAtMs);
};

/** Builds the bound from stamps sorted by time; `undefined` when the stamps contradict the client's order. */
export const clockBound = (stamps: readonly Stamp[]): EarliestOf | undefined => {
  // latest[i]: the latest start among the first i stamps; strictly earlier stamps only, as milliseconds tie.
  const latest: number[] = [-Infinity];
  for (const { interval } of stamps) latest.push(Math.max(latest.at(-1) ?? -Infinity, interval.fromMs));
  const earliestOf: EarliestOf = (recordedAtMs) => {
    let low = 0;
    let high = stamps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((stamps[middle]?.recordedAtMs ?? Infinity) < recordedAtMs) low = middle + 1;
      else high = middle;
    }
    return latest[low] ?? -Infinity;
  };
  const consistent = stamps.every(({ recordedAtMs, interval }) => earliestOf(recordedAtMs) <= interval.untilMs);
  return consistent ? earliestOf : undefined;
};

/** The interval in which each move took effect, by the client's clock. */
export const placeMoves = (
  history: History,
  moves: readonly MoveFact[],
  confirmFacts: readonly ConfirmFact[],
): Interval[] => {
  const held = new Map(history.holds.map(({ id, interval }) => [id, interval.fromMs]));
  const earliestOf = moves.length > 0 ? clockBound(stampsOf(history, confirmFacts)) : undefined;
  return moves.map(({ reservation, recordedAtMs, receivedAtMs }) => ({
    fromMs: Math.min(
      receivedAtMs,
      Math.max(held.get(reservation) ?? -Infinity, earliestOf?.(recordedAtMs) ?? -Infinity),
    ),
    untilMs: receivedAtMs,
  }));
};
