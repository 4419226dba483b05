/** Where units go that arrive sound: for sale at once, or first to be inspected, and within what time. */
import type { NodeKey } from './keys.ts';

export interface ReceiptRule {
  readonly to: 'available' | 'quality_control';
  /** Milliseconds within which units that have to be inspected should be judged. */
  readonly inspectWithinMs: number;
}

export interface ReceiptPolicy extends ReceiptRule {
  /** Null: at every node. */
  readonly node: NodeKey | null;
  /** Why units come, as the receipt says; null: for whatever reason. */
  readonly reason: string | null;
}

const HOUR_MS = 3_600_000;
const WITHOUT_POLICY: ReceiptRule = { to: 'available', inspectWithinMs: 48 * HOUR_MS };

/** What names the node holds before what names the reason, and what names both before either; without any, units are for sale. */
export function receiptRuleOf(policies: readonly ReceiptPolicy[], node: NodeKey, reason: string | null): ReceiptRule {
  let best: ReceiptPolicy | null = null;
  for (const policy of policies) {
    if (policy.node !== null && policy.node !== node) continue;
    if (policy.reason !== null && policy.reason !== reason) continue;
    if (!best || weight(policy) > weight(best) || isStricter(policy, best)) best = policy;
  }
  return best ?? WITHOUT_POLICY;
}

const weight = ({ node, reason }: ReceiptPolicy): number => (node === null ? 0 : 2) + (reason === null ? 0 : 1);

/** Of two that are for the same: the one that has units inspected, and sooner. */
function isStricter(policy: ReceiptPolicy, than: ReceiptPolicy): boolean {
  if (weight(policy) !== weight(than)) return false;
  if (policy.to !== than.to) return policy.to === 'quality_control';
  return policy.inspectWithinMs < than.inspectWithinMs;
}
