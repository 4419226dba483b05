import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { dueBy, runOpenLoop } from './open-loop.ts';
import { runClosedLoop } from './closed-loop.ts';
import { seeded } from './seeded.ts';

describe('dueBy', () => {
  it('is one at once, the rate after a second, and never more than all', () => {
    expect([0, 999, 1_000, 60_000].map((elapsed) => dueBy(elapsed, 1_000, 2_000))).toEqual([1, 1_000, 1_001, 2_000]);
  });
});

describe('the open loop', () => {
  it('sends all requests although none has been answered yet', async () => {
    const held: (() => void)[] = [];
    const total = 20;
    const send = (): Promise<number> =>
      new Promise((resolve) => {
        held.push(() => resolve(held.length));
        if (held.length === total) held.forEach((answer) => answer());
      });
    await expect(runOpenLoop({ perSecond: 1_000, seconds: 0.02, send })).resolves.toHaveLength(total);
  });
});

describe('the closed loop', () => {
  it('never has more requests under way than callers', async () => {
    let underWay = 0;
    let most = 0;
    const call = async (): Promise<void> => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    // A clock that takes a step whenever it is looked at: the loop ends after so many looks on any machine.
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1));
    const { count, perSecond } = await runClosedLoop({ callers: 7, seconds: 0.05, call });
    clock.mockRestore();
    expect(most).toBe(7);
    expect(perSecond).toBeCloseTo(count / (0.05 * 0.85), 5);
  });

  it('fails with the first request that fails', async () => {
    const call = (): Promise<void> => Promise.reject(new Error('refused'));
    await expect(runClosedLoop({ callers: 2, seconds: 1, call })).rejects.toThrow('refused');
  });
});

describe('seeded numbers', () => {
  it('repeat with their seed and stay below the bound', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 1_000_000 }), (seed, below) => {
        const draw = (): number[] =>
          Array.from(
            { length: 20 },
            (
              (random) => () =>
                random(below)
            )(seeded(seed)),
          );
        expect(draw()).toEqual(draw());
        expect(draw().every((value) => Number.isInteger(value) && value >= 0 && value < below)).toBe(true);
      }),
    );
  });
});
