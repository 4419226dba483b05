/** Drains: which promises leave, which are stranded and told, and that none is missed, whoever was busy. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, Housekeeping, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { type SpecReads, act, backedBy, done, hold, move, readsOf, shift, until } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
let keeper: Housekeeping;
let monotonic: number;
beforeEach(async () => {
  pool = await createPoolFixture(3, 2);
  [engine, other] = [pool.engine(), pool.engine()];
  [reads, monotonic] = [readsOf(engine), 0];
  keeper = new Housekeeping(engine, { monotonic: () => monotonic });
  await keeper.once();
  await pool.receive('sku1', 'n1', 10);
});
afterEach(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});

const stranded = async (): Promise<readonly object[]> =>
  (await reads.exceptions({ limit: 100 })).items
    .filter(({ code, closedAt }) => code === 'promise.stranded' && closedAt === null)
    .map(({ sku, node, quantity }) => ({ sku, node, quantity }));
const told = async (): Promise<readonly object[]> =>
  pool.dataSource.query(
    `SELECT data->>'node' AS node, (data->>'quantity')::int AS quantity FROM outbox
      WHERE subject = 'onepool.stock.promise.stranded.v1' ORDER BY id`,
  );
/** A reservation of `quantity` units at n1, free to move. */
const promise = async (id: string, quantity: number, sku = 'sku1'): Promise<void> => {
  const held = done(await hold(engine, id, [[sku, quantity]]));
  expect(backedBy(held)).toEqual({ n1: quantity });
};
const attach = (id: string) => act(engine, id, 'attach', { order: `order-${id}`, confirm: true });
const at = async (id: string, tally: 'held' | 'confirmed' = 'held') =>
  backedBy(await reads.reservation(SPEC, id), tally);
const soon = (): string => new Date(Date.now() + 300).toISOString();

describe('promises leave', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a node that is drained', () => pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }])],
    [
      'a channel’s node',
      () => pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'], channels: ['web'] }]),
    ],
    ['a node that leaves their channel', () => pool.catalog.putChannels([{ channel: 'web', nodes: ['n2', 'n3'] }])],
    ['a node that has closed', () => pool.catalog.putNodes([{ node: 'n1', activeTo: '2020-01-01T00:00:00Z' }])],
    ['where their SKU is drained', () => other.putStops(SPEC, { stops: [{ sku: 'sku1', node: 'n1', mode: 'drain' }] })],
  ])('%s, held and confirmed ones, but those that an order controls', async (_, drain) => {
    await promise('cart', 1);
    await promise('paid', 2);
    done(await act(engine, 'paid', 'confirm', {}));
    await promise('ordered', 3);
    done(await attach('ordered'));
    await pool.receive('sku1', 'n2', 9);
    await drain();
    await keeper.once();
    expect([await at('cart'), await at('paid', 'confirmed')]).toEqual([{ n2: 1 }, { n2: 2 }]);
    expect(await at('ordered', 'confirmed')).toEqual({ n1: 3 });
    expect([await stranded(), await told()]).toEqual([
      [{ sku: 'sku1', node: 'n1', quantity: 3 }],
      [{ node: 'n1', quantity: 3 }],
    ]);
  });

  it('a node that the clock closes, though nobody changes a rule then', async () => {
    await promise('cart', 2);
    await pool.receive('sku1', 'n2', 9);
    const closesAt = soon();
    await pool.catalog.putNodes([{ node: 'n1', activeTo: closesAt }]);
    await keeper.once();
    expect(await at('cart')).toEqual({ n1: 2 });
    await until('n1 has closed', () => new Date().toISOString() > closesAt);
    await keeper.once();
    expect(await at('cart')).toEqual({ n2: 2 });
  });

  it.each([
    ['a stop that does not drain', { rule: 'r', mode: 'stop' as const, nodes: ['n1'] }],
    ['the drain of another channel', { rule: 'r', mode: 'drain' as const, nodes: ['n1'], channels: ['pos'] }],
    ['the drain of another node', { rule: 'r', mode: 'drain' as const, nodes: ['n2'] }],
  ])('not for %s', async (_, rule) => {
    await promise('cart', 2);
    await pool.receive('sku1', 'n3', 9);
    await pool.catalog.putStopRules([rule]);
    await keeper.once();
    expect([await at('cart'), await stranded()]).toEqual([{ n1: 2 }, []]);
  });

  it('with what their fence has paid', async () => {
    await pool.catalog.putFences([{ fence: 'f', skus: 'all', nodes: ['n1'], channels: ['web'], quantity: 5 }]);
    await promise('cart', 2);
    await pool.receive('sku1', 'n2', 9);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);
    await keeper.once();
    expect(await at('cart')).toEqual({ n2: 2 });
    expect(await pool.dataSource.query('SELECT FROM fence_use WHERE used > 0')).toEqual([]);
  });
});

