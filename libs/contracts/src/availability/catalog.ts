/** SKUs, nodes, channels and thresholds: what exists and who may sell it. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ChannelCode,
  Latitude,
  LINES_MAX,
  Longitude,
  NodeCode,
  ShortText,
  SkuCode,
  Timestamp,
  closed,
  oneOf,
} from '../shared/primitives.ts';

export const NODE_TYPES = ['store', 'warehouse', '3pl', 'dropship', 'micro_fulfillment', 'popup'] as const;
export const NodeType = oneOf(NODE_TYPES, 'What kind of place the node is.');
export type NodeType = (typeof NODE_TYPES)[number];

export const CHANNEL_TYPES = ['web', 'marketplace', 'pos', 'endless_aisle', 'b2b'] as const;
export const ChannelType = oneOf(CHANNEL_TYPES);
export type ChannelType = (typeof CHANNEL_TYPES)[number];

export const Sku = closed({
  sku: SkuCode,
  title: Type.Optional(ShortText),
  gtin: Type.Optional(Type.String({ pattern: '^(\\d{8}|\\d{12,14})$', description: 'GTIN-8, -12, -13 or -14.' })),
  weightGrams: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000_000 })),
  category: Type.Optional(ShortText),
});
export type Sku = Static<typeof Sku>;

export const Node = closed({
  node: NodeCode,
  name: Type.Optional(ShortText),
  type: NodeType,
  gln: Type.Optional(Type.String({ pattern: '^\\d{13}$', description: 'GS1 Global Location Number.' })),
  lat: Type.Optional(Latitude),
  lng: Type.Optional(Longitude),
  timeZone: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_+/-]{1,64}$', description: 'IANA name; default UTC.' })),
  dailyCapacity: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'Orders a day.' })),
  activeFrom: Type.Optional(Timestamp),
  activeTo: Type.Optional(Timestamp),
});
export type Node = Static<typeof Node>;

export const Channel = closed({
  channel: ChannelCode,
  name: Type.Optional(ShortText),
  type: ChannelType,
  nodeTypes: Type.Optional(
    Type.Array(NodeType, {
      maxItems: 6,
      uniqueItems: true,
      description: 'Node types that serve the channel; absent: all.',
    }),
  ),
  nodes: Type.Optional(
    Type.Array(NodeCode, {
      maxItems: LINES_MAX,
      uniqueItems: true,
      description: 'Nodes that serve the channel; absent: all of its node types.',
    }),
  ),
});
export type Channel = Static<typeof Channel>;

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

const many = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Array(item, { minItems: 1, maxItems: LINES_MAX });
export const PutSkus = closed({ skus: many(Sku) });
export type PutSkus = Static<typeof PutSkus>;
export const PutNodes = closed({ nodes: many(Node) });
export type PutNodes = Static<typeof PutNodes>;
export const PutChannels = closed({ channels: many(Channel) });
export type PutChannels = Static<typeof PutChannels>;
export const PutThresholds = closed({ thresholds: many(Threshold) });
export type PutThresholds = Static<typeof PutThresholds>;

export const Upserted = closed({ applied: Type.Integer({ minimum: 0, description: 'Rows created or replaced.' }) });
export type Upserted = Static<typeof Upserted>;
