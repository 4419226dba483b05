/** Physical facts told by other systems. They are not asked for permission; only impossible ones are refused. */
import { damage, damageable, sell, setAside, supply } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { type Decision, accept, reject } from './rejection.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowAt } from './supply.ts';

export type MovementType = 'sale' | 'receipt' | 'found' | 'damage' | 'adjustment' | 'transfer' | 'safety_stock';

export interface StockMovement {
  readonly type: MovementType;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Where a transfer arrives. */
  readonly toNode: NodeKey | null;
  /** Units; signed for `adjustment` and `safety_stock`, else ≥ 1. */
  readonly quantity: number;
}

export interface MovementEffect extends SupplyEffect {
  /** Number of postings that each movement made, in order: which posting belongs to which source event. */
  readonly postingsPerMovement: readonly number[];
}

/** Applies all movements in order or, when one cannot be, none. `line` in a refusal counts from 1. */
export function decideMovements(movements: readonly StockMovement[], supplies: Supplies): Decision<MovementEffect> {
  const draft = new SupplyDraft(supplies);
  const postingsPerMovement: number[] = [];
  let before = 0;
  for (const [index, movement] of movements.entries()) {
    const there = takeable(draft, movement);
    const wanted = Math.abs(movement.quantity);
    if (there !== null && there < wanted) return reject({ code: 'movement.exceeds_stock', line: index + 1, there });
    applyMovement(draft, movement);
    const count = draft.effect().postings.length;
    postingsPerMovement.push(count - before);
    before = count;
  }
  return accept({ ...draft.effect(), postingsPerMovement });
}

/** Units the movement may take from a state; null where physical truth sets no bound. */
function takeable(draft: SupplyDraft, { type, sku, node, quantity }: StockMovement): number | null {
  const row = rowAt(draft.supply(sku), node);
  if (type === 'damage') return damageable(row);
  if (type === 'safety_stock') return quantity > 0 ? row.available : row.safetyStock;
  return null;
}

function applyMovement(draft: SupplyDraft, { type, sku, node, toNode, quantity }: StockMovement): void {
  switch (type) {
    case 'sale':
      return draft.change(sku, node, (row) => sell(row, quantity));
    case 'receipt':
    case 'found':
      return draft.change(sku, node, (row) => supply(row, quantity));
    case 'damage':
      return draft.change(sku, node, (row) => damage(row, quantity));
    case 'adjustment':
      return draft.change(sku, node, (row) => (quantity > 0 ? supply(row, quantity) : sell(row, -quantity)));
    case 'safety_stock':
      return draft.change(sku, node, (row) => setAside(row, quantity));
    case 'transfer':
      if (toNode === null) throw new Error('Broken invariant: a transfer without its destination');
      // Units that stay where they are keep their state: taking and giving would make damaged ones available.
      if (toNode === node) return;
      draft.change(sku, node, (row) => sell(row, quantity));
      return draft.change(sku, toNode, (row) => supply(row, quantity));
  }
}
