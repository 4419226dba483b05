/**
 * What follows from a changed SKU, whoever changed it: rows to be written and told, and promises that are worth another look. The
 * statement of a reset says the same in SQL for a million rows; a spec holds it against this.
 */
import type { Transfer } from './posting.ts';
import type { SupplyRow } from './supply-row.ts';
import type { FenceUse } from './fence.ts';
import { type SkuSupply, availableOf, fenceUsesOf, shortfallOf } from './supply.ts';

export interface Consequences {
  /** Rows that are not what they were, in their order. */
  readonly rows: readonly SupplyRow[];
  /** Whether promises should be looked at: others could back them, or what was told of them is not true any more. */
  readonly needsLook: boolean;
  /** Whether such a look must begin with the newest promise: some have lost their units, or there are more units to go to. */
  readonly beginsAnew: boolean;
}

/** Whether a transfer leaves promised units without cover. */
export const leavesShort = ({ from }: Pick<Transfer, 'from'>): boolean => from === 'shortfall';

/**
 * `newlyShort`: some promised units have lost their cover since anyone last looked at all who stand behind them. Where nobody
 * has, and no unit is available either, another look would find what the last one did.
 *
 * `after` must have come of `before` by changes of a draft: a row keeps its place in its supply, and a new one comes last.
 */
export function consequencesOf(
  before: SkuSupply,
  after: SkuSupply,
  { newlyShort }: { readonly newlyShort: boolean },
): Consequences {
  const rows: SupplyRow[] = [];
  let isMended = false;
  let isFreer = false;
  const compare = (now: readonly SupplyRow[], then: readonly SupplyRow[]): void => {
    for (const [place, row] of now.entries()) {
      const earlier = then[place];
      if (row === earlier) continue;
      rows.push(row);
      isMended ||= row.shortfall < (earlier?.shortfall ?? 0);
      isFreer ||= row.kind === 'stock' && row.available > (earlier?.available ?? 0);
    }
  };
  compare(after.rows, before.rows);
  if (after.future !== before.future) compare(after.future, before.future);
  const mayMove = shortfallOf(after) > 0 && (newlyShort || availableOf(after) > 0);
  return { rows, needsLook: isMended || mayMove, beginsAnew: newlyShort || isFreer };
}

/** Fence uses that are not what they were. `after` must have come of `before` as above. */
export function changedFenceUses(before: SkuSupply, after: SkuSupply): readonly FenceUse[] {
  const then = fenceUsesOf(before);
  return fenceUsesOf(after).filter(({ used }, place) => used !== (then[place]?.used ?? 0));
}
