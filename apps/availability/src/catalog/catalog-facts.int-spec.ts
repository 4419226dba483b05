/** What the catalogue tells of its changes: into its outbox, and from there into its stream. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AVAILABILITY,
  CATALOG_FACTS,
  type CatalogSkuChanged,
  type Node,
  type Sku,
  type Threshold,
} from '@onepool/contracts';
import { consumeFacts } from '@onepool/client';
import { factKey } from '@onepool/platform-messaging';
import { compileSchema } from '@onepool/platform-problem';
import fc from 'fast-check';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';

interface Told {
  readonly key: string;
  readonly subject: string;
  readonly source: string;
  readonly data: { readonly value: unknown; readonly fromVersion: number; readonly toVersion: number };
}

let pool: PoolFixture;
let before = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 2);
});
afterAll(() => pool.close());
beforeEach(async () => {
  const rows: { id: number }[] = await pool.dataSource.query('SELECT max(id)::int AS id FROM catalog.outbox');
  before = rows[0]?.id ?? 0;
});

const told = (): Promise<Told[]> =>
  pool.dataSource.query('SELECT key, subject, source, data FROM catalog.outbox WHERE id > $1 ORDER BY id', [before]);
const values = async (): Promise<unknown[]> => (await told()).map(({ data }) => data.value);

describe('a fact of the catalogue', () => {
  it('tells the whole row as it has become, under its key and with its versions', async () => {
    await pool.catalog.putNodes([{ node: 'a/b', type: 'store', name: 'Shop' }]);
    await pool.catalog.putNodes([{ node: 'a/b', activeTo: '2026-01-01T00:00:00Z', name: null }]);
    const shop = { node: 'a/b', type: 'store', timeZone: 'UTC', fulfilmentTypes: 'all' };
    const common = { key: 'node/a%2Fb', subject: 'onepool.catalog.node.changed.v1', source: '/onepool/catalog' };
    const closed = { ...shop, activeTo: '2026-01-01T00:00:00.000Z' };
    expect(await told()).toEqual([
      { ...common, data: { key: 'a/b', value: { ...shop, name: 'Shop' }, fromVersion: 0, toVersion: 1 } },
      { ...common, data: { key: 'a/b', value: closed, fromVersion: 1, toVersion: 2 } },
    ]);
  });

  it('is of a kind that the contract describes, and has one for each kind of row', async () => {
    await pool.catalog.putSkus([{ sku: 's', title: 'S', gtin: '4006381333931' }]);
    await pool.catalog.putNodes([{ node: 'n', type: 'popup', lat: 1, lng: 2 }]);
    await pool.catalog.putChannels([{ channel: 'c', type: 'b2b', nodes: ['n'] }]);
    await pool.catalog.putThresholds([{ scope: 'node', channel: 'c', sku: 's', quantity: 3 }]);
    const periods = [{ amount: 1, validFrom: '2026-01-01T00:00:00Z' }];
    await pool.catalog.putPrices([{ sku: 's', channel: 'c', currency: 'EUR', periods }]);
    await pool.catalog.putEligibilityRules([{ rule: 'r', forbids: 'sell', skus: ['s'] }]);
    await pool.catalog.putFences([{ fence: 'f', skus: ['s'], channels: ['c'], quantity: 2 }]);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: [] }]);
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['s'], cap: 2 }]);
    await pool.catalog.putReceiptPolicies([{ policy: 'p', to: 'quality_control', reasons: ['return'] }]);
    const facts = await told();
    expect(facts.map(({ subject }) => subject)).toEqual(CATALOG_FACTS.map(({ subject }) => subject));
    for (const [index, { data }] of CATALOG_FACTS.entries()) {
      expect(compileSchema<unknown>(data).check(facts[index]?.data)).toEqual([]);
    }
  });

  it('is told of a row that has changed, and of no other', async () => {
    await pool.catalog.putSkus([{ sku: 'sku1', title: 'One' }]);
    await pool.catalog.putSkus([{ sku: 'sku1', title: 'One' }, { sku: 'sku2' }]);
    await pool.catalog.putThresholds([{ scope: 'network', quantity: 0 }]);
    expect(await values()).toEqual([{ sku: 'sku1', title: 'One' }]);
    const changes = [
      { sku: 'sku2', title: 'Two' },
      { sku: 'sku1', gtin: '4006381333932' },
    ];
    expect(await pool.catalog.putSkus(changes)).toMatchObject({ ok: false });
    expect(await values()).toHaveLength(1);
  });

  it('of each of many rows is told once, in the order of the rows', async () => {
    const skus = Array.from({ length: 2_500 }, (_, index) => ({ sku: `many-${index}` }));
    await pool.catalog.putSkus(skus);
    expect(await values()).toEqual(skus);
  });

  it('tells that a threshold is gone by null, and its versions go on when it comes back', async () => {
    const rule = { scope: 'node' as const, channel: 'web', node: 'n1' };
    const again = { scope: 'node' as const, channel: 'pos', quantity: 1 };
    for (const quantity of [2, 2, 0, 0, 5]) await pool.catalog.putThresholds([{ ...rule, quantity }]);
    await pool.catalog.putThresholds([{ ...again, quantity: 9 }, again]);
    const key = 'node/web/n1/';
    const facts = (await told()).filter((fact) => fact.key === `threshold/${key}`);
    expect(facts.map(({ data }) => data)).toEqual([
      { key, value: { ...rule, quantity: 2 }, fromVersion: 0, toVersion: 1 },
      { key, value: null, fromVersion: 1, toVersion: 2 },
      { key, value: { ...rule, quantity: 5 }, fromVersion: 2, toVersion: 3 },
    ]);
    expect((await values()).at(-1)).toEqual(again);
    await pool.catalog.putThresholds([{ ...rule, quantity: 0 }]);
    const listed = (await pool.catalog.listThresholds(100)).items;
    expect(listed).toContainEqual(again);
    expect(listed.filter(({ node }: Threshold) => node === 'n1')).toEqual([]);
  });

  it('has a key that an index takes, however long the codes are', async () => {
    const code = (from: number): string =>
      String.fromCodePoint(...Array.from({ length: 255 }, (_, index) => from + ((index * 7_919) % 20_000)));
    const [sku, node, channel] = [code(0x20000), code(0x20001), code(0x4e00)] as const;
    await pool.catalog.putSkus([{ sku }]);
    await pool.catalog.putNodes([{ node, type: 'store' }]);
    await pool.catalog.putChannels([{ channel, type: 'web', nodes: [node] }]);
    await pool.catalog.putThresholds([{ scope: 'node', channel, node, sku, quantity: 1 }]);
    const facts = await told();
    expect(facts.map(({ data }) => data.toVersion)).toEqual([1, 1, 1, 1]);
    expect(facts.at(-1)?.key).toMatch(/^threshold\/[0-9a-f]{64}$/);
  });

  it('fits its stream: a row that would not is refused, with the member that is too large', async () => {
    const nodes = Array.from({ length: 2_000 }, (_, index) => `${index}-${'x'.repeat(240)}`);
    await pool.catalog.putNodes(nodes.map((node) => ({ node, type: 'store' as const })));
    const refused = await pool.catalog.putChannels([{ channel: 'wide', type: 'web', nodes }]);
    expect(refused).toMatchObject({ ok: false, faults: [{ index: 0, member: 'nodes', code: 'too_large' }] });
  });
});

describe('writers that race', () => {
  it('tell each version of a row once, and last of all what is stored', async () => {
    const skus = ['0-r1', '0-r2', '0-r3', '0-r4'];
    const change = fc.record({
      codes: fc.shuffledSubarray(skus, { minLength: 1 }),
      title: fc.constantFrom('A', 'B', 'C'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 8 }), async (race) => {
        const put = ({ codes, title }: (typeof race)[number]) =>
          pool.catalog.putSkus(codes.map((sku) => ({ sku, title })));
        expect((await Promise.all(race.map(put))).every(({ ok }) => ok)).toBe(true);
        const stored = new Map((await pool.catalog.listSkus(1_000)).items.map((sku) => [sku.sku, sku]));
        for (const sku of skus) {
          const rows: Told[] = await pool.dataSource.query(
            'SELECT data FROM catalog.outbox WHERE key = $1 ORDER BY id',
            [factKey('sku', sku)],
          );
          const chain = rows.map(({ data }) => [data.fromVersion, data.toVersion]);
          expect(chain).toEqual(rows.map((_, index) => [index, index + 1]));
          expect(rows.at(-1)?.data.value).toEqual(stored.get(sku));
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('a consumer of the stream', () => {
  let app: AppFixture;
  beforeAll(async () => {
    app = await createAppFixture();
  });
  afterAll(() => app.close());

  it('has each row as it is listed when it keeps the value of the highest version', async () => {
    const rows = new Map<string, { readonly version: number; readonly value: Sku | Node }>();
    const gaps: unknown[] = [];
    const keep = async ({
      key,
      data,
    }: {
      readonly key: string;
      readonly data: CatalogSkuChanged | { readonly value: Node; readonly toVersion: number };
    }) => {
      if ((rows.get(key)?.version ?? 0) < data.toVersion) rows.set(key, { version: data.toVersion, value: data.value });
    };
    const consumer = consumeFacts(AVAILABILITY, {
      connection: app.caller,
      durable: 'spec-catalogue',
      on: { catalogSkuChanged: keep, catalogNodeChanged: keep },
      onGap: (gap) => gaps.push(gap),
    });
    try {
      const skus = Array.from({ length: 300 }, (_, index) => ({ sku: `s${String(index).padStart(3, '0')}` }));
      await app.http('putSkus', { body: { skus } });
      await app.http('putNodes', { body: { nodes: [{ node: 'n1', type: 'store' }] } });
      for (const title of ['A', 'B', 'C']) {
        await app.http('putSkus', { body: { skus: skus.slice(0, 50).map((sku) => ({ ...sku, title })) } });
      }
      const { items } = (await app.http('listSkus', { query: { limit: 1_000 } })).body as { items: Sku[] };
      const nodes = (await app.http('listNodes')).body as { items: Node[] };
      const expected = new Map<string, Sku | Node>([
        ...items.map((item) => [factKey('sku', item.sku), item] as const),
        ...nodes.items.map((item) => [factKey('node', item.node), item] as const),
      ]);
      await eventually(() => {
        expect(new Map([...rows].map(([key, { value }]) => [key, value]))).toEqual(expected);
        return true;
      });
      expect(gaps).toEqual([]);
    } finally {
      await consumer.stop();
    }
  });
});
