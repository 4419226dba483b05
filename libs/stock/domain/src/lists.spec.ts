/**
 * Lists in rules, all in one place: only a word, or null, means all of them, and an empty list selects nothing. Each row has a list
 * that names what is asked, one that names all, and an empty one; an answer of 8 is all that is there.
 */
import { describe, expect, it } from '@jest/globals';
import { channelAtp } from './atp.ts';
import { concernOf } from './concern.ts';
import { decideAllocate } from './decide-allocate.ts';
import { decideAmend } from './decide-amend.ts';
import { decideHold } from './decide-hold.ts';
import { decideConfirm, decideLeave } from './decide-verb.ts';
import { drainOf } from './drain.ts';
import type { Fence } from './fence.ts';
import { healShortfall } from './heal.ts';
import type { NodeKey } from './keys.ts';
import { type SellingChannel, SellingRules } from './selling-rules.ts';
import {
  NOW,
  SHOP,
  WEB,
  available,
  fence,
  limitedRules,
  sellingChannel,
  sellingNode,
  stop,
  suppliesOf,
} from './testing/arbitraries.ts';
import { backing, bookOf, reserved } from './testing/reserved.ts';

/** Of eight units at node 1. */
const units = (channel: SellingChannel, rules: SellingRules, nodes: ReadonlySet<NodeKey> | null = null): number =>
  channelAtp(available(1, [8]), rules, { channel, nodes, now: NOW }).atp;
const sells = (over: Partial<SellingChannel>): number => {
  const channel = sellingChannel(over);
  return units(channel, new SellingRules([sellingNode(1)], [channel], []));
};
/** What is left for others of a fence of five. */
const fenced = (over: Partial<Fence>): number => units(SHOP, limitedRules({ fences: [fence(over)] }));

const line = (nodes: readonly NodeKey[] | null, quantity = 8) => ({ sku: 1, quantity, nodes });
const held = (nodes: readonly NodeKey[] | null): number => {
  const demand = { lines: [line(nodes)], allowPartial: true, destination: null };
  const decision = decideHold(demand, suppliesOf(available(1, [8])), limitedRules({}), { channel: WEB, now: NOW });
  return decision.ok ? decision.value.granted[0]! : 0;
};
/** Eight units that stand at node 2, of a line for these nodes, with as many free at node 1. */
const promiseFor = (nodes: readonly NodeKey[] | null) => {
  const one = reserved([backing(2, { held: 8 })]);
  const bound = { ...one, lines: one.lines.map((each) => ({ ...each, nodes })) };
  return { one: bound, supplies: bookOf([bound], { 1: { 1: { available: 8 } } }) };
};
const terms = { rules: limitedRules({}), now: NOW, override: null };

const moved = (nodes: readonly NodeKey[] | null): number => {
  const { one, supplies } = promiseFor(nodes);
  const moves = [{ from: { node: 2, fulfilment: null, quantity: 8 }, to: { node: 1, fulfilment: null } }];
  return decideAllocate([{ reservation: one, expectedVersion: 7, moves }], supplies, terms).ok ? 8 : 0;
};
const amended = (nodes: readonly NodeKey[] | null): number => {
  const { one, supplies } = promiseFor(null);
  const lines = [{ id: 'a', sku: 1, quantity: 16, nodes }];
  const amendment = { expectedVersion: 7, lines, channel: null, destination: null, priority: null };
  const decision = decideAmend(one, amendment, supplies, terms);
  return decision.ok ? 8 : 0;
};
const acquired = (nodes: readonly NodeKey[] | null): number => {
  const { one, supplies } = promiseFor(nodes);
  const expired = { ...one, backings: [{ ...one.backings[0]!, held: 0, expired: 8 }] };
  return decideConfirm(expired, supplies, terms.rules, { now: NOW, reacquire: true }).ok ? 8 : 0;
};
const healed = (nodes: readonly NodeKey[] | null): number => {
  const { one } = promiseFor(nodes);
  const short = bookOf([one], { 1: { 1: { available: 8 }, 2: { shortfall: 8 } } });
  return healShortfall(1, [one], short, terms.rules, NOW).effects.length * 8;
};
const drained = (nodes: readonly NodeKey[] | null): number => {
  const { one, supplies } = promiseFor(nodes);
  const rules = limitedRules({ stops: [stop({ node: 2, drains: true })] });
  return drainOf(1, [one], supplies, rules, NOW).effects.length * 8;
};
const worked = (nodes: readonly NodeKey[] | null): number => {
  const one = reserved([backing(1, { confirmed: 8 })]);
  const concern = concernOf(one, { kind: 'node_work', nodes, isRepeated: false });
  return concern.kind === 'node_work' ? concern.nodes.length * 8 : 0;
};
const left = (quantities: readonly number[] | null): number => {
  const one = reserved([backing(1, { held: 8 })]);
  const parts = quantities && quantities.map((quantity) => ({ quantity }));
  const decision = decideLeave('release', one, bookOf([one]), parts);
  return decision.ok ? decision.value.changes.reduce((sum, { quantity }) => sum + quantity, 0) : 0;
};

describe('a list selects what it names, all if it says so, and nothing if it is empty', () => {
  it.each<[string, number, number, number]>([
    ['nodes of a channel', sells({ nodes: new Set([1]) }), sells({ nodes: 'all' }), sells({ nodes: new Set() })],
    [
      'types of nodes of a channel',
      sells({ nodeTypes: new Set(['store']) }),
      sells({ nodeTypes: 'all' }),
      sells({ nodeTypes: new Set() }),
    ],
    [
      'nodes of a question',
      units(WEB, limitedRules({}), new Set([1])),
      units(WEB, limitedRules({}), null),
      units(WEB, limitedRules({}), new Set()),
    ],
    ['nodes of a line that is held', held([1]), held(null), held([])],
    ['nodes of a line that moves', moved([1]), moved(null), moved([])],
    ['nodes of a line that is amended', amended([1, 2]), amended(null), amended([])],
    ['nodes of a line that is acquired again', acquired([1]), acquired(null), acquired([])],
    ['nodes of a line that heals', healed([1]), healed(null), healed([])],
    ['nodes of a line that is drained', drained([1]), drained(null), drained([])],
    ['nodes of work', worked([1]), worked(null), worked([])],
    ['parts of a verb', left([8]), left(null), left([])],
  ])('%s', (_, named, all, none) => expect([named, all, none]).toEqual([8, 8, 0]));

  it.each<[string, number, number, number]>([
    ['nodes of a fence', fenced({ nodes: new Set([1]) }), fenced({ nodes: 'all' }), fenced({ nodes: new Set() })],
    ['SKUs of a fence', fenced({ skus: new Set([1]) }), fenced({ skus: 'all' }), fenced({ skus: new Set() })],
    [
      'channels of a fence',
      fenced({ channels: new Set([1]) }),
      fenced({ channels: new Set([1, 3]) }),
      fenced({ channels: new Set() }),
    ],
  ])('%s', (_, named, all, none) => expect([named, all, none]).toEqual([3, 3, 8]));
});

describe('no list at all', () => {
  it.each<[string, number]>([
    ['of nodes leaves nothing to sell from', units(WEB, new SellingRules([], [WEB], []))],
    [
      'of rows has nothing',
      channelAtp(available(1, []), limitedRules({}), { channel: WEB, nodes: null, now: NOW }).atp,
    ],
  ])('%s', (_, found) => expect(found).toBe(0));

  it('of thresholds, fences or stops hides nothing', () =>
    expect(units(WEB, limitedRules({ fences: [], stops: [] }, []))).toBe(8));
});
