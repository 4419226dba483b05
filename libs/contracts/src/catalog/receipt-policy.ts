/** Rules that say what becomes of units that arrive: they are for sale at once, or first to be inspected. */
import { type Static, Type } from '@sinclair/typebox';
import { NodeCode, ShortText, closed, oneOf } from '../shared/primitives.ts';
import { RuleCode, allOr, many, optional } from './members.ts';

export const INSPECT_WITHIN_HOURS_DEFAULT = 48;

const RECEIPT_POLICY = {
  to: oneOf(
    ['available', 'quality_control', 'none'],
    '`available`: sound units are for sale at once. `quality_control`: they wait for approval. `none`: the policy is lifted.',
  ),
  nodes: allOr(NodeCode, 'Nodes at which units arrive'),
  reasons: allOr(ShortText, 'Why they come, as the receipt says'),
  inspectWithinHours: Type.Integer({
    minimum: 1,
    maximum: 720,
    description: `Hours after their arrival in which units that are to be inspected should be judged: ${INSPECT_WITHIN_HOURS_DEFAULT} unless told. What is open longer is an exception.`,
  }),
};
export const ReceiptPolicy = closed(
  { policy: RuleCode, ...RECEIPT_POLICY },
  {
    description:
      'What names the node holds before what names the reason, and what names both before either. Of two that say the same of different things, the one that has units inspected. Without any, sound units are for sale at once.',
  },
);
export type ReceiptPolicy = Static<typeof ReceiptPolicy>;
export const ReceiptPolicyChange = closed(
  { policy: RuleCode, ...optional(RECEIPT_POLICY) },
  {
    description: `Absent members stay as they are. A new policy needs \`to\`; its nodes and reasons are "all" unless told. It holds for receipts from the answer on.`,
  },
);
export type ReceiptPolicyChange = Static<typeof ReceiptPolicyChange>;
export const PutReceiptPolicies = closed({ policies: many(ReceiptPolicyChange) });
export type PutReceiptPolicies = Static<typeof PutReceiptPolicies>;
