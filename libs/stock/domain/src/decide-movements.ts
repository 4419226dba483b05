/** Physical facts told by other systems. They are not asked for permission; only impossible ones are refused. */
import { damage, damageable, sell, setAside, supply } from './arithmetic.ts';
import { NO_WATERMARKS, type Watermark, type Watermarks, isLate, rowKey } from './feed.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from './result.ts';
import { stockAt } from './supply-row.ts';
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

/** Units that a row's newest count has already seen: they neither come to the book nor leave it. */
export interface LateUnits {
  /** Of the movement, from 0. */
  readonly index: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Units that would have come (> 0) or gone (< 0). */
  readonly quantity: number;
  readonly count: Watermark;
}

export interface MovementEffect extends SupplyEffect {
  readonly late: readonly LateUnits[];
  /** Number of postings that each movement made, in order: which posting belongs to which source event. */
  readonly postingsPerMovement: readonly number[];
}

/** When the movements happened, against the counts that may have seen them. */
export interface MovementTime {
  /** Milliseconds. */
  readonly occurredAt: number;
  readonly watermarks: Watermarks;
}

const AFTER_EVERY_COUNT: MovementTime = { occurredAt: Infinity, watermarks: NO_WATERMARKS };

/**
 * Applies all movements in order or, when one cannot be, none. `line` in a refusal counts from 1. What a row's newest
 * count has already seen moves states only: it neither adds units to the book nor takes them.
 */
export function decideMovements(
  movements: readonly StockMovement[],
  supplies: Supplies,
  time: MovementTime = AFTER_EVERY_COUNT,
): Decision<MovementEffect> {
  const draft = new SupplyDraft(supplies);
  const postingsPerMovement: number[] = [];
  const late: LateUnits[] = [];
  let before = 0;
  for (const [index, movement] of movements.entries()) {
    const there = takeable(draft, movement);
    const wanted = Math.abs(movement.quantity);
    if (there !== null && there < wanted) return reject({ code: 'movement.exceeds_stock', line: index + 1, there });
    applyMovement(draft, movement, (sku, node, quantity) => {
      const count = time.watermarks.get(rowKey(sku, node));
      if (!count || !isLate(count, time.occurredAt)) return false;
      late.push({ index, sku, node, quantity, count });
      return true;
    });
    const count = draft.effect().postings.length;
    postingsPerMovement.push(count - before);
    before = count;
  }
  return accept({ ...draft.effect(), postingsPerMovement, late });
}

/** Units the movement may take from a state; null where physical truth sets no bound. */
function takeable(draft: SupplyDraft, { type, sku, node, quantity }: StockMovement): number | null {
  const row = rowAt(draft.supply(sku), node);
  if (type === 'damage') return damageable(row);
  if (type === 'safety_stock') return quantity > 0 ? row.available : row.safetyStock;
  return null;
}

function applyMovement(
  draft: SupplyDraft,
  { type, sku, node, toNode, quantity }: StockMovement,
  isCounted: (sku: SkuKey, node: NodeKey, units: number) => boolean,
): void {
  const add = (at: NodeKey, units: number): void => {
    if (isCounted(sku, at, units)) return;
    draft.change(sku, stockAt(at), (row) => (units > 0 ? supply(row, units) : sell(row, -units)));
  };
  switch (type) {
    case 'sale':
      return add(node, -quantity);
    case 'receipt':
    case 'found':
    case 'adjustment':
      return add(node, quantity);
    case 'damage':
      return draft.change(sku, stockAt(node), (row) => damage(row, quantity));
    case 'safety_stock':
      return draft.change(sku, stockAt(node), (row) => setAside(row, quantity));
    case 'transfer':
      if (toNode === null) throw new Error('Broken invariant: a transfer without its destination');
      // Units that stay where they are keep their state: taking and giving would make damaged ones available.
      if (toNode === node) return;
      add(node, -quantity);
      return add(toNode, quantity);
  }
}
