import { describe, expect, it } from '@jest/globals';
import { candidatesOf } from './candidates.ts';
import type { Reservation } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { NOW, available, openRules, threshold } from './testing/arbitraries.ts';
import { backing, reserved } from './testing/reserved.ts';

describe('nodes that could take units of a promise', () => {
  const mine = reserved([backing(1, { confirmed: 2 })]);
  it.each<[string, Reservation, SellingRules, readonly (readonly [node: number, units: number])[]]>([
    [
      'are those with units, those with the most first',
      mine,
      openRules(),
      [
        [3, 4],
        [2, 1],
      ],
    ],
    ['are those of its line', reserved([backing(1, { confirmed: 2 })], {}, { 0: [1, 2] }), openRules(), [[2, 1]]],
    [
      'have no units that are hidden',
      mine,
      openRules([threshold({ scope: 'network', quantity: 4 })]),
      [
        [2, 1],
        [3, 1],
      ],
    ],
    ['are none for a channel that is gone', { ...mine, channel: 99 }, openRules(), []],
  ])('%s', (_, reservation, rules, expected) =>
    expect(
      candidatesOf(reservation, 0, available(1, [0, 1, 4]), rules, NOW).map(({ node, atp }) => [node, atp]),
    ).toEqual(expected),
  );
});
