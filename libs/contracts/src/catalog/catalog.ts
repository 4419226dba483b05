/** What exists and who may sell it: SKUs, nodes, channels, their prices, and the rules that limit them. */
import { type Static, Type } from '@sinclair/typebox';
import { ChannelCode, NodeCode, SkuCode, closed, oneOf } from '../shared/primitives.ts';
import { many } from './members.ts';

export * from './channel.ts';
export * from './eligibility.ts';
export * from './limits.ts';
export * from './node.ts';
export * from './price.ts';
export * from './receipt-policy.ts';
export * from './sku.ts';
export { Currency, type Weekday } from './members.ts';

export const Threshold = closed(
  {
    scope: oneOf(
      ['node', 'network'],
      '`node` hides units at each matching node, `network` from the channel as a whole.',
    ),
    channel: Type.Optional(ChannelCode),
    node: Type.Optional(NodeCode),
    sku: Type.Optional(SkuCode),
    quantity: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Units hidden; 0 removes the rule.' }),
  },
  { description: 'Hides units from a channel; of several matching rules the largest wins. Absent members match all.' },
);
export type Threshold = Static<typeof Threshold>;
export const PutThresholds = closed({ thresholds: many(Threshold) });
export type PutThresholds = Static<typeof PutThresholds>;

export const UpsertWarning = closed({
  code: oneOf(['gtin.shared']),
  sku: SkuCode,
  message: Type.String({ description: 'For people; may be reworded at any time.' }),
});
export type UpsertWarning = Static<typeof UpsertWarning>;
export const Upserted = closed({
  applied: Type.Integer({ minimum: 0, description: 'Rows that were sent; each is now as it says.' }),
  warnings: Type.Optional(
    Type.Array(UpsertWarning, { description: 'What was applied and is probably not meant; the first hundred.' }),
  ),
});
export type Upserted = Static<typeof Upserted>;
