import { describe, expect, it, jest } from '@jest/globals';
import type { Verdict } from '@onepool/platform-auth';
import { problem } from '@onepool/platform-problem';
import { whileAdmitted } from './while-admitted.ts';

const CALLER = { id: 'prn_spec' } as unknown as Verdict;
const REVOKED = problem('auth.invalid');

/** Pieces that arrive when told; and whether they were given up, by which a request would be destroyed. */
function arriving() {
  const waiting: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  const state = { isGivenUp: false };
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve) => waiting.push(resolve)),
      return: () => {
        state.isGivenUp = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  const arrive = (text: string | null): void =>
    waiting.shift()?.(text === null ? { done: true, value: undefined } : { done: false, value: Buffer.from(text) });
  return { body, arrive, state };
}

describe('a body that is read while its caller may send it', () => {
  it('arrives as it is', async () => {
    const pieces = (async function* () {
      yield* [Buffer.from('a'), Buffer.from('b')];
    })();
    const read: string[] = [];
    for await (const piece of whileAdmitted(pieces, () => CALLER)) read.push(Buffer.from(piece).toString());
    expect(read).toEqual(['a', 'b']);
  });

  it.each<[string, () => Verdict | Promise<Verdict>]>([
    ['at once', () => REVOKED],
    ['after a question', () => Promise.resolve(REVOKED)],
  ])('ends with the refusal while nothing arrives, decided %s', async (_how, judge) => {
    jest.useFakeTimers();
    try {
      const { body, state } = arriving();
      const reading = whileAdmitted(body, judge).next();
      const outcome = expect(reading).rejects.toBe(REVOKED);
      await jest.advanceTimersByTimeAsync(249);
      await jest.advanceTimersByTimeAsync(1);
      await outcome;
      expect(state.isGivenUp).toBe(false);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('ends with the refusal at the next piece when it was busy with one', async () => {
    jest.useFakeTimers();
    try {
      const { body, arrive, state } = arriving();
      let verdict = CALLER;
      const reading = whileAdmitted(body, () => verdict);
      const first = reading.next();
      arrive('a');
      expect((await first).done).toBe(false);
      await jest.advanceTimersByTimeAsync(1_000);
      verdict = REVOKED;
      await jest.advanceTimersByTimeAsync(250);
      await expect(reading.next()).rejects.toBe(REVOKED);
      expect(state.isGivenUp).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([true, false])(
    'is read no further once its caller has left, though all of it has come; busy: %s',
    async (isBusy) => {
      const caller = new AbortController();
      const reason = new Error('left');
      let pieces = 0;
      const expanding = (async function* () {
        for (;;) yield await Promise.resolve(Buffer.from(`${(pieces += 1)}`));
      })();
      const { body } = arriving();
      const reading = whileAdmitted(isBusy ? expanding : body, () => CALLER, caller.signal);
      if (isBusy) await reading.next();
      const next = isBusy ? undefined : reading.next();
      caller.abort(reason);
      await expect(next ?? reading.next()).rejects.toBe(reason);
      expect(pieces).toBe(isBusy ? 1 : 0);
      await expect(whileAdmitted(expanding, () => CALLER, caller.signal).next()).rejects.toBe(reason);
    },
  );

  it('is looked after no longer once whoever reads it stops', async () => {
    jest.useFakeTimers();
    try {
      const { body, arrive, state } = arriving();
      const reading = whileAdmitted(body, () => CALLER);
      const first = reading.next();
      arrive('a');
      await first;
      expect(jest.getTimerCount()).toBe(1);
      await reading.return(undefined);
      expect(jest.getTimerCount()).toBe(0);
      expect(state.isGivenUp).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });
});
