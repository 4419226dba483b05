import { describe, expect, it } from '@jest/globals';
import { TurnQueue } from './turn-queue.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ROOMY = { perTurn: 4, waitingMax: 100, waitingBytesMax: 1_000 };

describe('tasks in turns of the event loop', () => {
  it('are done at once while the turn has room, then in order, so many a turn', async () => {
    const queue = new TurnQueue(ROOMY);
    const done: number[] = [];
    for (let task = 0; task < 10; task++) expect(queue.take(() => done.push(task), 1)).toBe(true);
    const after = [done.length];
    while (queue.length > 0) {
      await turn();
      after.push(done.length);
    }
    expect(after).toEqual([4, 8, 10]);
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('overtake none that waits, and have a whole turn again once nothing does', async () => {
    const queue = new TurnQueue(ROOMY);
    const done: string[] = [];
    for (const name of 'abcdef') queue.take(() => done.push(name), 1);
    await turn();
    queue.take(() => done.push('late'), 1);
    expect(done.join(' ')).toBe('a b c d e f late');
    await turn();
    for (const name of 'ghij') queue.take(() => done.push(name), 1);
    expect(queue.length).toBe(0);
  });

  it('are not taken above the bound of those that wait, by number or by bytes', async () => {
    const byNumber = new TurnQueue({ ...ROOMY, perTurn: 1, waitingMax: 2 });
    const take = (queue: TurnQueue, bytes: number): boolean => queue.take(() => undefined, bytes);
    expect([1, 1, 1, 1].map((bytes) => take(byNumber, bytes))).toEqual([true, true, true, false]);
    const byBytes = new TurnQueue({ ...ROOMY, perTurn: 1 });
    expect([5_000, 600, 600, 400].map((bytes) => take(byBytes, bytes))).toEqual([true, true, false, true]);
    while (byBytes.length > 0) await turn();
    await turn();
    expect([1, 1_000, 1].map((bytes) => take(byBytes, bytes))).toEqual([true, true, false]);
  });
});
