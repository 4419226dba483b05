import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Concern, beyondLimits } from './limits.ts';
import { type Limit, type Limits, type Rights, narrow } from './rights.ts';

const CODES = ['a', 'b', 'c'];
const some = fc.uniqueArray(fc.constantFrom(...CODES)).map((codes) => new Set(codes));
const limit: fc.Arbitrary<Limit> = fc.oneof(some, fc.constant('all' as const));
const limits: fc.Arbitrary<Limits> = fc.record({ nodes: limit, channels: limit });
const code = fc.constantFrom(...CODES);
const concern: fc.Arbitrary<Concern> = fc.oneof(
  fc.record({ kind: fc.constant('selling' as const), channel: code }),
  fc.record({ kind: fc.constant('node_work' as const), nodes: fc.array(code, { maxLength: 4 }) }),
);
const isFree = (given: Limits, about: Concern): boolean => beyondLimits(given, about) === null;
const of = (nodes: readonly string[] | null, channels: readonly string[] | null): Limits => ({
  nodes: nodes ? new Set(nodes) : 'all',
  channels: channels ? new Set(channels) : 'all',
});

describe('selling', () => {
  it.each<[string, Limits, boolean]>([
    ['is free without limits', of(null, null), true],
    ['is not bound to nodes', of([], null), true],
    ['is free in a channel of the limit', of(null, ['b', 'a']), true],
    ['is refused in any other', of(null, ['b']), false],
    ['is refused where the limit names none', of(null, []), false],
  ])('%s', (_title, given, isAllowed) => {
    const refusal = isAllowed ? null : { code: 'channel.forbidden', channel: 'a' };
    expect(beyondLimits(given, { kind: 'selling', channel: 'a' })).toEqual(refusal);
  });
});

describe('node work', () => {
  it.each<[string, Limits, readonly string[], string | null]>([
    ['is free without limits', of(null, null), ['a', 'b'], null],
    ['is not bound to channels', of(['a'], []), ['a'], null],
    ['is refused at the first node outside of the limit', of(['a'], null), ['a', 'c', 'b'], 'c'],
    ['is refused everywhere where the limit names none', of([], null), ['a'], 'a'],
    ['at no node is free', of([], null), [], null],
  ])('%s', (_title, given, nodes, node) => {
    const refusal = node === null ? null : { code: 'node.forbidden', node };
    expect(beyondLimits(given, { kind: 'node_work', nodes })).toEqual(refusal);
  });
});

describe('whatever is done', () => {
  it('is free within two limits narrowed to what both allow exactly where it is free within each', () => {
    fc.assert(
      fc.property(limits, limits, concern, (one, other, about) => {
        const rights = (given: Limits): Rights => ({ ...given, scopes: new Set() });
        const both = isFree(one, about) && isFree(other, about);
        expect(isFree(narrow(rights(one), rights(other)), about)).toBe(both);
      }),
    );
  });

  it('at several nodes is free exactly where it is at each by itself', () => {
    fc.assert(
      fc.property(limits, fc.array(code), (given, nodes) => {
        const each = nodes.every((node) => isFree(given, { kind: 'node_work', nodes: [node] }));
        expect(isFree(given, { kind: 'node_work', nodes })).toBe(each);
      }),
    );
  });

  it('is decided alike by keys and by codes, and tells the name that it was given', () => {
    const keyed = (about: Concern): Concern<number, number> =>
      about.kind === 'selling'
        ? { kind: 'selling', channel: CODES.indexOf(about.channel) }
        : { kind: 'node_work', nodes: about.nodes.map((node) => CODES.indexOf(node)) };
    const codeOf = (key: number): string => CODES[key]!;
    fc.assert(
      fc.property(limits, concern, (given, about) => {
        const byKey = beyondLimits(given, keyed(about), { node: codeOf, channel: codeOf });
        const byCode = beyondLimits(given, about);
        const named = byKey && {
          ...byKey,
          ...('node' in byKey ? { node: codeOf(byKey.node) } : { channel: codeOf(byKey.channel) }),
        };
        expect(named).toEqual(byCode);
      }),
    );
  });
});
