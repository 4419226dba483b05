import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type HiddenUnits, channelAtp, explainAtp, rowAtp } from './atp.ts';
import { type SellingNode, SellingRules, type Threshold } from './selling-rules.ts';
import {
  NOW,
  WEB,
  SHOP,
  available,
  fence,
  fromAll,
  limited,
  limitedRules,
  openRules,
  row,
  sellingChannel,
  sellingNode,
  stop,
  supplyOf,
  threshold,
  validRow,
} from './testing/arbitraries.ts';

const NODES = [1, 2, 3, 4];
const hiding = (...rules: readonly Partial<Threshold>[]) => openRules(rules.map(threshold));
const network = (quantity: number): Partial<Threshold> => ({ scope: 'network', quantity });

describe('ATP by example', () => {
  it.each<[string, readonly number[], readonly Partial<Threshold>[], number]>([
    ['no stock', [], [], 0],
    ['the sum over nodes', [3, 4], [], 7],
    ['less a threshold at each node', [3, 4], [{ quantity: 1 }], 5],
    ['a threshold above a node’s stock hides that node alone', [3, 9], [{ quantity: 4 }], 5],
    ['less a threshold at one node', [3, 4], [{ node: 2, quantity: 3 }], 4],
    ['less a threshold of the network, once', [3, 4], [network(2)], 5],
    ['less both kinds', [3, 4], [{ quantity: 1 }, network(2)], 3],
    ['a network threshold equal to the sum', [3, 4], [network(7)], 0],
    ['never below zero', [3, 4], [network(100)], 0],
    ['the largest of several matches', [9], [{ quantity: 2 }, { sku: 1, quantity: 5 }, { node: 1, quantity: 4 }], 4],
  ])('%s', (_, stock, rules, atp) => {
    expect(channelAtp(available(1, stock), hiding(...rules), fromAll()).atp).toBe(atp);
  });

  it('counts available units and no other state', () => {
    const busy = row({ available: 2, reserved: 3, committed: 4, safetyStock: 5, damaged: 6, qualityControl: 7 });
    expect(channelAtp(supplyOf(1, [busy]), openRules(), fromAll())).toEqual({ atp: 2, nodes: [{ node: 1, atp: 2 }] });
  });

  it('lists the nodes that have a unit to promise', () => {
    const { nodes } = channelAtp(available(1, [0, 2, 5]), hiding({ quantity: 2 }), fromAll());
    expect(nodes).toEqual([{ node: 3, atp: 3 }]);
  });
});

describe('ATP of some nodes only', () => {
  it.each<[string, readonly number[], number]>([
    ['is what they have while the network shows more', [1], 8],
    ['is capped by what the network shows', [1, 2], 10],
    ['of all nodes is the channel’s', [1, 2, 3], 10],
    ['is nothing where there is nothing', [4], 0],
  ])('%s', (_, nodes, atp) => {
    const asked = fromAll({ nodes: new Set(nodes) });
    expect(channelAtp(available(1, [8, 7, 5]), hiding(network(10)), asked).atp).toBe(atp);
  });

  it('does not take the network threshold off every place for pickup', () => {
    const asked = fromAll({ nodes: new Set([1]) });
    expect(channelAtp(available(1, [8, 90]), hiding(network(10)), asked).atp).toBe(8);
  });
});

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const nodeOf = (key: number): fc.Arbitrary<SellingNode> =>
  fc
    .record({
      type: fc.constantFrom('store', 'warehouse'),
      activeFrom: maybe(fc.constantFrom(NOW - 1, NOW, NOW + 1)),
      activeTo: maybe(fc.constantFrom(NOW - 1, NOW, NOW + 1)),
    })
    .map((over) => sellingNode(key, over));
const orAll = <T>(set: fc.Arbitrary<ReadonlySet<T>>) => fc.oneof(fc.constant('all' as const), set);
const has = <T>(set: 'all' | ReadonlySet<T>, item: T): boolean => set === 'all' || set.has(item);
const world = fc.record({
  rows: fc.tuple(...NODES.map((node) => validRow.map((r) => ({ ...r, node })))),
  nodes: fc.tuple(...NODES.map(nodeOf)),
  channel: fc
    .record({
      nodeTypes: orAll(fc.subarray(['store', 'warehouse']).map((types) => new Set(types))),
      nodes: orAll(fc.subarray(NODES).map((keys) => new Set(keys))),
    })
    .map(sellingChannel),
  thresholds: fc.array(
    fc.record({
      scope: fc.constantFrom('node' as const, 'network' as const),
      channel: maybe(fc.constantFrom(1, 2)),
      node: maybe(fc.constantFrom(...NODES)),
      sku: maybe(fc.constantFrom(1, 2)),
      quantity: fc.nat(8),
    }),
    { maxLength: 5 },
  ),
  asked: maybe(fc.subarray(NODES).map((keys) => new Set(keys))),
});

