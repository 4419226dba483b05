import { describe, expect, it } from '@jest/globals';
import { pair } from './pair.ts';
import type { TurnFigures } from './protocol.ts';

const turn = (appMicroseconds: number, postgresMicroseconds: number): TurnFigures => ({
  operations: 1_000,
  perSecond: 10_000,
  p99Ms: 1,
  appMicroseconds,
  postgresMicroseconds,
});

describe('a comparison', () => {
  it('pairs the turns of one round, so that a slow minute of the machine cancels out', () => {
    const before = [turn(10, 20), turn(40, 80), turn(10, 20)];
    const after = [turn(11, 19), turn(44, 76), turn(11, 19)];
    const byCost = Object.fromEntries(pair('reserve.hot', { before, after }).map((one) => [one.cost, one]));
    expect(byCost['app CPU µs']?.ratios).toEqual([1.1, 1.1, 1.1]);
    expect(byCost['PostgreSQL CPU µs']?.ratios).toEqual([0.95, 0.95, 0.95]);
    expect(byCost['both CPU µs']).toMatchObject({ before: 30, after: 30, ratios: [1, 1, 1] });
  });

  it('needs as many turns of one side as of the other', () => {
    expect(() => pair('http.read', { before: [turn(1, 1)], after: [] })).toThrow(RangeError);
  });
});
