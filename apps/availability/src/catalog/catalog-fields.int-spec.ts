/** What retailers keep of SKUs, nodes and channels, with prices and eligibility: kept as told, and checked with words that help. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NodeChange, Price, SkuChange } from '@onepool/contracts';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

const SKU = {
  sku: 'mug',
  title: 'Mug',
  gtin: '4006381333931',
  identifiers: [
    { type: 'gtin', value: '96385074', unitsPerPack: 6 },
    { type: 'asin', value: 'B000123456' },
  ],
  weightGrams: 340,
  lengthMm: 120,
  widthMm: 90,
  heightMm: 100,
  category: 'kitchen',
  brand: 'Potter',
  taxClass: 'standard',
  supplierCost: 999_999_999_999,
  supplierCostCurrency: 'EUR',
  leadTimeDays: 14,
} as const;
const NODE = {
  node: 'shop',
  type: 'store',
  timeZone: 'Europe/Berlin',
  legalEntity: 'Pots GmbH',
  brand: 'Potter',
  groups: ['north', 'flagship'],
  fulfilmentTypes: ['pickup', 'ship_from_store'],
  openingHours: [
    { day: 'monday', opens: '09:00', closes: '12:30' },
    { day: 'monday', opens: '13:30', closes: '24:00' },
  ],
  holidays: [
    { date: '2026-12-25', name: 'Christmas' },
    { date: '2026-12-24', opens: '09:00', closes: '13:00' },
  ],
  cutOffs: [
    { day: 'monday', time: '16:00', fulfilmentType: 'ship_from_store' },
    { day: 'monday', time: '18:00' },
  ],
  carrierServices: [{ carrier: 'DHL', service: 'Paket', pickups: [{ day: 'monday', time: '17:00' }] }],
} as const;
const CHANNEL = {
  channel: 'web',
  type: 'web',
  nodeTypes: 'all',
  nodes: ['shop'],
  legalEntity: 'Pots GmbH',
  brand: 'Potter',
  currency: 'EUR',
};
const RULE = {
  rule: 'no mugs by post',
  forbids: 'ship',
  skus: ['mug'],
  nodes: ['shop'],
  channels: 'all',
  reason: 'No boxes.',
};
const FENCE = {
  fence: 'mugs for the web',
  skus: ['mug'],
  nodes: 'all',
  channels: ['web'],
  quantity: 5,
  until: '2026-12-24T00:00:00.000Z',
  reason: 'Christmas',
};
// Its channels and nodes are none, so that it stops nothing.
const STOP = { rule: 'stocktaking', mode: 'drain', nodes: [], channels: 'all', reason: 'Counting.' };
const ALLOWANCE = { allowance: 'mugs to come', skus: ['mug'], nodes: ['shop'], cap: 50, reason: 'Made to order.' };
const POLICY = {
  policy: 'returns',
  to: 'quality_control',
  nodes: ['shop'],
  reasons: ['return'],
  inspectWithinHours: 24,
};
const PRICE = {
  sku: 'mug',
  channel: 'web',
  currency: 'EUR',
  periods: [
    { amount: 1_299, validFrom: '2026-01-01T00:00:00.000Z' },
    { amount: 999, validFrom: '2026-11-27T00:00:00.000Z', validTo: '2026-12-01T00:00:00.000Z' },
  ],
};

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await app.http('putSkus', { body: { skus: [SKU] } });
  await app.http('putNodes', { body: { nodes: [NODE] } });
  await app.http('putChannels', { body: { channels: [CHANNEL] } });
  await app.http('putEligibilityRules', { body: { rules: [RULE] } });
  await app.http('putFences', { body: { fences: [FENCE] } });
  await app.http('putStopRules', { body: { rules: [STOP] } });
  await app.http('putAllowances', { body: { allowances: [ALLOWANCE] } });
  await app.http('putReceiptPolicies', { body: { policies: [POLICY] } });
  await app.http('putPrices', { body: { prices: [{ ...PRICE, periods: PRICE.periods.toReversed() }] } });
});
afterAll(() => app.close());

const LISTS = [
  'listSkus',
  'listNodes',
  'listChannels',
  'listEligibilityRules',
  'listFences',
  'listStopRules',
  'listAllowances',
  'listReceiptPolicies',
  'listPrices',
] as const;
const first = async (list: (typeof LISTS)[number]): Promise<object> =>
  ((await app.http(list)).body as { items: object[] }).items[0]!;
const told = async (): Promise<number> =>
  Number((await app.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM catalog.outbox')).rows[0]?.n);

describe('what is told of a row', () => {
  it('is listed as it was told, over HTTP and NATS, and in the snapshot', async () => {
    const rows = [SKU, NODE, CHANNEL, RULE, FENCE, STOP, ALLOWANCE, POLICY, PRICE];
    for (const [index, list] of LISTS.entries()) {
      for (const edge of ['http', 'rpc'] as const) {
        expect(((await app[edge](list)).body as { items: object[] }).items).toEqual([rows[index]]);
        const snapshot = list.replace('list', 'snapshot') as 'snapshotSkus';
        const page = (await app[edge](snapshot)).body as { items: object[] };
        expect(page.items).toEqual([{ key: expect.any(String), version: 1, value: rows[index] }]);
      }
    }
  });

  it('is no change when it is told again, in whatever order its members come', async () => {
    const before = await told();
    const openingHours = NODE.openingHours.map(({ day, opens, closes }) => ({ closes, opens, day }));
    await app.http('putNodes', { body: { nodes: [{ ...NODE, openingHours }] } });
    await app.http('putSkus', { body: { skus: [SKU] } });
    await app.http('putChannels', { body: { channels: [CHANNEL] } });
    await app.http('putEligibilityRules', { body: { rules: [RULE] } });
    await app.http('putFences', { body: { fences: [{ ...FENCE, until: '2026-12-24T01:00:00+01:00' }] } });
    await app.http('putStopRules', { body: { rules: [STOP] } });
    const periods = PRICE.periods.map((period) => ({
      ...period,
      validFrom: period.validFrom.replace('00.000Z', '00Z'),
    }));
    await app.http('putPrices', { body: { prices: [{ ...PRICE, periods }] } });
    expect(await told()).toBe(before);
  });

  it('stays where it is not told, and is cleared by null', async () => {
    const change = {
      node: 'zz',
      type: 'store',
      groups: ['a'],
      openingHours: NODE.openingHours,
      cutOffs: NODE.cutOffs,
    };
    await app.http('putNodes', { body: { nodes: [change] } });
    await app.http('putNodes', {
      body: { nodes: [{ node: 'zz', openingHours: null, groups: null, fulfilmentTypes: [] }] },
    });
    const { items } = (await app.http('listNodes')).body as { items: object[] };
    const kept = { node: 'zz', type: 'store', timeZone: 'UTC', cutOffs: NODE.cutOffs, fulfilmentTypes: [] };
    expect(items).toContainEqual(kept);
    expect(await first('listChannels')).toEqual(CHANNEL);
  });
});

describe('a GTIN of two SKUs', () => {
  it('is taken and warned of, whichever way it is written, and however it was told', async () => {
    const put = async (change: SkuChange) => (await app.http('putSkus', { body: { skus: [change] } })).body;
    const warning = (gtin: string) => [
      { code: 'gtin.shared', sku: 'cup', message: `the GTIN ${gtin} is also that of the SKU mug` },
    ];
    expect(await put({ sku: 'cup', gtin: '04006381333931' })).toEqual({
      applied: 1,
      warnings: warning('4006381333931'),
    });
    const identifiers = [{ type: 'gtin' as const, value: '96385074' }];
    expect(await put({ sku: 'cup', gtin: null, identifiers })).toEqual({ applied: 1, warnings: warning('96385074') });
    expect(await put({ sku: 'cup', title: 'Cup' })).toEqual({ applied: 1 });
    expect(await put({ sku: 'cup', identifiers: null })).toEqual({ applied: 1 });
  });
});

const hours = (opens: string, closes: string) => ({ day: 'monday' as const, opens, closes });
const NODE_FAULTS: readonly (readonly [string, Omit<NodeChange, 'node'>, string, string, RegExp])[] = [
  [
    'hours that end before they begin',
    { openingHours: [hours('09:00', '08:00')] },
    'openingHours/0/closes',
    'out_of_range',
    /after opens/,
  ],
  [
    'hours that overlap',
    { openingHours: [hours('09:00', '12:00'), hours('11:00', '13:00')] },
    'openingHours/1',
    'overlap',
    /09:00 to 12:00/,
  ],
  [
    'a holiday on no day',
    { holidays: [{ date: '2026-02-29' }] },
    'holidays/0/date',
    'unknown_value',
    /no day 2026-02-29/,
  ],
  [
    'a holiday with half its hours',
    { holidays: [{ date: '2026-02-28', opens: '09:00' }] },
    'holidays/0',
    'missing',
    /both/,
  ],
  [
    'a holiday twice',
    { holidays: [{ date: '2026-02-28' }, { date: '2026-02-28' }] },
    'holidays/1',
    'duplicate',
    /holidays\/0/,
  ],
  [
    'a cut-off twice',
    {
      cutOffs: [
        { day: 'monday', time: '09:00' },
        { day: 'monday', time: '10:00' },
      ],
    },
    'cutOffs/1',
    'duplicate',
    /cutOffs\/0/,
  ],
];
const SKU_FAULTS: readonly (readonly [string, Omit<SkuChange, 'sku'>, string, string, RegExp])[] = [
  [
    'a cost without its currency',
    { supplierCostCurrency: null },
    'supplierCostCurrency',
    'missing',
    /supplierCost is told/,
  ],
  [
    'a currency that there is not',
    { supplierCostCurrency: 'EUO' },
    'supplierCostCurrency',
    'unknown_value',
    /ISO 4217.*no EUO/,
  ],
  [
    'a GTIN among identifiers with a wrong digit',
    { identifiers: [{ type: 'gtin', value: '96385075' }] },
    'identifiers/0/value',
    'check_digit',
    /is 4, not 5/,
  ],
  [
    'a GTIN that is none',
    { identifiers: [{ type: 'gtin', value: 'abc' }] },
    'identifiers/0/value',
    'pattern',
    /digits/,
  ],
  [
    'an identifier twice',
    {
      identifiers: [
        { type: 'mpn', value: 'a' },
        { type: 'mpn', value: 'a' },
      ],
    },
    'identifiers/1',
    'duplicate',
    /identifiers\/0/,
  ],
];

describe.each(['http', 'rpc'] as const)('over %s', (edge) => {
  it.each(NODE_FAULTS)('%s is refused with words that help', async (_what, change, member, code, words) => {
    const { body } = await app[edge]('putNodes', { body: { nodes: [{ node: 'shop', ...change }] } });
    expect(body).toMatchObject({
      errors: [{ path: `/nodes/0/${member}`, code, message: expect.stringMatching(words) }],
    });
    expect(await first('listNodes')).toMatchObject(NODE);
  });

  it.each(SKU_FAULTS)('%s is refused with words that help', async (_what, change, member, code, words) => {
    const { body } = await app[edge]('putSkus', { body: { skus: [{ sku: 'mug', ...change }] } });
    expect(body).toMatchObject({
      errors: [{ path: `/skus/0/${member}`, code, message: expect.stringMatching(words) }],
    });
  });

  const day = (number: number) => `2026-01-0${number}T00:00:00Z`;
  it.each<[string, Partial<Price>, string, string, RegExp]>([
    ['in a currency that there is not', { currency: 'XYZ' }, 'currency', 'unknown_value', /no XYZ/],
    [
      'that ends before it begins',
      { periods: [{ amount: 1, validFrom: day(2), validTo: day(1) }] },
      'periods',
      'out_of_range',
      /must end later/,
    ],
    [
      'that holds while another does',
      {
        periods: [
          { amount: 1, validFrom: day(3) },
          { amount: 2, validFrom: day(1), validTo: day(4) },
        ],
      },
      'periods',
      'overlap',
      /2026-01-01.*2026-01-03/,
    ],
    [
      'that begins with another',
      {
        periods: [
          { amount: 1, validFrom: day(1) },
          { amount: 2, validFrom: day(1) },
        ],
      },
      'periods',
      'overlap',
      /same time/,
    ],
  ])('a price %s is refused with words that help', async (_what, change, member, code, words) => {
    const { body } = await app[edge]('putPrices', { body: { prices: [{ ...PRICE, ...change }] } });
    expect(body).toMatchObject({
      errors: [{ path: `/prices/0/${member}`, code, message: expect.stringMatching(words) }],
    });
    expect(await first('listPrices')).toEqual(PRICE);
  });

  it.each([
    ['putPrices', { prices: [{ ...PRICE, sku: 'none' }] }, 'sku.unknown'],
    ['putEligibilityRules', { rules: [{ ...RULE, channels: ['none'] }] }, 'channel.unknown'],
    ['putEligibilityRules', { rules: [{ ...RULE, nodes: ['none'] }] }, 'node.unknown'],
    ['putChannels', { channels: [{ ...CHANNEL, currency: 'EUX' }] }, 'request.invalid'],
    ['putEligibilityRules', { rules: [{ rule: 'new', forbids: 'ship' }] }, 'request.invalid'],
    ['putFences', { fences: [{ ...FENCE, channels: ['none'] }] }, 'channel.unknown'],
    ['putFences', { fences: [{ ...FENCE, skus: ['none'] }] }, 'sku.unknown'],
    ['putFences', { fences: [{ fence: 'new', skus: 'all', channels: [] }] }, 'request.invalid'],
    ['putFences', { fences: [{ ...FENCE, sharePercent: 20 }] }, 'request.invalid'],
    ['putStopRules', { rules: [{ ...STOP, nodes: ['none'] }] }, 'node.unknown'],
    ['putAllowances', { allowances: [{ ...ALLOWANCE, nodes: ['none'] }] }, 'node.unknown'],
    ['putAllowances', { allowances: [{ allowance: 'new', skus: 'all' }] }, 'request.invalid'],
    ['putReceiptPolicies', { policies: [{ ...POLICY, nodes: ['none'] }] }, 'node.unknown'],
    ['putReceiptPolicies', { policies: [{ policy: 'new', nodes: 'all' }] }, 'request.invalid'],
    ['putStopRules', { rules: [{ rule: 'new', mode: 'stop' }] }, 'request.invalid'],
  ] as const)('%s of what does not exist is refused: %#', async (id, body, code) => {
    expect(problemOf(await app[edge](id, { body })).code).toBe(code);
  });
});

describe('prices', () => {
  it('that are removed are listed no more, and told as null with the next version', async () => {
    const price = { ...PRICE, currency: 'GBP' };
    await app.http('putPrices', { body: { prices: [price] } });
    await app.http('putPrices', { body: { prices: [{ ...price, periods: [] }] } });
    expect(((await app.http('listPrices')).body as { items: object[] }).items).toEqual([PRICE]);
    const { items } = (await app.http('snapshotPrices')).body as { items: object[] };
    expect(items).toContainEqual({ key: 'mug/web/GBP', version: 2, value: null });
  });
});

describe('a file', () => {
  it('has columns for what is flat', async () => {
    const nodes = 'node,type,brand,groups,fulfilmentTypes\nfile,store,Potter,a|b,pickup|ship\n';
    const skus = 'sku,lengthMm,brand,supplierCost,supplierCostCurrency,leadTimeDays\nfile,12,Potter,150,GBP,3\n';
    const headers = { 'content-type': 'text/csv' };
    expect(await app.http('importNodes', { body: nodes, headers })).toMatchObject({ status: 200 });
    expect(await app.http('importSkus', { body: skus, headers })).toMatchObject({ status: 200 });
    expect(((await app.http('listNodes')).body as { items: object[] }).items).toContainEqual({
      node: 'file',
      type: 'store',
      timeZone: 'UTC',
      brand: 'Potter',
      groups: ['a', 'b'],
      fulfilmentTypes: ['pickup', 'ship'],
    });
    expect(((await app.http('listSkus')).body as { items: object[] }).items).toContainEqual({
      sku: 'file',
      lengthMm: 12,
      brand: 'Potter',
      supplierCost: 150,
      supplierCostCurrency: 'GBP',
      leadTimeDays: 3,
    });
  });
});
