/** Admission of a hold: sums duplicate lines, asks ATP, allocates, and grants all or nothing unless partial is allowed. */
import { hold } from './arithmetic.ts';
import { type Allocated, type AllocationPolicy, type Destination, allocationOf } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import { type Perspective, channelAtp } from './atp.ts';
import type { SkuKey } from './keys.ts';
import type { Decision, Shortage } from './rejection.ts';
import { accept, reject } from './result.ts';
import { type Backing, type ReservationLine, newBacking } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { SupplyDraft, type Supplies, type SupplyEffect } from './supply.ts';

export interface HoldDemand {
  readonly lines: readonly { readonly sku: SkuKey; readonly quantity: number }[];
  readonly allowPartial: boolean;
  readonly destination: Destination | null;
}

export interface Grant {
  readonly lines: readonly ReservationLine[];
  readonly backings: readonly Backing[];
  readonly effect: SupplyEffect;
}

/** Duplicate lines of one SKU become one, in the order of their first appearance. */
export function sumLines(lines: HoldDemand['lines']): HoldDemand['lines'] {
  const sums = new Map<SkuKey, number>();
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return sums.size === lines.length ? lines : [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

const NOT_ASKED: Allocated = { allocations: [], leftover: 0 };

/**
 * Grants backed units or answers `stock.insufficient` with every short line. A partial hold is refused only when not
 * one unit can be granted. Units at nodes that the policy refuses are not there for it.
 */
export function decideHold(
  demand: HoldDemand,
  supplies: Supplies,
  rules: SellingRules,
  perspective: Perspective,
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Decision<Grant> {
  const draft = new SupplyDraft(supplies);
  const lines: ReservationLine[] = [];
  const backings: Backing[] = [];
  const shortages: Shortage[] = [];
  for (const { sku, quantity } of sumLines(demand.lines)) {
    const { atp, nodes } = channelAtp(draft.supply(sku), rules, perspective);
    const wanted = Math.min(quantity, atp);
    const isRefused = wanted < quantity && !demand.allowPartial;
    const { allocations, leftover } = isRefused
      ? NOT_ASKED
      : allocationOf(policy, { quantity: wanted, destination: demand.destination, rules }, nodes);
    const granted = wanted - leftover;
    if (granted < quantity) shortages.push({ sku, requested: quantity, atp: granted });
    if (granted < quantity && !demand.allowPartial) continue;
    lines.push({ sku, requested: quantity, granted });
    for (const { node, quantity: units } of allocations) {
      draft.change(sku, node, (row) => hold(row, units));
      backings.push(newBacking(sku, node, { held: units }));
    }
  }
  const refused = demand.allowPartial ? backings.length === 0 : shortages.length > 0;
  if (refused) return reject({ code: 'stock.insufficient', shortages });
  return accept({ lines, backings, effect: draft.effect() });
}
