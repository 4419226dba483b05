/**
 * Refusals although enough units were available throughout the call in every ordering of the calls that overlap it:
 * everything that can have been taken by the end of the call was taken before it, and nothing that can have become
 * free only during it did.
 */
import type { HoldRecord } from '../history/history.ts';
import type { FloatingClaim } from './effect.ts';
import type { Finding } from './finding.ts';
import type { RowBounds } from './row-bounds.ts';
import { groupBy } from './group-by.ts';
import { Timeline } from './timeline.ts';

export const findUndersold = (
  holds: readonly HoldRecord[],
  bounds: ReadonlyMap<string, readonly RowBounds[]>,
  floating: readonly FloatingClaim[],
): Finding[] => {
  const floatingBySku = new Map(
    [...groupBy(floating, ({ sku }) => sku)].map(([sku, claims]) => [
      sku,
      new Timeline(claims.map(({ fromMs, quantity }) => ({ atMs: fromMs, quantity }))),
    ]),
  );
  const availableLeast = (hold: HoldRecord, sku: string): number => {
    const { fromMs, untilMs } = hold.interval;
    let total = -(floatingBySku.get(sku)?.until(untilMs) ?? 0);
    for (const row of bounds.get(sku) ?? []) {
      const own = hold.backed.reduce(
        (sum, one) => sum + (one.sku === sku && one.node === row.node ? one.quantity : 0),
        0,
      );
      total += Math.max(0, row.freeLeast(fromMs, untilMs) + own);
    }
    return total;
  };

  const findings: Finding[] = [];
  for (const hold of holds) {
    const detail = hold.outcome === 'refused' ? refusedWrongly(hold, availableLeast) : cutWrongly(hold, availableLeast);
    if (detail) findings.push({ check: 'undersold', count: 1, subject: hold.id, detail });
  }
  return findings;
};

type AvailableLeast = (hold: HoldRecord, sku: string) => number;

const refusedWrongly = (hold: HoldRecord, availableLeast: AvailableLeast): string | undefined => {
  const lines = [...hold.requested].map(([sku, wanted]) => ({ sku, wanted, least: availableLeast(hold, sku) }));
  // A partial request is right to be refused only if there was nothing of anything.
  const served = hold.allowPartial
    ? lines.find(({ least }) => least >= 1)
    : lines.every(({ wanted, least }) => least >= wanted) && lines[0];
  if (!served) return undefined;
  return `refused, though ${served.least} units of ${served.sku} were available throughout (${served.wanted} asked)`;
};

/** A partial grant that gave less of a line than was certainly there. */
const cutWrongly = (hold: HoldRecord, availableLeast: AvailableLeast): string | undefined => {
  if (hold.outcome !== 'granted') return undefined;
  for (const [sku, wanted] of hold.requested) {
    const granted = hold.backed.reduce((sum, one) => sum + (one.sku === sku ? one.quantity : 0), 0);
    if (granted >= wanted) continue;
    const least = availableLeast(hold, sku);
    if (Math.min(wanted, least) > granted)
      return `granted ${granted} of ${wanted} units of ${sku}, though ${least} were available throughout`;
  }
  return undefined;
};
