/** Channels: who sells it, and from where. */
import type { Static } from '@sinclair/typebox';
import { ChannelCode, NodeCode, ShortText, closed, oneOf } from '../shared/primitives.ts';
import { Currency, PARTIAL, allOr, clearable, many, optional } from './members.ts';
import { NodeType } from './node.ts';

export const CHANNEL_TYPES = ['web', 'marketplace', 'pos', 'endless_aisle', 'b2b'] as const;
export const ChannelType = oneOf(CHANNEL_TYPES);
export type ChannelType = (typeof CHANNEL_TYPES)[number];

const RULES = {
  type: ChannelType,
  nodeTypes: allOr(NodeType, 'Node types that serve the channel'),
  nodes: allOr(NodeCode, 'Nodes that serve the channel, if their type does'),
};
const OF_CHANNEL = { name: ShortText, legalEntity: ShortText, brand: ShortText, currency: Currency };
export const Channel = closed({ channel: ChannelCode, ...RULES, ...optional(OF_CHANNEL) });
export type Channel = Static<typeof Channel>;
export const ChannelChange = closed(
  { channel: ChannelCode, ...optional(RULES), ...clearable(OF_CHANNEL) },
  { description: `${PARTIAL} A new channel needs \`type\` and \`nodes\`; its \`nodeTypes\` are "all" unless told.` },
);
export type ChannelChange = Static<typeof ChannelChange>;
export const PutChannels = closed({ channels: many(ChannelChange) });
export type PutChannels = Static<typeof PutChannels>;
