import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Slices, sortedInSlices } from './slices.ts';

describe('work in slices', () => {
  it('gives the others a turn after so many steps, and never before', async () => {
    const slices = new Slices(100);
    let turns = 0;
    const others = (): NodeJS.Immediate =>
      setImmediate(() => {
        turns += 1;
        waiting = others();
      });
    let waiting = others();
    const turnsSeen: number[] = [];
    for (let step = 1; step <= 1_000; step += 1) {
      if (slices.isFull()) await slices.next();
      turnsSeen.push(turns);
    }
    clearImmediate(waiting);
    expect(turnsSeen.slice(0, 99)).toEqual(Array(99).fill(0));
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('counts steps of several at once', () => {
    const slices = new Slices(10);
    expect([slices.isFull(9), slices.isFull(1)]).toEqual([false, true]);
  });

  it('sorts as `toSorted` does', async () => {
    const byKey = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(20), fc.nat()), { maxLength: 60 }), async (items) => {
        expect(await sortedInSlices(items, byKey, new Slices(7), 4)).toEqual(items.toSorted(byKey));
      }),
    );
  });
});
