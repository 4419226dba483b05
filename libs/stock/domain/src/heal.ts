/** What the engine does by itself about promises that the book no longer covers: it moves them to where units are. */
import type { AllocationPolicy } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { type Relocated, relocateAll } from './relocate.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type SkuSupply, type Supplies, rowAt } from './supply.ts';

export interface Healing extends Relocated {
  /** Promised units by node that no eligible node can cover. */
  readonly short: readonly { readonly node: NodeKey; readonly quantity: number }[];
}

/**
 * Moves promises off the short rows of one SKU to wherever their channel's ATP has units. `candidates` are the open
 * reservations backed there, in the order in which they should move. Units on which a node works stay, and so do those of a
 * reservation that an order controls: where these go is for the order.
 */
export function healShortfall(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  rules: SellingRules,
  now: number,
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Healing {
  const healed = relocateAll(sku, candidates, supplies, uncovered, { rules, now, policy });
  const rows = healed.supplies.get(sku)?.rows ?? [];
  const short = rows
    .filter(({ shortfall }) => shortfall > 0)
    .map(({ node, shortfall }) => ({ node, quantity: shortfall }));
  return { ...healed, short };
}

const uncovered = (backing: Backing, supply: SkuSupply): number =>
  Math.min(open(backing), rowAt(supply, backing.node).shortfall);
