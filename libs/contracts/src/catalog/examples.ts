/** One example of each operation of the catalogue. */
import type { ExampleOf } from '../shared/operation.ts';
import type { CATALOG_OPERATIONS } from './operations.ts';

type Operations = typeof CATALOG_OPERATIONS;

const page = { limit: 100 };
const empty = { nextCursor: null };
const position = '1:4711';
const sku = { sku: 'mug-blue', title: 'Blue mug', gtin: '4006381333931', weightGrams: 340 };
const node = { node: 'depot', type: 'warehouse' as const, name: 'Depot', lat: 52.48, lng: -1.89 };
const channel = {
  channel: 'web',
  type: 'web' as const,
  nodeTypes: ['store' as const, 'warehouse' as const],
  nodes: 'all' as const,
};
const price = {
  sku: 'mug-blue',
  channel: 'web',
  currency: 'GBP',
  periods: [
    { amount: 1_200, validFrom: '2026-01-01T00:00:00.000Z' },
    { amount: 900, validFrom: '2026-11-27T00:00:00.000Z', validTo: '2026-12-01T00:00:00.000Z' },
  ],
};
const rule = {
  rule: 'no-mugs-from-shop-1',
  forbids: 'ship' as const,
  skus: ['mug-blue'],
  nodes: ['shop-1'],
  channels: 'all' as const,
  reason: 'The shop has no boxes for them.',
};
const fence = {
  fence: 'mugs-for-the-shop',
  skus: ['mug-blue'],
  nodes: 'all' as const,
  channels: ['web'],
  quantity: 20,
  until: '2026-12-24T00:00:00.000Z',
};
const stop = { rule: 'stocktaking', mode: 'stop' as const, nodes: ['shop-1'], channels: 'all' as const };
const allowance = { allowance: 'mugs-to-come', skus: ['mug-blue'], nodes: 'all' as const, cap: 50 };
const policy = {
  policy: 'returns-are-inspected',
  to: 'quality_control' as const,
  nodes: 'all' as const,
  reasons: ['return'],
  inspectWithinHours: 48,
};
const threshold = { scope: 'node' as const, channel: 'web', node: 'shop-1', quantity: 2 };

export const CATALOG_EXAMPLES: { readonly [Id in keyof Operations]: ExampleOf<Operations[Id]> } = {
  listSkus: { query: page, response: { items: [sku], ...empty } },
  snapshotSkus: { query: page, response: { position, items: [{ key: 'mug-blue', version: 3, value: sku }], ...empty } },
  putSkus: { body: { skus: [sku] }, response: { applied: 1 } },
  importSkus: { csv: 'sku,title,weightGrams\nmug-blue,Blue mug,340\n', response: { applied: 1 } },
  exportSkus: { query: {}, response: 'sku,title,weightGrams\r\nmug-blue,Blue mug,340\r\n' },
  listNodes: { query: page, response: { items: [node], ...empty } },
  snapshotNodes: { query: page, response: { position, items: [{ key: 'depot', version: 1, value: node }], ...empty } },
  putNodes: { body: { nodes: [{ ...node, gln: null }] }, response: { applied: 1 } },
  importNodes: { csv: 'node,type,name,lat,lng\ndepot,warehouse,Depot,52.48,-1.89\n', response: { applied: 1 } },
  exportNodes: { query: {}, response: 'node,type,name\r\ndepot,warehouse,Depot\r\n' },
  listChannels: { query: page, response: { items: [channel], ...empty } },
  snapshotChannels: {
    query: page,
    response: { position, items: [{ key: 'web', version: 2, value: channel }], ...empty },
  },
  putChannels: { body: { channels: [channel] }, response: { applied: 1 } },
  importChannels: { csv: 'channel,type,nodeTypes,nodes\nweb,web,store|warehouse,all\n', response: { applied: 1 } },
  exportChannels: { query: {}, response: 'channel,type,nodeTypes,nodes\r\nweb,web,store|warehouse,all\r\n' },
  listThresholds: { query: page, response: { items: [threshold], ...empty } },
  snapshotThresholds: {
    query: page,
    response: { position, items: [{ key: 'node/web/shop-1/', version: 1, value: threshold }], ...empty },
  },
  listPrices: { query: page, response: { items: [price], ...empty } },
  snapshotPrices: {
    query: page,
    response: { position, items: [{ key: 'mug-blue/web/GBP', version: 1, value: price }], ...empty },
  },
  putPrices: { body: { prices: [price] }, response: { applied: 1 } },
  listEligibilityRules: { query: page, response: { items: [rule], ...empty } },
  snapshotEligibilityRules: {
    query: page,
    response: { position, items: [{ key: 'no-mugs-from-shop-1', version: 1, value: rule }], ...empty },
  },
  putEligibilityRules: { body: { rules: [rule] }, response: { applied: 1 } },
  listFences: { query: page, response: { items: [fence], ...empty } },
  snapshotFences: {
    query: page,
    response: { position, items: [{ key: 'mugs-for-the-shop', version: 1, value: fence }], ...empty },
  },
  putFences: { body: { fences: [fence] }, response: { applied: 1 } },
  listAllowances: { query: page, response: { items: [allowance], ...empty } },
  snapshotAllowances: {
    query: page,
    response: { position, items: [{ key: 'mugs-to-come', version: 1, value: allowance }], ...empty },
  },
  putAllowances: { body: { allowances: [allowance] }, response: { applied: 1 } },
  listStopRules: { query: page, response: { items: [stop], ...empty } },
  snapshotStopRules: {
    query: page,
    response: { position, items: [{ key: 'stocktaking', version: 1, value: stop }], ...empty },
  },
  putStopRules: { body: { rules: [stop] }, response: { applied: 1 } },
  listReceiptPolicies: { query: page, response: { items: [policy], ...empty } },
  snapshotReceiptPolicies: {
    query: page,
    response: { position, items: [{ key: 'returns-are-inspected', version: 1, value: policy }], ...empty },
  },
  putReceiptPolicies: { body: { policies: [policy] }, response: { applied: 1 } },
  putThresholds: { body: { thresholds: [threshold] }, response: { applied: 1 } },
};
