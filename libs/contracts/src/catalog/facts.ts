/**
 * Facts of the catalogue, which is a module of the availability app: its own scope, stream and versions. Each tells the whole
 * row as it has become, so that whoever keeps the value of the highest version has the row, in whatever order facts come.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FactDefinition } from '../shared/fact-definition.ts';
import { closed } from '../shared/primitives.ts';
import { snapshotsOf } from '../shared/snapshot.ts';
import {
  Allowance,
  Channel,
  EligibilityRule,
  Fence,
  Node,
  Price,
  ReceiptPolicy,
  Sku,
  StopRule,
  Threshold,
} from './catalog.ts';
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

export const CatalogPriceChanged = changed(
  Type.Union([Price, Type.Null()], { description: 'Null once they were removed.' }),
);
export type CatalogPriceChanged = Static<typeof CatalogPriceChanged>;
export const CatalogEligibilityChanged = changed(EligibilityRule);
export type CatalogEligibilityChanged = Static<typeof CatalogEligibilityChanged>;
export const CatalogFenceChanged = changed(Fence);
export type CatalogFenceChanged = Static<typeof CatalogFenceChanged>;
export const CatalogAllowanceChanged = changed(Allowance);
export type CatalogAllowanceChanged = Static<typeof CatalogAllowanceChanged>;
export const CatalogReceiptPolicyChanged = changed(ReceiptPolicy);
export type CatalogReceiptPolicyChanged = Static<typeof CatalogReceiptPolicyChanged>;
export const CatalogStopChanged = changed(StopRule);
export type CatalogStopChanged = Static<typeof CatalogStopChanged>;

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

export const CATALOG_PRICE_CHANGED = {
  id: 'catalogPriceChanged',
  subject: 'onepool.catalog.price.changed.v1',
  data: CatalogPriceChanged,
  summary: 'Prices of a SKU in a channel have changed.',
  description: `Key: \`price/\`, SKU, channel and currency. ${ABSOLUTE} Null says that they were removed.`,
} as const satisfies FactDefinition;

export const CATALOG_ELIGIBILITY_CHANGED = {
  id: 'catalogEligibilityChanged',
  subject: 'onepool.catalog.eligibility.changed.v1',
  data: CatalogEligibilityChanged,
  summary: 'A rule of what may be shipped or sold where has changed.',
  description: `Key: \`eligibility/\` and its name. ${ABSOLUTE}`,
} as const satisfies FactDefinition;

export const CATALOG_FENCE_CHANGED = {
  id: 'catalogFenceChanged',
  subject: 'onepool.catalog.fence.changed.v1',
  data: CatalogFenceChanged,
  summary: 'A fence was set, changed or lifted.',
  description: `Key: \`fence/\` and its name. ${ABSOLUTE} A quantity of 0 says that it was lifted.`,
} as const satisfies FactDefinition;

export const CATALOG_ALLOWANCE_CHANGED = {
  id: 'catalogAllowanceChanged',
  subject: 'onepool.catalog.allowance.changed.v1',
  data: CatalogAllowanceChanged,
  summary: 'An allowance for backorders was set or changed.',
  description: `Key: \`allowance/\` and its name. ${ABSOLUTE}`,
} as const satisfies FactDefinition;

export const CATALOG_RECEIPT_POLICY_CHANGED = {
  id: 'catalogReceiptPolicyChanged',
  subject: 'onepool.catalog.receipt_policy.changed.v1',
  data: CatalogReceiptPolicyChanged,
  summary: 'A receipt policy was set, changed or lifted.',
  description: `Key: \`receipt-policy/\` and its name. ${ABSOLUTE} \`to\`: \`none\` says that it was lifted.`,
} as const satisfies FactDefinition;

export const CATALOG_STOP_CHANGED = {
  id: 'catalogStopChanged',
  subject: 'onepool.catalog.stop.changed.v1',
  data: CatalogStopChanged,
  summary: 'A stop of nodes or channels was set, changed or lifted.',
  description: `Key: \`stop/\` and its name. ${ABSOLUTE} The mode \`none\` says that it was lifted.`,
} as const satisfies FactDefinition;

/** Every fact of the catalogue. */
export const CATALOG_FACTS = [
  CATALOG_SKU_CHANGED,
  CATALOG_NODE_CHANGED,
  CATALOG_CHANNEL_CHANGED,
  CATALOG_THRESHOLD_CHANGED,
  CATALOG_PRICE_CHANGED,
  CATALOG_ELIGIBILITY_CHANGED,
  CATALOG_FENCE_CHANGED,
  CATALOG_STOP_CHANGED,
  CATALOG_ALLOWANCE_CHANGED,
  CATALOG_RECEIPT_POLICY_CHANGED,
] as const;

/** From which a consumer of them begins that comes late. */
export const CATALOG_SNAPSHOTS = snapshotsOf(CATALOG_OPERATIONS, CATALOG_FACTS, {
  skus: { pages: 'snapshotSkus', key: 'key', facts: { catalogSkuChanged: 'value' } },
  nodes: { pages: 'snapshotNodes', key: 'key', facts: { catalogNodeChanged: 'value' } },
  channels: { pages: 'snapshotChannels', key: 'key', facts: { catalogChannelChanged: 'value' } },
  prices: { pages: 'snapshotPrices', key: 'key', facts: { catalogPriceChanged: 'value' } },
  eligibilityRules: {
    pages: 'snapshotEligibilityRules',
    key: 'key',
    facts: { catalogEligibilityChanged: 'value' },
  },
  fences: { pages: 'snapshotFences', key: 'key', facts: { catalogFenceChanged: 'value' } },
  allowances: { pages: 'snapshotAllowances', key: 'key', facts: { catalogAllowanceChanged: 'value' } },
  receiptPolicies: {
    pages: 'snapshotReceiptPolicies',
    key: 'key',
    facts: { catalogReceiptPolicyChanged: 'value' },
  },
  stopRules: { pages: 'snapshotStopRules', key: 'key', facts: { catalogStopChanged: 'value' } },
  thresholds: { pages: 'snapshotThresholds', key: 'key', facts: { catalogThresholdChanged: 'value' } },
});
