import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hold } from './arithmetic.ts';
import { channelAtp } from './atp.ts';
import { chargeFence } from './charge-fences.ts';
import { type Fence, Fences, type FenceUse, keptFrom, payingFence } from './fence.ts';
import type { ChannelKey } from './keys.ts';
import { stockAt } from './supply-row.ts';
import { SupplyDraft, rowAt } from './supply.ts';
import {
  NOW,
  SHOP,
  WEB,
  WHOLESALE,
  available,
  fence,
  limited,
  limitedRules,
  suppliesOf,
} from './testing/arbitraries.ts';

/** The group of web and shop; wholesale is on its own. */
const D2C = new Set([WEB.key, SHOP.key]);
const B2B = new Set([WHOLESALE.key]);
const d2c = (over: Partial<Fence> = {}): Fence => fence({ channels: D2C, ...over });
const b2b = (over: Partial<Fence> = {}): Fence => fence({ key: 2, channels: B2B, ...over });
const use = (used: number, over: Partial<FenceUse> = {}): FenceUse => ({ node: 1, fence: 1, used, ...over });

/** What web, shop and wholesale see of that many units at node 1. */
const seen = (fences: readonly Fence[], units: number, uses: readonly FenceUse[] = []): readonly number[] => {
  const supply = limited(available(1, [units]), [], uses);
  const rules = limitedRules({ fences });
  return [WEB, SHOP, WHOLESALE].map((channel) => channelAtp(supply, rules, { channel, nodes: null, now: NOW }).atp);
};

describe('a fence of so many units', () => {
  it.each<[string, readonly Fence[], number, readonly FenceUse[], readonly number[]]>([
    ['keeps them from others, and shows its group all there is', [d2c()], 8, [], [8, 8, 3]],
    ['keeps no more than is left of it', [d2c()], 5, [use(3)], [5, 5, 3]],
    ['keeps nothing once it is used', [d2c()], 3, [use(5)], [3, 3, 3]],
    ['keeps nothing more where more was used', [d2c()], 3, [use(7)], [3, 3, 3]],
    ['keeps what is there if that is less', [d2c()], 4, [], [4, 4, 0]],
    ['is a budget of each node', [d2c()], 8, [use(5, { node: 2 })], [8, 8, 3]],
    ['is not used by what another fence paid for', [d2c()], 8, [use(5, { fence: 9 })], [8, 8, 3]],
    ['of one group does not hide from the other', [d2c(), b2b({ quantity: 2 })], 8, [], [6, 6, 3]],
    ['of a later group keeps what the first leaves', [d2c(), b2b()], 8, [], [5, 5, 3]],
    ['that has nothing to keep is not in the way', [d2c(), b2b()], 4, [], [4, 4, 0]],
    ['of another node hides nothing', [d2c({ nodes: new Set([2]) })], 8, [], [8, 8, 8]],
    ['of this node does', [d2c({ nodes: new Set([1, 2]) })], 8, [], [8, 8, 3]],
    ['of another SKU hides nothing', [d2c({ skus: new Set([2]) })], 8, [], [8, 8, 8]],
    ['of this SKU does', [d2c({ skus: new Set([1, 2]) })], 8, [], [8, 8, 3]],
    ['stays until its last moment', [d2c({ until: NOW + 1 })], 8, [], [8, 8, 3]],
    ['is common from its end on', [d2c({ until: NOW })], 8, [], [8, 8, 8]],
    [
      'names several of a channel’s, which has one after the other',
      [d2c(), d2c({ key: 2, quantity: 2 })],
      8,
      [],
      [6, 6, 1],
    ],
    ['and the next once the first is used', [d2c(), d2c({ key: 2, quantity: 2 })], 3, [use(5)], [3, 3, 1]],
  ])('%s', (_, fences, units, uses, atp) => {
    expect(seen(fences, units, uses)).toEqual(atp);
    expect(seen(fences.toReversed(), units, uses)).toEqual(atp);
  });
});

describe('a fence in per cent', () => {
  const half = (over: Partial<Fence> = {}): Fence => d2c({ measure: 'percent', quantity: 50, ...over });
  it.each<[string, readonly Fence[], number, readonly number[]]>([
    ['keeps a share of what is there', [half()], 8, [8, 8, 4]],
    ['is live', [half()], 4, [4, 4, 2]],
    ['is rounded down', [half()], 7, [7, 7, 4]],
    ['keeps nothing of a single unit', [half()], 1, [1, 1, 1]],
    ['of all keeps all', [half({ quantity: 100 })], 7, [7, 7, 0]],
    ['of nothing keeps nothing', [half({ quantity: 0 })], 7, [7, 7, 7]],
    ['comes after those of so many units', [half(), b2b()], 8, [3, 3, 5]],
  ])('%s', (_, fences, units, atp) => expect(seen(fences, units)).toEqual(atp));
});

