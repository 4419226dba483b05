import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Limit, type Rights, narrow, permits } from './rights.ts';

const CODES = ['a', 'b', 'c', 'd'];
const some = fc.uniqueArray(fc.constantFrom(...CODES)).map((codes) => new Set(codes));
const limit: fc.Arbitrary<Limit> = fc.oneof(some, fc.constant('all' as const));
const rights: fc.Arbitrary<Rights> = fc.record({ scopes: some, nodes: limit, channels: limit });

/** Everything that rights decide about. */
const answersOf = ({ scopes, nodes, channels }: Rights): boolean[] =>
  CODES.flatMap((code) => [scopes.has(code), permits(nodes, code), permits(channels, code)]);

describe('rights narrowed by others', () => {
  it('allow exactly what both allow', () => {
    fc.assert(
      fc.property(rights, rights, (one, other) => {
        const each = answersOf(one).map((allowed, index) => allowed && answersOf(other)[index]);
        expect(answersOf(narrow(one, other))).toEqual(each);
      }),
    );
  });

  it('never depend on the order, and are the same when narrowed again', () => {
    fc.assert(
      fc.property(rights, rights, (one, other) => {
        const narrowed = narrow(one, other);
        expect(answersOf(narrow(other, one))).toEqual(answersOf(narrowed));
        expect(answersOf(narrow(narrowed, one))).toEqual(answersOf(narrowed));
      }),
    );
  });

  it('allow no node where a limit names none', () => {
    expect(permits(new Set(), 'a')).toBe(false);
    expect(permits('all', 'a')).toBe(true);
  });
});