describe('what is stranded', () => {
  const drainN1 = () => pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);

  it('is one exception for a SKU and node, which shrinks and closes as units leave', async () => {
    await promise('a', 2);
    await promise('b', 3);
    await drainN1();
    await keeper.once();
    expect(await stranded()).toEqual([{ sku: 'sku1', node: 'n1', quantity: 5 }]);
    done(await act(engine, 'a', 'release', {}));
    await keeper.once();
    expect(await stranded()).toEqual([{ sku: 'sku1', node: 'n1', quantity: 3 }]);
    await pool.receive('sku1', 'n2', 3);
    await keeper.once();
    expect([await stranded(), await at('b')]).toEqual([[], { n2: 3 }]);
    expect((await reads.exceptions({ limit: 9 })).items).toMatchObject([{ quantity: 0, closedAt: expect.any(String) }]);
  });

  it('can still be shipped, and ends so', async () => {
    await promise('a', 2);
    done(await attach('a'));
    await drainN1();
    await keeper.once();
    done(await act(other, 'a', 'fulfil', {}));
    await keeper.once();
    expect(await stranded()).toEqual([]);
  });

  it('is no more where the drain is lifted, and is again where it is set again', async () => {
    await promise('a', 2);
    await drainN1();
    await keeper.once();
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'none' }]);
    await keeper.once();
    expect(await stranded()).toEqual([]);
    await drainN1();
    await keeper.once();
    expect(await stranded()).toEqual([{ sku: 'sku1', node: 'n1', quantity: 2 }]);
    expect(await told()).toHaveLength(2);
  });

  it('is what a node works on, until it lets go', async () => {
    await promise('a', 2);
    const back = shift('sku1', 'n1', 'n1', 2);
    done(await move(engine, 'a', 1, [{ ...back, to: { node: 'n1', fulfilment: 'ful' } }]));
    await pool.receive('sku1', 'n2', 9);
    await drainN1();
    await keeper.once();
    expect(await stranded()).toEqual([{ sku: 'sku1', node: 'n1', quantity: 2 }]);
    const letGo = { ...shift('sku1', 'n1', 'n2', 2), from: { node: 'n1', fulfilment: 'ful' } };
    done(await move(engine, 'a', 2, [letGo], 'let-go'));
    await keeper.once();
    expect([await stranded(), await at('a')]).toEqual([[], { n2: 2 }]);
  });

  it('is not told again while nothing changes', async () => {
    await promise('a', 2);
    await drainN1();
    for (let look = 0; look < 3; look++) await keeper.once();
    monotonic += 61_000;
    await keeper.once();
    expect(await told()).toEqual([{ node: 'n1', quantity: 2 }]);
  });
});

describe('none is missed', () => {
  it('of more reservations than one look takes', async () => {
    await pool.receive('sku1', 'n1', 2_500);
    const held = await Promise.all(numbered('r', 2_300).map((id) => hold(engine, id, [['sku1', 1]])));
    held.forEach(done);
    await pool.receive('sku1', 'n2', 2_200);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);
    await until('what can move has moved', async () => {
      await keeper.once();
      return (await stranded()).length > 0;
    });
    expect(await stranded()).toEqual([{ sku: 'sku1', node: 'n1', quantity: 100 }]);
  });

  it('that was granted by the rules before, and committed after the first search', async () => {
    await pool.receive('sku1', 'n2', 9);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);
    await keeper.once();
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'stop' }]);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'none' }]);
    await promise('late', 2);
    // As if it had been decided before the drain: no replica was told of rules in between.
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain' }]);
    monotonic += 10_000;
    await keeper.once();
    await keeper.once();
    expect(await at('late')).toEqual({ n2: 2 });
  });

  it('by a replica that was not there when the rules changed', async () => {
    await promise('a', 2);
    await pool.receive('sku1', 'n2', 9);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);
    const late = new Housekeeping(other);
    await late.once();
    expect(await at('a')).toEqual({ n2: 2 });
  });

  it('of many SKUs, by several replicas at once, each moved once', async () => {
    const skus = numbered('many', 40);
    await pool.catalog.putSkus(skus.map((sku) => ({ sku })));
    for (const sku of skus) await pool.receive(sku, 'n1', 2);
    await Promise.all(skus.map((sku) => promise(`r-${sku}`, 2, sku)));
    for (const sku of skus) await pool.receive(sku, 'n2', 2);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'drain', nodes: ['n1'] }]);
    const keepers = [keeper, new Housekeeping(other)];
    await Promise.all(keepers.map((one) => one.once()));
    await keeper.once();
    for (const sku of skus) {
      const { version, ...reservation } = await reads.reservation(SPEC, `r-${sku}`);
      expect([version, backedBy(reservation as typeof reservation & { version: number })]).toEqual([2, { n2: 2 }]);
    }
  });
});
