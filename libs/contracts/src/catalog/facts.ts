/**
 * Facts of the catalogue, which is a module of the availability app: its own scope, stream and versions. Each tells the whole
 * row as it has become, so that whoever keeps the value of the highest version has the row, in whatever order facts come.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FactDefinition } from '../shared/module-contract.ts';
import { closed } from '../shared/primitives.ts';
import { snapshotsOf } from '../shared/snapshot.ts';
import { Channel, Node, Sku, Threshold } from './catalog.ts';
import { CATALOG_OPERATIONS } from './operations.ts';

const RowVersion = Type.Integer({ minimum: 0, description: 'Counts the facts told of the row; gap-free.' });
const changed = <V extends TSchema>(value: V) =>
  closed({
    key: Type.String({ description: 'What the row is known by, as in snapshots; of a row with a code, that.' }),
    value,
    fromVersion: RowVersion,
    toVersion: RowVersion,
  });

export const CatalogSkuChanged = changed(Sku);
export type CatalogSkuChanged = Static<typeof CatalogSkuChanged>;
export const CatalogNodeChanged = changed(Node);
export type CatalogNodeChanged = Static<typeof CatalogNodeChanged>;
export const CatalogChannelChanged = changed(Channel);
export type CatalogChannelChanged = Static<typeof CatalogChannelChanged>;
export const CatalogThresholdChanged = changed(
  Type.Union([Threshold, Type.Null()], { description: 'Null once it was removed.' }),
);
export type CatalogThresholdChanged = Static<typeof CatalogThresholdChanged>;

const ABSOLUTE = '`value` is the whole row as it is now.';

export const CATALOG_SKU_CHANGED = {
  id: 'catalogSkuChanged',
  subject: 'onepool.catalog.sku.changed.v1',
  data: CatalogSkuChanged,
  summary: 'What is known of a SKU has changed.',
  description: `Key: \`sku/\` and its code. ${ABSOLUTE}`,
} as const satisfies FactDefinition;

export const CATALOG_NODE_CHANGED = {
  id: 'catalogNodeChanged',
  subject: 'onepool.catalog.node.changed.v1',
  data: CatalogNodeChanged,
  summary: 'What is known of a node has changed.',
  description: `Key: \`node/\` and its code. ${ABSOLUTE}`,
} as const satisfies FactDefinition;

export const CATALOG_CHANNEL_CHANGED = {
  id: 'catalogChannelChanged',
  subject: 'onepool.catalog.channel.changed.v1',
  data: CatalogChannelChanged,
  summary: 'What is known of a channel has changed.',
  description: `Key: \`channel/\` and its code. ${ABSOLUTE}`,
} as const satisfies FactDefinition;

export const CATALOG_THRESHOLD_CHANGED = {
  id: 'catalogThresholdChanged',
  subject: 'onepool.catalog.threshold.changed.v1',
  data: CatalogThresholdChanged,
  summary: 'A threshold was set or removed.',
  description: `Key: \`threshold/\` and what it is for. ${ABSOLUTE} Null says that it was removed.`,
} as const satisfies FactDefinition;

/** Every fact of the catalogue. */
export const CATALOG_FACTS = [
  CATALOG_SKU_CHANGED,
  CATALOG_NODE_CHANGED,
  CATALOG_CHANNEL_CHANGED,
  CATALOG_THRESHOLD_CHANGED,
] as const;

/** From which a consumer of them begins that comes late. */
export const CATALOG_SNAPSHOTS = snapshotsOf(CATALOG_OPERATIONS, CATALOG_FACTS, {
  skus: { pages: 'snapshotSkus', key: 'key', facts: { catalogSkuChanged: 'value' } },
  nodes: { pages: 'snapshotNodes', key: 'key', facts: { catalogNodeChanged: 'value' } },
  channels: { pages: 'snapshotChannels', key: 'key', facts: { catalogChannelChanged: 'value' } },
  thresholds: { pages: 'snapshotThresholds', key: 'key', facts: { catalogThresholdChanged: 'value' } },
});
