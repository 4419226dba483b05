/** Units that have come to quality control wait there for approval: for each row and cause an inspection opens. */
import { type Posting, receiptRuleOf } from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { NewInspection, RowQuantity, Writes } from './batch-writes.ts';

type Cause = Omit<NewInspection, keyof RowQuantity | 'dueAt'>;

/** Within what time they should be judged is for the policy of the node and the reason to say. */
export function openInspections(
  units: readonly RowQuantity[],
  cause: Cause,
  { rules, now }: Pick<BatchState, 'rules' | 'now'>,
  { newInspections }: Pick<Writes, 'newInspections'>,
): void {
  for (const one of units) {
    const { inspectWithinMs } = receiptRuleOf(rules.receiptPolicies, one.node, cause.reason);
    newInspections.push({ ...one, ...cause, dueAt: now + inspectWithinMs });
  }
}

/** Units that postings took to quality control, by row. What is on its way has not come there yet. */
export function takenToInspection(postings: readonly Posting[]): readonly RowQuantity[] {
  const rows = new Map<string, RowQuantity>();
  for (const { sku, at, to, quantity } of postings) {
    if (to !== 'quality_control' || at.kind !== 'stock') continue;
    const key = `${sku}:${at.node}`;
    rows.set(key, { sku, node: at.node, quantity: (rows.get(key)?.quantity ?? 0) + quantity });
  }
  return [...rows.values()];
}
