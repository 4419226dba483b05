import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { publishInKeyOrder, type Keyed } from './publish-in-key-order.ts';

const rowsOf = (keys: readonly string[]): Keyed[] => keys.map((key, index) => ({ id: index + 1, key }));

describe('publishInKeyOrder', () => {
  it('keeps the order of each key and the window, whatever fails and however long it takes', async () => {
    const someKeys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        someKeys,
        fc.integer({ min: 1, max: 5 }),
        fc.nat(40),
        fc.scheduler(),
        async (keys, window, failing, scheduler) => {
          const done: Keyed[] = [];
          let outstanding = 0;
          let most = 0;
          const publish = async (row: Keyed): Promise<void> => {
            most = Math.max(most, ++outstanding);
            await scheduler.schedule(Promise.resolve());
            outstanding -= 1;
            if (row.id === failing) throw new Error('lost');
            done.push(row);
          };
          await scheduler.waitFor(publishInKeyOrder(rowsOf(keys), window, publish));
          expect(most).toBeLessThanOrEqual(window);
          for (const key of ['a', 'b', 'c']) {
            const wanted = rowsOf(keys).filter((row) => row.key === key);
            const got = done.filter((row) => row.key === key);
            expect(got).toEqual(wanted.slice(0, got.length));
          }
          const blocked = rowsOf(keys).filter((row) => row.id >= failing && row.key === keys[failing - 1]);
          expect(done).toHaveLength(keys.length - blocked.length);
        },
      ),
    );
  });

  it('starts nothing more after several failures', async () => {
    let started = 0;
    await publishInKeyOrder(rowsOf([...'abcdefgh']), 1, async () => {
      started += 1;
      throw new Error('away');
    });
    expect(started).toBe(3);
  });

  it('reports the first failure and resolves only when nothing is outstanding', async () => {
    const finished: number[] = [];
    const result = await publishInKeyOrder(rowsOf(['a', 'b']), 10, async (row) => {
      if (row.id === 1) throw new Error('first');
      await new Promise(setImmediate);
      finished.push(row.id);
    });
    expect(result?.error).toEqual(new Error('first'));
    expect(finished).toEqual([2]);
  });
});
