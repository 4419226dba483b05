import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TransactionOutcomeUnknownError } from '@onepool/platform-postgres';
import type { Command, Outcome } from '../requests/command.ts';
import type { Committed } from './batch.ts';
import { CommitQueue } from './commit-queue.ts';

const LIMITS = { commandsPerBatchMax: 512, linesPerBatchMax: 2_000, queueMax: 1_000 };
const FAR = performance.now() + 3_600_000;
const tend = (sku: number): Command => ({ kind: 'tend', skus: [sku], heal: false, trace: null });
const done: Outcome = { ok: true, value: null, replayed: false };
const committed = (commands: readonly Command[]): Committed => ({
  status: 'committed',
  outcomes: commands.map(() => done),
});
const gatesHeld = (...skus: readonly number[]): Committed => ({ status: 'gates_held', skus: new Set(skus) });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A batch that the queue has given out. */
interface Given {
  readonly size: number;
  /** Lets the next batch be decided. */
  readonly sent: () => void;
  readonly answer: () => Promise<void>;
}

let given: Given[];
let queue: CommitQueue;
let asked: Promise<Outcome>[];

function ask(count: number): void {
  asked.push(...Array.from({ length: count }, (_, sku) => queue.submit(tend(sku), FAR)));
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

beforeEach(() => {
  given = [];
  asked = [];
  queue = new CommitQueue(
    (batch) =>
      new Promise((resolve) => {
        const answer = async (): Promise<void> => {
          resolve(committed(batch.commands));
          await settled();
        };
        given.push({ size: batch.commands.length, sent: () => batch.sent(), answer });
      }),
    LIMITS,
  );
});

describe('a commit queue', () => {
  it('takes all that was asked in one turn as one batch', async () => {
    ask(40);
    await settled();
    expect(given.map(({ size }) => size)).toEqual([40]);
  });

  it('keeps the next batch waiting until the one before is answered, unless told that it was sent', async () => {
    ask(1);
    await settled();
    ask(2);
    await settled();
    expect(given).toHaveLength(1);
    await given[0]!.answer();
    expect(given.map(({ size }) => size)).toEqual([1, 2]);
  });

  it('decides the next batch once the one before was sent, and has never more than two under way', async () => {
    for (let batch = 1; batch <= 3; batch++) {
      ask(batch);
      await settled();
      given.at(-1)?.sent();
      await settled();
    }
    expect(given.map(({ size }) => size)).toEqual([1, 2]);
    await given[0]!.answer();
    expect(given.map(({ size }) => size)).toEqual([1, 2, 3]);
  });

  it('sends half of a crowd ahead when batches overlap, so that the other half is decided meanwhile', async () => {
    ask(1);
    await settled();
    given[0]!.sent();
    await given[0]!.answer();
    ask(64);
    await settled();
    given[1]!.sent();
    await settled();
    expect(given.map(({ size }) => size)).toEqual([1, 32, 32]);
  });

  it('does not halve where batches do not overlap', async () => {
    ask(1);
    await settled();
    await given[0]!.answer();
    ask(64);
    await settled();
    expect(given.map(({ size }) => size)).toEqual([1, 64]);
  });

  it('is idle when everything is answered, whatever the order', async () => {
    ask(20);
    await settled();
    given[0]!.sent();
    ask(20);
    await settled();
    let isIdle = false;
    const idle = queue.idle().then(() => (isIdle = true));
    await given[1]!.answer();
    expect(isIdle).toBe(false);
    await given[0]!.answer();
    await idle;
    expect(await Promise.all(asked)).toHaveLength(40);
  });
});

describe('commands whose gates are held', () => {
  it('wait in the contended queue, and the others of their batch go on', async () => {
    const batches: number[][] = [];
    const contended: number[][] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const skusOf = (commands: readonly Command[]): number[] => commands.map(({ skus }) => skus[0] ?? 0);
    const patient = new CommitQueue(async ({ commands }) => {
      contended.push(skusOf(commands));
      await held;
      return committed(commands);
    }, LIMITS);
    const busy = new CommitQueue(
      async ({ commands }) => {
        batches.push(skusOf(commands));
        return commands.some(({ skus }) => skus.includes(1)) ? gatesHeld(1) : committed(commands);
      },
      LIMITS,
      {},
      patient,
    );
    const answers = [0, 1, 2].map((sku) => busy.submit(tend(sku), FAR));
    expect(await Promise.all([answers[0], answers[2]])).toEqual([done, done]);
    await settled();
    const tried = [
      [0, 1, 2],
      [0, 2],
    ];
    expect({ batches, contended, depth: busy.depth }).toEqual({ batches: tried, contended: [[1]], depth: 0 });
    // Who wants the same SKU follows, without trying first.
    const follower = busy.submit(tend(1), FAR);
    expect(await busy.submit(tend(3), FAR)).toBe(done);
    letGo();
    expect(await Promise.all([answers[1], follower])).toEqual([done, done]);
    await busy.idle();
    expect({ batches, contended }).toEqual({ batches: [...tried, [3]], contended: [[1], [1]] });
  });

  it('are told that their outcome is unknown when their deadline passes there and a COMMIT had been sent', async () => {
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const contended = new CommitQueue(() => {
      nowMs += 60;
      return Promise.resolve(gatesHeld(1));
    }, LIMITS);
    const results = [
      Promise.reject(new TransactionOutcomeUnknownError(new Error('gone'))),
      Promise.resolve(gatesHeld(1)),
    ];
    const main = new CommitQueue(
      () => results.shift() ?? Promise.reject(new Error('asked once more')),
      LIMITS,
      {},
      contended,
    );
    await expect(main.submit(tend(1), 150)).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(results).toEqual([]);
    clock.mockRestore();
  });
});

describe('a database that lacks disk or memory', () => {
  const full = Object.assign(new Error('could not extend file'), { code: '53100' });

  it('is asked again with the whole batch, until there is room', async () => {
    const failures = [full, full];
    const sizes: number[] = [];
    const patient = new CommitQueue(({ commands }) => {
      sizes.push(commands.length);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve(committed(commands));
    }, LIMITS);
    const answers = await Promise.all([1, 2, 3].map((sku) => patient.submit(tend(sku), FAR)));
    expect({ answers, sizes }).toEqual({ answers: [done, done, done], sizes: [3, 3, 3] });
  });

  it('lets nobody wait beyond the deadline', async () => {
    const stuck = new CommitQueue(() => Promise.reject(full), LIMITS);
    const asked = stuck.submit(tend(1), performance.now() + 1);
    await expect(asked).rejects.toMatchObject({ code: 'service.unavailable' });
  });
});
