/** Rules that say what may not be shipped from where, or sold where. */
import type { Static } from '@sinclair/typebox';
import { ChannelCode, NodeCode, ShortText, SkuCode, closed, oneOf } from '../shared/primitives.ts';
import { PARTIAL, RuleCode, allOr, clearable, many, optional } from './members.ts';

const RULE = {
  forbids: oneOf(['ship', 'sell'], '`ship`: its nodes do not ship its SKUs. `sell`: its channels do not sell them.'),
  skus: allOr(SkuCode, 'SKUs that it is about'),
  nodes: allOr(NodeCode, 'Nodes that it is about'),
  channels: allOr(ChannelCode, 'Channels that it is about'),
};
const OF_RULE = { reason: ShortText };
const ABOUT =
  'It holds where SKU, node and channel all match; a rule with an empty list forbids nothing. Stored and told: allocation does not use it yet.';
export const EligibilityRule = closed({ rule: RuleCode, ...RULE, ...optional(OF_RULE) }, { description: ABOUT });
export type EligibilityRule = Static<typeof EligibilityRule>;
export const EligibilityRuleChange = closed(
  { rule: RuleCode, ...optional(RULE), ...clearable(OF_RULE) },
  {
    description: `${PARTIAL} A new rule needs \`forbids\` and \`skus\`; its nodes and channels are "all" unless told.`,
  },
);
export type EligibilityRuleChange = Static<typeof EligibilityRuleChange>;
export const PutEligibilityRules = closed({ rules: many(EligibilityRuleChange) });
export type PutEligibilityRules = Static<typeof PutEligibilityRules>;
