/** Where units go that arrive sound: for sale at once, or first to be looked at. */
import type { NodeKey } from './keys.ts';

export interface ReceiptPolicy {
  /** Null: at every node. */
  readonly node: NodeKey | null;
  /** Why units come, as the receipt says; null: for whatever reason. */
  readonly reason: string | null;
  readonly to: 'available' | 'quality_control';
}

/** What names the node holds before what names the reason, and what names both before either; without any, units are for sale. */
export function receiptStateOf(
  policies: readonly ReceiptPolicy[],
  node: NodeKey,
  reason: string | null,
): ReceiptPolicy['to'] {
  let best: ReceiptPolicy | null = null;
  for (const policy of policies) {
    if (policy.node !== null && policy.node !== node) continue;
    if (policy.reason !== null && policy.reason !== reason) continue;
    if (!best || weight(policy) > weight(best) || isStricter(policy, best)) best = policy;
  }
  return best?.to ?? 'available';
}

const weight = ({ node, reason }: ReceiptPolicy): number => (node === null ? 0 : 2) + (reason === null ? 0 : 1);

/** Of two that say the same of different things, the one that has units looked at. */
const isStricter = (policy: ReceiptPolicy, than: ReceiptPolicy): boolean =>
  weight(policy) === weight(than) && policy.to === 'quality_control';
