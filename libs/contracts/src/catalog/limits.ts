/** Rules that limit what is promised where, and let it go beyond what is there: fences, stops of nodes and channels, allowances. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ChannelCode,
  LINES_MAX,
  NodeCode,
  QUANTITY_UNITS_MAX,
  ShortText,
  SkuCode,
  Timestamp,
  closed,
  oneOf,
} from '../shared/primitives.ts';
import { PARTIAL, RuleCode, allOr, clearable, many, optional } from './members.ts';

const FENCE = {
  skus: allOr(SkuCode, 'SKUs of which it keeps units'),
  nodes: allOr(NodeCode, 'Nodes at which it keeps them'),
  channels: Type.Array(ChannelCode, {
    uniqueItems: true,
    maxItems: LINES_MAX,
    description: 'The group for which it keeps them.',
  }),
};
const OF_FENCE = {
  quantity: Type.Integer({
    minimum: 0,
    maximum: QUANTITY_UNITS_MAX,
    description:
      'Units of each SKU at each node: a budget, of which what the group holds, has confirmed and was sent since it was set is used. 0 lifts the fence.',
  }),
  sharePercent: Type.Integer({
    minimum: 1,
    maximum: 100,
    description: 'Instead of a quantity: so much of what is available at each node now, rounded down.',
  }),
  until: Timestamp,
  reason: ShortText,
};
const KEEPS =
  'Keeps units for a group of channels. The group takes from its fence first, and then from what is common; others do not see what is left of it. No fence keeps what is not there.';
export const Fence = closed({ fence: RuleCode, ...FENCE, ...optional(OF_FENCE) }, { description: KEEPS });
export type Fence = Static<typeof Fence>;
export const FenceChange = closed(
  { fence: RuleCode, ...optional(FENCE), ...clearable(OF_FENCE) },
  {
    description: `${PARTIAL} A new fence needs \`skus\`, \`channels\`, and a quantity or a share; its nodes are "all" unless told. With another quantity, share or group it is set anew, and nothing of it is used.`,
  },
);
export type FenceChange = Static<typeof FenceChange>;
export const PutFences = closed({ fences: many(FenceChange) });
export type PutFences = Static<typeof PutFences>;

export const StopMode = oneOf(
  ['stop', 'drain', 'none'],
  '`stop`: nothing more is promised; what is promised may be confirmed and shipped. `drain`: promises also move elsewhere. `none`: the stop is lifted.',
);
export type StopMode = Static<typeof StopMode>;

const STOP_RULE = {
  mode: StopMode,
  nodes: allOr(NodeCode, 'Nodes that are stopped'),
  channels: allOr(ChannelCode, 'Channels for which they are'),
};
const OF_STOP_RULE = { until: Timestamp, reason: ShortText };
export const StopRule = closed(
  { rule: RuleCode, ...STOP_RULE, ...optional(OF_STOP_RULE) },
  { description: 'Stops the sale of every SKU where node and channel match.' },
);
export type StopRule = Static<typeof StopRule>;
export const StopRuleChange = closed(
  { rule: RuleCode, ...optional(STOP_RULE), ...clearable(OF_STOP_RULE) },
  { description: `${PARTIAL} A new stop needs \`mode\` and \`nodes\`; its channels are "all" unless told.` },
);
export type StopRuleChange = Static<typeof StopRuleChange>;
export const PutStopRules = closed({ rules: many(StopRuleChange) });
export type PutStopRules = Static<typeof PutStopRules>;

const ALLOWANCE = {
  skus: allOr(SkuCode, 'SKUs that may be promised. A rule that lists a SKU holds for it instead of one for all'),
  nodes: allOr(
    NodeCode,
    'Nodes that may serve these units, each up to the cap; of "all", any, and all of them together',
  ),
  cap: Type.Integer({
    minimum: 0,
    maximum: QUANTITY_UNITS_MAX,
    description:
      'Units of a SKU that may be promised at a time and have not come yet. Of several rules that say the same, the smallest counts. What is promised beyond it, since it was larger, stays promised.',
  }),
};
const OF_ALLOWANCE = { reason: ShortText };
export const Allowance = closed(
  { allowance: RuleCode, ...ALLOWANCE, ...optional(OF_ALLOWANCE) },
  {
    description:
      'Lets lines that may wait be promised units of which nothing is known to come: backorders. Units that come free serve them first.',
  },
);
export type Allowance = Static<typeof Allowance>;
export const AllowanceChange = closed(
  { allowance: RuleCode, ...optional(ALLOWANCE), ...clearable(OF_ALLOWANCE) },
  { description: `${PARTIAL} A new allowance needs \`skus\` and \`cap\`; its nodes are "all" unless told.` },
);
export type AllowanceChange = Static<typeof AllowanceChange>;
export const PutAllowances = closed({ allowances: many(AllowanceChange) });
export type PutAllowances = Static<typeof PutAllowances>;