describe('the fence that pays', () => {
  const paying = (channel: ChannelKey, fences: readonly Fence[], uses: readonly FenceUse[] = []) =>
    payingFence(channel, new Fences(fences).of(1), { node: 1, uses }, NOW);
  it.each<[string, ReturnType<typeof paying>, ReturnType<typeof paying>]>([
    ['is the group’s, with what it has left', paying(1, [d2c()], [use(2)]), { fence: 1, unused: 3 }],
    ['is none for others', paying(3, [d2c()]), null],
    ['is none once it is used', paying(1, [d2c()], [use(5)]), null],
    ['is never a share', paying(1, [d2c({ measure: 'percent' })]), null],
    ['is none that is over', paying(1, [d2c({ until: NOW })]), null],
    ['is the next once the first is used', paying(1, [d2c({ key: 2 }), d2c()], [use(5)]), { fence: 2, unused: 5 }],
  ])('%s', (_, found, expected) => expect(found).toEqual(expected));
});

const someFence = fc
  .record({
    channels: fc.subarray([1, 2, 3]).map((keys) => new Set(keys)),
    nodes: fc.constantFrom<Fence['nodes']>('all', new Set([1]), new Set([2])),
    measure: fc.constantFrom<Fence['measure']>('units', 'units', 'percent'),
    quantity: fc.nat(8),
    until: fc.constantFrom(null, null, NOW, NOW + 1),
  })
  .map(fence);
const someFences = fc
  .array(someFence, { maxLength: 4 })
  .map((fences) => fences.map((one, place) => ({ ...one, key: place + 1 })));
const CHANNELS = [WEB, SHOP, WHOLESALE];

describe('laws of fences', () => {
  it('never keep more than is there, and a fence keeps nothing from its own group alone', () => {
    fc.assert(
      fc.property(someFences, fc.nat(12), fc.nat(6), (fences, units, used) => {
        const shelf = { node: 1, available: units, uses: [use(used)] };
        const kept = CHANNELS.map(({ key }) => keptFrom(key, new Fences(fences).of(1), shelf, NOW));
        for (const one of kept) expect(one <= units && one >= 0).toBe(true);
        const [only] = fences;
        if (fences.length === 1 && only) for (const key of only.channels) expect(kept[key - 1]).toBe(0);
      }),
    );
  });

  it('tell of each fence exactly what they keep', () => {
    fc.assert(
      fc.property(someFences, fc.nat(12), (fences, units) => {
        let told = 0;
        const shelf = { node: 1, available: units, uses: [] };
        const kept = keptFrom(3, new Fences(fences).of(1), shelf, NOW, (_, one) => (told += one));
        expect(told).toBe(kept);
      }),
    );
  });

  it('what a group has in its own fences of so many units, nobody else can take, whatever they buy', () => {
    let kept = 0;
    const buys = fc.array(fc.record({ channel: fc.constantFrom(1, 2), wish: fc.integer({ min: 1, max: 6 }) }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(someFences, fc.nat(20), buys, (others, units, all) => {
        const fences = [
          ...others.map((one) => ({ ...one, channels: new Set([...one.channels].filter((key) => key !== 3)) })),
        ];
        const own = fence({ key: 2.5, channels: B2B, quantity: 4 });
        const rules = limitedRules({ fences: [...fences, own] });
        const draft = new SupplyDraft(suppliesOf(available(1, [units])));
        const atpOf = (channel: ChannelKey): number =>
          channelAtp(draft.supply(1), rules, { channel: CHANNELS[channel - 1]!, nodes: null, now: NOW }).atp;
        const before = Math.min(4, atpOf(3));
        for (const { channel, wish } of all) {
          const taken = Math.min(wish, atpOf(channel));
          draft.change(1, stockAt(1), (row) => hold(row, taken));
          chargeFence(draft, { sku: 1, node: 1, channel, units: taken }, { rules, now: NOW });
          expect(rowAt(draft.supply(1), 1).available).toBeGreaterThanOrEqual(before);
          if (taken > 0 && before > 0) kept++;
        }
      }),
      { numRuns: 500 },
    );
    expect(kept).toBeGreaterThan(50);
  });

  it('leave no unit that no group may have, as long as each channel has its own and all are in one', () => {
    fc.assert(
      fc.property(fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8)), fc.nat(20), (sizes, units) => {
        const fences = sizes.map((quantity, place) =>
          fence({ key: place + 1, channels: new Set([place + 1]), quantity }),
        );
        const rules = limitedRules({ fences });
        const draft = new SupplyDraft(suppliesOf(available(1, [units])));
        for (const channel of [3, 1, 2, 3, 1, 2]) {
          const { atp } = channelAtp(draft.supply(1), rules, {
            channel: CHANNELS[channel - 1]!,
            nodes: null,
            now: NOW,
          });
          draft.change(1, stockAt(1), (row) => hold(row, atp));
          chargeFence(draft, { sku: 1, node: 1, channel, units: atp }, { rules, now: NOW });
        }
        expect(rowAt(draft.supply(1), 1).available).toBe(0);
      }),
    );
  });
});
