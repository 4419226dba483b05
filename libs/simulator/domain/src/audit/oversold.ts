/**
 * Grants that no ordering of the overlapping calls can have backed.
 *
 * Two necessary conditions, each linear in the number of effects after sorting:
 *  1. One claim alone: even if all that may have become free before it did, and only what must have been taken before
 *     it was, its node did not have the units.
 *  2. A set of claims that were all answered by an instant: the last of them, whichever it was, left at least zero
 *     units free. So all that may have become free by then covers the whole set and every physical event that
 *     certainly came before that last one. This is what catches two overlapping buyers of one unit.
 * Neither can fail under a correct system. Together they don't find every impossible history: that is a scheduling
 * problem; what they miss at one instant, the balance at quiescence shows as broken or lost units.
 */
import type { Finding } from './finding.ts';
import type { RowBounds } from './row-bounds.ts';

export const findOversold = (bounds: ReadonlyMap<string, readonly RowBounds[]>): Finding[] => {
  const findings: Finding[] = [];
  for (const [sku, rows] of bounds) {
    for (const row of rows) findings.push(...oversoldOf(sku, row));
  }
  return findings;
};

const oversoldOf = (sku: string, row: RowBounds): Finding[] => {
  const { claims } = row;
  const findings: Finding[] = [];
  let answered = 0;
  let latestStart = -Infinity;
  // `lastFrom` and the window below track the claims that can have been the last one of those answered so far.
  let lastFrom = 0;
  const window: number[] = [];
  claims.forEach((claim, index) => {
    const { fromMs, untilMs, promised } = claim;
    answered += promised;
    latestStart = Math.max(latestStart, fromMs);
    while (window.length > 0 && (claims[window.at(-1) ?? 0]?.fromMs ?? 0) >= fromMs) window.pop();
    window.push(index);
    while ((claims[lastFrom]?.untilMs ?? Infinity) < latestStart) lastFrom += 1;
    while ((window[0] ?? index) < lastFrom) window.shift();
    const lastStart = claims[window[0] ?? index]?.fromMs ?? fromMs;

    const risen = row.riseMost(untilMs);
    const alone = promised - (risen - row.fallLeast(fromMs) - row.claimLeast(fromMs));
    const together = answered - (risen - row.fallLeast(lastStart));
    const missing = Math.min(promised, Math.max(alone, together));
    if (missing > 0) {
      const detail = `${promised} units promised to ${claim.cause}, ${missing} of them not there in any order`;
      findings.push({ check: 'oversold', count: missing, subject: `${sku} at ${row.node}`, detail });
    }
  });
  return findings;
};
