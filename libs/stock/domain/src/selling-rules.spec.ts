import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type AllowanceRule,
  type SellingChannel,
  type SellingNode,
  SellingRules,
  type Threshold,
} from './selling-rules.ts';
import { NOW, openRules, sellingChannel, sellingNode, threshold } from './testing/arbitraries.ts';

describe('eligibility', () => {
  it.each<[string, Partial<SellingNode>, Partial<SellingChannel>, boolean]>([
    ['an open node and an open channel', {}, {}, true],
    ['a node that opens at this instant', { activeFrom: NOW }, {}, true],
    ['a node that opens a moment later', { activeFrom: NOW + 1 }, {}, false],
    ['a node that closes a moment later', { activeTo: NOW + 1 }, {}, true],
    ['a node that closes at this instant', { activeTo: NOW }, {}, false],
    ['a type that the channel takes', { type: 'store' }, { nodeTypes: new Set(['store']) }, true],
    ['a type that the channel does not take', { type: 'popup' }, { nodeTypes: new Set(['store']) }, false],
    ['a node on the channel’s list', {}, { nodes: new Set([1]) }, true],
    ['a node off the channel’s list', {}, { nodes: new Set([2]) }, false],
    ['a channel that no node serves', {}, { nodes: new Set() }, false],
    ['a channel that no type serves', {}, { nodeTypes: new Set() }, false],
    ['a listed node of another type', { type: '3pl' }, { nodes: new Set([1]), nodeTypes: new Set(['store']) }, false],
    ['a listed node that has closed', { activeTo: NOW - 1 }, { nodes: new Set([1]) }, false],
  ])('of %s', (_, node, channel, eligible) => {
    const asking = sellingChannel(channel);
    const rules = new SellingRules([sellingNode(1, node)], [asking], []);
    expect(rules.isEligible(asking, 1, NOW)).toBe(eligible);
  });

  it('of a node that the rules do not know is denied', () => {
    expect(openRules().isEligible(sellingChannel(), 99, NOW)).toBe(false);
  });
});

describe('thresholds', () => {
  it.each<[string, readonly Partial<Threshold>[], number]>([
    ['without a rule nothing is hidden', [], 0],
    ['the largest of several matches wins', [{ quantity: 2 }, { quantity: 7 }, { quantity: 5 }], 7],
    ['a general rule beats a smaller special one', [{ quantity: 7 }, { sku: 1, node: 1, channel: 1, quantity: 2 }], 7],
    ['a rule of this SKU counts', [{ sku: 1, quantity: 3 }], 3],
    ['a rule of another SKU does not', [{ sku: 2, quantity: 3 }], 0],
    ['a rule of another channel does not', [{ channel: 2, quantity: 3 }], 0],
    ['a rule of another node does not', [{ node: 2, quantity: 3 }], 0],
    ['a network rule hides nothing at a node', [{ scope: 'network', quantity: 3 }], 0],
  ])('at a node: %s', (_, rules, hidden) => {
    expect(openRules(rules.map(threshold)).nodeThreshold(1, 1, 1)).toBe(hidden);
  });

  it.each<[string, readonly Partial<Threshold>[], number]>([
    ['the largest of several matches wins', [{ quantity: 2 }, { sku: 1, quantity: 7 }, { channel: 1, quantity: 5 }], 7],
    ['a rule of another channel does not count', [{ channel: 2, quantity: 3 }], 0],
    ['a rule of another SKU does not count', [{ sku: 2, quantity: 3 }], 0],
  ])('of the network: %s', (_, rules, hidden) => {
    const network = rules.map((rule) => threshold({ ...rule, scope: 'network' }));
    expect(openRules(network).networkThreshold(1, 1)).toBe(hidden);
  });

  it('hide the same whatever the order of the rules, and another match never hides less', () => {
    const key = fc.constantFrom(null, 1, 2);
    const rule = fc.record({
      scope: fc.constantFrom('node' as const, 'network' as const),
      channel: key,
      node: key,
      sku: key,
      quantity: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), rule, (some, added) => {
        const hidden = openRules(some).nodeThreshold(1, 1, 1);
        const fitting = some.filter(
          ({ scope, channel, node, sku }) => scope === 'node' && ![channel, node, sku].includes(2),
        );
        expect(hidden).toBe(Math.max(0, ...fitting.map(({ quantity }) => quantity)));
        expect(openRules(some.toReversed()).nodeThreshold(1, 1, 1)).toBe(hidden);
        expect(openRules([...some, added]).nodeThreshold(1, 1, 1)).toBeGreaterThanOrEqual(hidden);
      }),
    );
  });
});

describe('caps of what may be promised beyond what there is', () => {
  const capsOf = (allowances: readonly AllowanceRule[], sku: number) =>
    Object.fromEntries(new SellingRules([], [], [], { allowances }).allowancesOf(sku));

  it.each<[string, readonly AllowanceRule[], Readonly<Record<number, number>>]>([
    ['are none without a rule', [], {}],
    [
      'are those of every SKU',
      [
        { sku: null, node: null, cap: 5 },
        { sku: null, node: 2, cap: 1 },
      ],
      { 0: 5, 2: 1 },
    ],
    [
      'are those of the SKU instead, even to none',
      [
        { sku: null, node: null, cap: 5 },
        { sku: 1, node: null, cap: 0 },
      ],
      { 0: 0 },
    ],
    [
      'are those of the SKU beside others of every SKU',
      [
        { sku: null, node: 2, cap: 5 },
        { sku: 1, node: null, cap: 3 },
      ],
      { 0: 3, 2: 5 },
    ],
    ['are not those of another SKU', [{ sku: 2, node: null, cap: 5 }], {}],
    [
      'are the smallest of what is said twice',
      [
        { sku: 1, node: null, cap: 5 },
        { sku: 1, node: null, cap: 4 },
      ],
      { 0: 4 },
    ],
  ])('%s', (_, rules, expected) => expect(capsOf(rules, 1)).toEqual(expected));
});