describe('laws of ATP', () => {
  it('is the formula, written out a second time', () => {
    fc.assert(
      fc.property(world, ({ rows, nodes, channel, thresholds, asked }) => {
        const largest = (scope: string, node: number | null): number =>
          Math.max(
            0,
            ...thresholds
              .filter((rule) => rule.scope === scope && rule.channel !== 2 && rule.sku !== 2)
              .filter((rule) => scope === 'network' || rule.node === null || rule.node === node)
              .map(({ quantity }) => quantity),
          );
        const atNode = nodes.map((node, index) => {
          const open = (node.activeFrom ?? -Infinity) <= NOW && NOW < (node.activeTo ?? Infinity);
          const serves = has(channel.nodeTypes, node.type) && has(channel.nodes, node.key);
          return open && serves ? Math.max(0, rows[index]!.available - largest('node', node.key)) : 0;
        });
        const total = Math.max(0, atNode.reduce((sum, atp) => sum + atp, 0) - largest('network', null));
        const chosen = atNode.reduce((sum, atp, index) => sum + (asked?.has(index + 1) === false ? 0 : atp), 0);
        const rules = new SellingRules(nodes, [channel], thresholds);
        const found = channelAtp(supplyOf(1, rows), rules, { channel, nodes: asked, now: NOW });
        expect(found.atp).toBe(Math.min(total, chosen));
        expect(found.nodes).toEqual(
          atNode
            .map((atp, index) => ({ node: index + 1, atp }))
            .filter(({ node, atp }) => atp > 0 && asked?.has(node) !== false),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('is never negative, and asking fewer nodes never shows more', () => {
    fc.assert(
      fc.property(world, ({ rows, nodes, channel, thresholds, asked }) => {
        const rules = new SellingRules(nodes, [channel], thresholds);
        const all = channelAtp(supplyOf(1, rows), rules, { channel, nodes: null, now: NOW });
        const some = channelAtp(supplyOf(1, rows), rules, { channel, nodes: asked, now: NOW });
        expect(some.atp).toBeGreaterThanOrEqual(0);
        expect(some.atp).toBeLessThanOrEqual(all.atp);
      }),
    );
  });

  it('of a node that the rules do not know is not counted', () => {
    const stray = supplyOf(1, [row({ node: 77, available: 5 })]);
    expect(channelAtp(stray, openRules(), fromAll({ channel: WEB }))).toEqual({ atp: 0, nodes: [] });
  });
});

describe('why a channel does not see all of eight units', () => {
  const others = fence({ channels: new Set([2]), quantity: 5 });
  const rulesOf = limitedRules;
  const closed = new SellingRules([sellingNode(1, { activeTo: NOW })], [WEB], [threshold({ quantity: 2 })]);
  const asked = new Set([2]);
  it.each<[string, SellingRules, Parameters<typeof fromAll>[0], readonly HiddenUnits[]]>([
    ['nothing is hidden', rulesOf({}), {}, []],
    ['a threshold', rulesOf({}, [threshold({ quantity: 2 })]), {}, [{ reason: 'threshold', units: 2 }]],
    [
      'a threshold above what is there',
      rulesOf({}, [threshold({ quantity: 9 })]),
      {},
      [{ reason: 'threshold', units: 8 }],
    ],
    ['a fence of others', rulesOf({ fences: [others] }), {}, [{ reason: 'fence', units: 5, fence: 1 }]],
    ['its own fence hides nothing', rulesOf({ fences: [fence()] }), {}, []],
    [
      'two fences of others',
      rulesOf({ fences: [others, { ...others, key: 2 }] }),
      {},
      [
        { reason: 'fence', units: 5, fence: 1 },
        { reason: 'fence', units: 3, fence: 2 },
      ],
    ],
    [
      'a threshold, and of a fence what it leaves',
      rulesOf({ fences: [others] }, [threshold({ quantity: 6 })]),
      {},
      [
        { reason: 'threshold', units: 6 },
        { reason: 'fence', units: 2, fence: 1 },
      ],
    ],
    ['a stop, whatever else', rulesOf({ stops: [stop()], fences: [others] }), {}, [{ reason: 'stop', units: 8 }]],
    ['a node that has closed, whatever else', closed, { nodes: asked }, [{ reason: 'not_eligible', units: 8 }]],
    ['a line for other nodes', rulesOf({ fences: [others] }), { nodes: asked }, [{ reason: 'line_nodes', units: 8 }]],
    [
      'nothing that is sold already',
      rulesOf({ fences: [others] }, [threshold({ quantity: 2 })]),
      { showsHidden: true },
      [],
    ],
    [
      'but what is sold already is stopped',
      rulesOf({ stops: [stop()] }),
      { showsHidden: true },
      [{ reason: 'stop', units: 8 }],
    ],
  ])('%s', (_, rules, over, hidden) => {
    const atp = 8 - hidden.reduce((sum, { units }) => sum + units, 0);
    const found = explainAtp(available(1, [8]), rules, fromAll(over));
    expect(found).toEqual({ atp, nodes: [{ node: 1, atp, hidden }], hidden: 0 });
  });

  it('a stop of the SKU', () => {
    const [found] = explainAtp(limited(available(1, [8]), [stop({ node: 1 })]), openRules(), fromAll()).nodes;
    expect(found).toEqual({ node: 1, atp: 0, hidden: [{ reason: 'stop', units: 8 }] });
  });

  it('the network hides units of all nodes together', () => {
    const rules = limitedRules({}, [threshold({ ...network(10) })]);
    const found = explainAtp(available(1, [8, 7, 0]), rules, fromAll());
    expect([found.atp, found.hidden, found.nodes.map(({ atp }) => atp)]).toEqual([5, 10, [8, 7, 0]]);
    expect(explainAtp(available(1, [3]), rules, fromAll()).hidden).toBe(3);
  });

  const limits = fc.record({
    fences: fc.array(
      fc.record({
        channels: fc.subarray([1, 2], { minLength: 1 }).map((keys) => new Set(keys)),
        measure: fc.constantFrom('units' as const, 'percent' as const),
        quantity: fc.nat(60),
      }),
      { maxLength: 3 },
    ),
    stops: fc.array(fc.record({ node: maybe(fc.constantFrom(1, 2)), channel: maybe(fc.constantFrom(1, 2)) }), {
      maxLength: 1,
    }),
    isSold: fc.boolean(),
    uses: fc.array(fc.record({ node: fc.constantFrom(1, 2), used: fc.nat(9) }), { maxLength: 2 }),
  });

  it('law: with what is hidden, each node has all that is there, and the ATP is the one that is granted', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(world, limits, ({ rows, nodes, channel, thresholds, asked }, { fences, stops, isSold, uses }) => {
        const keyed = fences.map((one, place) => fence({ ...one, key: place + 1 }));
        const rules = new SellingRules(nodes, [channel, SHOP], thresholds, { fences: keyed, stops: stops.map(stop) });
        const supply = limited(
          supplyOf(1, rows),
          stops.map((one) => stop({ ...one, channel: 2 })),
          uses.map((one) => ({ ...one, fence: 1 })),
        );
        const perspective = { channel, nodes: asked, now: NOW, showsHidden: isSold };
        const found = explainAtp(supply, rules, perspective);
        const granted = channelAtp(supply, rules, perspective);
        expect(found.atp).toBe(granted.atp);
        expect(found.nodes.flatMap(({ node, atp }) => (atp > 0 ? [{ node, atp }] : []))).toEqual(granted.nodes);
        for (const [place, { atp, hidden }] of found.nodes.entries()) {
          expect(hidden.reduce((sum, { units }) => sum + units, atp)).toBe(rows[place]!.available);
          const ofRow = rowAtp(rows[place]!, supply, rules, { channel, now: NOW });
          if (!isSold && !hidden.some(({ reason }) => reason === 'line_nodes')) expect(atp).toBe(ofRow);
          for (const { reason, units } of hidden) {
            expect(units).toBeGreaterThan(0);
            seen.add(reason);
          }
        }
      }),
      { numRuns: 4000 },
    );
    expect(seen.size).toBe(5);
  });
});
