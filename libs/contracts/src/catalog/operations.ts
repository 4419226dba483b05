/** Every operation of the catalogue, which the availability app serves. */
import { type TSchema, Type } from '@sinclair/typebox';
import { PageQuery, ThresholdPageQuery, closed, oneOf, pageOf } from '../shared/primitives.ts';
import { requestSubject } from '../shared/module-contract.ts';
import { type Operation, get, post, put } from '../shared/operation.ts';
import * as catalog from './catalog.ts';
import * as snapshots from './snapshots.ts';
import type { CATALOG_PROBLEMS } from './problems.ts';
import type { CATALOG_SCOPES } from './scopes.ts';

/** `outcome.unknown` is the platform's; its callers have to deal with it. */
type Code = keyof typeof CATALOG_PROBLEMS | 'outcome.unknown';
type Scope = keyof typeof CATALOG_SCOPES;

/** The subject scope of the catalogue. */
export const CATALOG_SCOPE = 'catalog';
const rpc = (name: string): string => requestSubject(CATALOG_SCOPE, name);

/** What a list of them is called in a title. */
const PLURALS: Readonly<Record<string, string>> = {
  sku: 'SKUs',
  eligibility: 'eligibility rules',
  stop: 'stop rules',
  'receipt-policy': 'receipt policies',
};
const plural = (noun: string): string => PLURALS[noun] ?? `${noun}s`;
const pathOf = (noun: string): string => `/v1/${plural(noun).toLowerCase().replace(' ', '-')}`;

const importOf = (noun: string, columns: readonly string[]) => ({
  summary: `Import ${plural(noun)} from CSV`,
  description:
    'All rows are applied, or none: the refusal names every bad one. A column that is left out leaves its field, and an empty cell clears it.',
  http: post(`/v1/${noun}s/import`),
  idempotency: 'natural' as const,
  scope: 'catalog:write' as const,
  isForUnlimited: true,
  csvColumns: columns,
  response: catalog.Upserted,
  problems: ['import.rejected' as const, 'import.spreadsheet' as const, 'outcome.unknown' as const],
});

/** What is flat. What is nested, as opening hours, is sent as JSON. */
export const CSV_COLUMNS = {
  sku: [
    'sku',
    'title',
    'gtin',
    'weightGrams',
    'category',
    'lengthMm',
    'widthMm',
    'heightMm',
    'brand',
    'taxClass',
    'supplierCost',
    'supplierCostCurrency',
    'leadTimeDays',
  ],
  node: [
    'node',
    'name',
    'type',
    'gln',
    'lat',
    'lng',
    'timeZone',
    'dailyCapacity',
    'activeFrom',
    'activeTo',
    'legalEntity',
    'brand',
    'groups',
    'fulfilmentTypes',
  ],
  channel: ['channel', 'name', 'type', 'nodeTypes', 'nodes', 'legalEntity', 'brand', 'currency'],
} as const;

const putOf = <B extends TSchema>(noun: string, body: B) => ({
  summary: `Create or change ${plural(noun)}`,
  description: 'What is absent stays as it is, and null clears it. All is applied, or nothing.',
  http: put(pathOf(noun)),
  subject: rpc(`${noun}.put`),
  idempotency: 'natural' as const,
  scope: 'catalog:write' as const,
  isForUnlimited: true,
  body,
  response: catalog.Upserted,
  problems: ['node.unknown', 'sku.unknown', 'channel.unknown', 'outcome.unknown'] as const,
});
const listOf = <I extends TSchema>(noun: string, item: I) => ({
  summary: `List ${plural(noun)}`,
  description: 'In the order of their codes. A page may have fewer than `limit`, since it is at most 512 kB.',
  http: get(pathOf(noun)),
  subject: rpc(`${noun}.list`),
  scope: 'catalog:read' as const,
  query: PageQuery,
  response: pageOf(item),
  problems: [],
});

const ExportQuery = closed({
  for: Type.Optional(
    oneOf(
      ['spreadsheet'],
      'Puts an apostrophe before each cell that a spreadsheet might take for a formula. Such a file is not for import.',
    ),
  ),
});

