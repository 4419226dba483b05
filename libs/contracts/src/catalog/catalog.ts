/** SKUs, nodes, channels and thresholds: what exists and who may sell it. */
import { type Static, type TOptional, type TSchema, type TUnsafe, Type } from '@sinclair/typebox';
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

const PARTIAL = 'Absent members stay as they are, and null clears one.';

/** What is read: members that have no value are absent. */
const optional = <P extends Record<string, TSchema>>(members: P) =>
  mapped(members, (member) => Type.Optional(member)) as { [K in keyof P]: TOptional<P[K]> };

/** What is sent: an absent member stays as it is, and null clears it. */
const clearable = <P extends Record<string, TSchema>>(members: P) =>
  mapped(members, (member) => Type.Optional(Type.Unsafe({ ...member, type: [member['type'] as string, 'null'] }))) as {
    [K in keyof P]: TOptional<TUnsafe<Static<P[K]> | null>>;
  };

const mapped = (members: Record<string, TSchema>, map: (member: TSchema) => TSchema) =>
  Object.fromEntries(Object.entries(members).map(([name, member]) => [name, map(member)]));

const OF_SKU = {
  title: ShortText,
  gtin: Type.String({
    pattern: '^(\\d{8}|\\d{12,14})$',
    description: 'GTIN-8, -12, -13 or -14, with its check digit.',
  }),
  weightGrams: Type.Integer({ minimum: 0, maximum: 10_000_000 }),
  category: ShortText,
};
export const Sku = closed({ sku: SkuCode, ...optional(OF_SKU) });
export type Sku = Static<typeof Sku>;
export const SkuChange = closed({ sku: SkuCode, ...clearable(OF_SKU) }, { description: PARTIAL });
export type SkuChange = Static<typeof SkuChange>;

const OF_NODE = {
  name: ShortText,
  gln: Type.String({ pattern: '^\\d{13}$', description: 'GS1 Global Location Number, with its check digit.' }),
  lat: { ...Latitude, description: 'With `lng`, or neither.' },
  lng: { ...Longitude, description: 'With `lat`, or neither.' },
  timeZone: Type.String({
    pattern: '^[A-Za-z0-9_+/-]{1,64}$',
    description: 'A name of IANA, as Europe/Berlin, that the platform knows; UTC where none was given.',
  }),
  dailyCapacity: Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'Orders a day.' }),
  activeFrom: Timestamp,
  /** After `activeFrom`. */
  activeTo: Timestamp,
};
export const Node = closed({ node: NodeCode, type: NodeType, ...optional(OF_NODE) });
export type Node = Static<typeof Node>;
export const NodeChange = closed(
  { node: NodeCode, type: Type.Optional(NodeType), ...clearable(OF_NODE) },
  { description: `${PARTIAL} A new node needs its type.` },
);
export type NodeChange = Static<typeof NodeChange>;

/** An empty list means none, and only the word means all: a list that comes out empty by mistake must not open everything. */
const allOr = <T extends TSchema>(item: T, description: string) =>
  Type.Union([Type.Literal('all'), Type.Array(item, { uniqueItems: true, maxItems: LINES_MAX })], {
    description: `${description}: "all", or a list; an empty list means none.`,
  });
const OF_CHANNEL = {
  type: ChannelType,
  nodeTypes: allOr(NodeType, 'Node types that serve the channel'),
  nodes: allOr(NodeCode, 'Nodes that serve the channel, if their type does'),
};
const ChannelName = { name: ShortText };
export const Channel = closed({ channel: ChannelCode, ...OF_CHANNEL, ...optional(ChannelName) });
export type Channel = Static<typeof Channel>;
export const ChannelChange = closed(
  { channel: ChannelCode, ...optional(OF_CHANNEL), ...clearable(ChannelName) },
  { description: `${PARTIAL} A new channel needs \`type\` and \`nodes\`; its \`nodeTypes\` are "all" unless told.` },
);
export type ChannelChange = Static<typeof ChannelChange>;

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
export const PutSkus = closed({ skus: many(SkuChange) });
export type PutSkus = Static<typeof PutSkus>;
export const PutNodes = closed({ nodes: many(NodeChange) });
export type PutNodes = Static<typeof PutNodes>;
export const PutChannels = closed({ channels: many(ChannelChange) });
export type PutChannels = Static<typeof PutChannels>;
export const PutThresholds = closed({ thresholds: many(Threshold) });
export type PutThresholds = Static<typeof PutThresholds>;

export const Upserted = closed({
  applied: Type.Integer({ minimum: 0, description: 'Rows that were sent; each is now as it says.' }),
});
export type Upserted = Static<typeof Upserted>;
