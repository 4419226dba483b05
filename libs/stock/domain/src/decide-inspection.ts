/** Units that were to be looked at have been: they are for sale, or damaged. */
import { moveState } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from './result.ts';
import { type Supplies, SupplyDraft, type SupplyEffect } from './supply.ts';
import { stockAt } from './supply-row.ts';

export interface Inspection {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Units that nobody has judged yet. */
  readonly open: number;
}

export interface Judgement {
  readonly approved: number;
  readonly rejected: number;
}

export interface InspectionEffect {
  readonly effect: SupplyEffect;
  /** As many as the row had. What was approved has come free, and the caller offers it to those who wait. */
  readonly moved: Judgement;
  /** Units that were judged and are not in the book any more: sold past inspection, or netted when they came. */
  readonly missing: number;
  readonly open: number;
}

/** The whole of an inspection or a part. Judging more than is open is refused; rejected units are found before approved ones. */
export function decideInspection(
  { sku, node, open }: Inspection,
  { approved, rejected }: Judgement,
  supplies: Supplies,
): Decision<InspectionEffect> {
  const judged = approved + rejected;
  if (judged > open) return reject({ code: 'movement.exceeds_stock', line: 1, there: open });
  const draft = new SupplyDraft(supplies);
  const moved = { approved: 0, rejected: 0 };
  draft.change(sku, stockAt(node), (row) => {
    moved.rejected = Math.min(rejected, row.qualityControl);
    return moveState(row, 'quality_control', 'damaged', moved.rejected);
  });
  draft.change(sku, stockAt(node), (row) => {
    moved.approved = Math.min(approved, row.qualityControl);
    return moveState(row, 'quality_control', 'available', moved.approved);
  });
  const missing = judged - moved.approved - moved.rejected;
  return accept({ effect: draft.effect(), moved, missing, open: open - judged });
}
