import { describe, expect, it } from '@jest/globals';
import { type Reservation, inWaitOrder } from '@onepool/stock-domain';
import fc from 'fast-check';
import { waitRankOf } from './wait-rank.ts';

const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const waiting = fc.record({
  key: fc.nat(),
  priority: fc.integer({ min: -100, max: 100 }),
  createdAt: time,
  orderedAt: fc.option(time),
});

describe('the rank of who waits', () => {
  it('is the order in which units that come free are given out', () => {
    fc.assert(
      fc.property(waiting, waiting, (one, other) => {
        const ranks = waitRankOf(one) - waitRankOf(other) || one.key - other.key;
        expect(Math.sign(ranks)).toBe(Math.sign(inWaitOrder(one as Reservation, other as Reservation)));
      }),
    );
  });

  it('is a number that loses nothing', () => {
    fc.assert(fc.property(waiting, (one) => Number.isSafeInteger(waitRankOf(one))));
  });
});
