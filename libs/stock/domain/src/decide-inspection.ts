/** Units that were to be looked at have been: they are for sale, or damaged. */
import { moveState } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import { type Supplies, SupplyDraft, type SupplyEffect } from './supply.ts';
import { stockAt } from './supply-row.ts';

/** Units that wait for approval, of which some may have been judged already. */
export interface Inspection {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Units that nobody has judged yet. */
  readonly open: number;
}

export interface JudgedUnits {
  readonly approved: number;
  readonly rejected: number;
}

/** So many units of each kind, or all that nobody has judged yet. */
export type Judgement = JudgedUnits | { readonly all: keyof JudgedUnits };

const unitsOf = (judgement: Judgement, open: number): JudgedUnits =>
  'all' in judgement ? { approved: 0, rejected: 0, [judgement.all]: open } : judgement;

export interface InspectionEffect {
  readonly effect: SupplyEffect;
  /** As many as the row had. What was approved has come free, and the caller offers it to those who wait. */
  readonly moved: JudgedUnits;
  /** Units that were judged and are not in the book any more: sold past inspection, or netted when they came. */
  readonly missing: number;
  readonly open: number;
}

/** The whole of an inspection or a part. Judging more than is open is refused; rejected units are found before approved ones. */
export function decideInspection(
  { sku, node, open }: Inspection,
  judgement: Judgement,
  supplies: Supplies,
): Decision<InspectionEffect> {
  const { approved, rejected } = unitsOf(judgement, open);
  const judged = approved + rejected;
  // Whoever says so of all has not seen that somebody else has judged them.
  const isDone = 'all' in judgement && open === 0;
  if (isDone || judged > open) return reject({ code: 'inspection.exceeds_open', open });
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

/** What becomes of open inspections of a row when so many units are counted there. */
export interface InspectionsAfterCount {
  /** Units that are not there, of each of them. */
  readonly missing: readonly number[];
  /** Units that none of them speaks of. */
  readonly beyond: number;
}

/** `open`: units of each that nobody has judged yet, oldest first. What was counted is in the newest of them. */
export function countInspections(open: readonly number[], counted: number): InspectionsAfterCount {
  let gone = Math.max(0, open.reduce((sum, units) => sum + units, 0) - counted);
  const missing = open.map((units) => {
    const taken = Math.min(units, gone);
    gone -= taken;
    return taken;
  });
  return { missing, beyond: Math.max(0, counted - open.reduce((sum, units) => sum + units, 0)) };
}
