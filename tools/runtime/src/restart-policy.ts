/** A process that lived this long counts as healthy: its next end is again followed by an immediate start. */
export const HEALTHY_AFTER_MS = 30_000;

const FIRST_DELAY_MS = 250;
const DELAY_MAX_MS = 10_000;

/**
 * How long to wait before a process is started again. `quickEndsInRow` counts the ends before this one that came soon
 * after a start: the first restart is immediate, the following wait 250 ms, 500 ms, … at most 10 s.
 */
export function restartDelayMs(quickEndsInRow: number): number {
  if (quickEndsInRow <= 0) return 0;
  return Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** Math.min(quickEndsInRow - 1, 16));
}