const exportOf = (noun: keyof typeof CSV_COLUMNS) => ({
  summary: `Export ${plural(noun)} as CSV`,
  description:
    'By RFC 4180, with the columns of the import and nothing altered, so that the same file imported changes nothing. The header `onepool-export` says `exact` or `spreadsheet`.',
  http: get(`${pathOf(noun)}/export`),
  scope: 'catalog:read' as const,
  query: ExportQuery,
  csvAnswer: true as const,
  response: Type.String(),
  problems: [],
});

const snapshotOf = <P extends TSchema>(noun: string, page: P) => ({
  summary: `Snapshot of ${plural(noun)}`,
  description:
    'Each with the version that its facts count; what was removed may be there as null. Every fact of the stream at or below `position` is in it. Read all pages, then follow the facts.',
  http: get(`${pathOf(noun)}/snapshot`),
  subject: rpc(`${noun}.snapshot`),
  scope: 'catalog:read' as const,
  isForUnlimited: true,
  query: noun === 'threshold' || noun === 'price' ? ThresholdPageQuery : PageQuery,
  response: page,
  problems: [],
});

const OLDEST_FIRST = 'Oldest first. A page may have fewer than `limit`, since it is at most 512 kB.';

export const CATALOG_OPERATIONS = {
  listSkus: listOf('sku', catalog.Sku),
  snapshotSkus: snapshotOf('sku', snapshots.SkuSnapshot),
  putSkus: putOf('sku', catalog.PutSkus),
  importSkus: importOf('sku', CSV_COLUMNS.sku),
  exportSkus: exportOf('sku'),
  listNodes: listOf('node', catalog.Node),
  snapshotNodes: snapshotOf('node', snapshots.NodeSnapshot),
  putNodes: putOf('node', catalog.PutNodes),
  importNodes: importOf('node', CSV_COLUMNS.node),
  exportNodes: exportOf('node'),
  listChannels: listOf('channel', catalog.Channel),
  snapshotChannels: snapshotOf('channel', snapshots.ChannelSnapshot),
  putChannels: putOf('channel', catalog.PutChannels),
  importChannels: importOf('channel', CSV_COLUMNS.channel),
  exportChannels: exportOf('channel'),
  listThresholds: {
    ...listOf('threshold', catalog.Threshold),
    description: OLDEST_FIRST,
    query: ThresholdPageQuery,
  },
  snapshotThresholds: snapshotOf('threshold', snapshots.ThresholdSnapshot),
  putThresholds: {
    ...putOf('threshold', catalog.PutThresholds),
    summary: 'Set or remove thresholds',
    description: 'All is applied, or nothing.',
  },
  listPrices: { ...listOf('price', catalog.Price), description: OLDEST_FIRST, query: ThresholdPageQuery },
  snapshotPrices: snapshotOf('price', snapshots.PriceSnapshot),
  putPrices: {
    ...putOf('price', catalog.PutPrices),
    summary: 'Set or remove prices',
    description:
      'Each list replaces that of its SKU, channel and currency, and an empty one removes it. All is applied, or nothing.',
  },
  listEligibilityRules: listOf('eligibility', catalog.EligibilityRule),
  snapshotEligibilityRules: snapshotOf('eligibility', snapshots.EligibilityRuleSnapshot),
  putEligibilityRules: putOf('eligibility', catalog.PutEligibilityRules),
  listFences: listOf('fence', catalog.Fence),
  snapshotFences: snapshotOf('fence', snapshots.FenceSnapshot),
  putFences: { ...putOf('fence', catalog.PutFences), summary: 'Set, change or lift fences' },
  listAllowances: listOf('allowance', catalog.Allowance),
  snapshotAllowances: snapshotOf('allowance', snapshots.AllowanceSnapshot),
  putAllowances: putOf('allowance', catalog.PutAllowances),
  listStopRules: listOf('stop', catalog.StopRule),
  snapshotStopRules: snapshotOf('stop', snapshots.StopRuleSnapshot),
  putStopRules: { ...putOf('stop', catalog.PutStopRules), summary: 'Set, change or lift stops of nodes and channels' },
  listReceiptPolicies: listOf('receipt-policy', catalog.ReceiptPolicy),
  snapshotReceiptPolicies: snapshotOf('receipt-policy', snapshots.ReceiptPolicySnapshot),
  putReceiptPolicies: {
    ...putOf('receipt-policy', catalog.PutReceiptPolicies),
    summary: 'Set, change or lift receipt policies',
  },
} as const satisfies Record<string, Operation<Scope, Code>>;
