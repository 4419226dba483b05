import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TransactionOutcomeUnknownError } from '@onepool/platform-postgres';
import type { Command, Outcome } from './command.ts';
import { GatesHeldError } from './held-gates.ts';
import { Lane } from './lane.ts';

const LIMITS = { commandsPerBatchMax: 512, linesPerBatchMax: 2_000, queueMax: 1_000 };
const FAR = performance.now() + 3_600_000;
const tend = (sku: number): Command => ({ kind: 'tend', skus: [sku], heal: false, trace: null });
const done: Outcome = { status: 'done', answer: null, replayed: false };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A batch that the lane has given out. */
interface Given {
  readonly size: number;
  /** Lets the next batch be decided. */
  readonly sent: () => void;
  readonly answer: () => Promise<void>;
}

let given: Given[];
let lane: Lane;
let asked: Promise<Outcome>[];

function ask(count: number): void {
  asked.push(...Array.from({ length: count }, (_, sku) => lane.submit(tend(sku), FAR)));
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

beforeEach(() => {
  given = [];
  asked = [];
  lane = new Lane(
    (commands, sent) =>
      new Promise((resolve) => {
        const answer = async (): Promise<void> => {
          resolve(commands.map(() => done));
          await settled();
        };
        given.push({ size: commands.length, sent, answer });
      }),
    LIMITS,
  );
});

describe('a lane', () => {
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
    const idle = lane.idle().then(() => (isIdle = true));
    await given[1]!.answer();
    expect(isIdle).toBe(false);
    await given[0]!.answer();
    await idle;
    expect(await Promise.all(asked)).toHaveLength(40);
  });
});

describe('commands whose gates are held', () => {
  it('wait aside, and the others of their batch go on', async () => {
    const batches: number[][] = [];
    const aside: number[][] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const skusOf = (commands: readonly Command[]): number[] => commands.map(({ skus }) => skus[0] ?? 0);
    const patient = new Lane(async (commands) => {
      aside.push(skusOf(commands));
      await held;
      return commands.map(() => done);
    }, LIMITS);
    const busy = new Lane(
      async (commands) => {
        batches.push(skusOf(commands));
        if (commands.some(({ skus }) => skus.includes(1))) throw new GatesHeldError(new Set([1]));
        return commands.map(() => done);
      },
      LIMITS,
      {},
      patient,
    );
    const answers = [0, 1, 2].map((sku) => busy.submit(tend(sku), FAR));
    expect(await Promise.all([answers[0], answers[2]])).toEqual([done, done]);
    await settled();
    expect({ batches, aside, depth: busy.depth }).toEqual({
      batches: [
        [0, 1, 2],
        [0, 2],
      ],
      aside: [[1]],
      depth: 0,
    });
    // Who wants the same SKU follows, without trying first.
    const follower = busy.submit(tend(1), FAR);
    expect(await busy.submit(tend(3), FAR)).toBe(done);
    letGo();
    expect(await Promise.all([answers[1], follower])).toEqual([done, done]);
    await busy.idle();
    expect({ batches, aside }).toEqual({ batches: [[0, 1, 2], [0, 2], [3]], aside: [[1], [1]] });
  });

  it('are told that their outcome is unknown when their deadline passes aside and a COMMIT had been sent', async () => {
    const held = (): Promise<never> => Promise.reject(new GatesHeldError(new Set([1])));
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const aside = new Lane(() => {
      nowMs += 60;
      return held();
    }, LIMITS);
    const failures = [new TransactionOutcomeUnknownError(new Error('gone')), new GatesHeldError(new Set([1]))];
    const main = new Lane(() => Promise.reject(failures.shift() ?? new Error('asked once more')), LIMITS, {}, aside);
    await expect(main.submit(tend(1), 150)).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(failures).toEqual([]);
    clock.mockRestore();
  });
});

describe('a database that lacks disk or memory', () => {
  const full = Object.assign(new Error('could not extend file'), { code: '53100' });

  it('is asked again with the whole batch, until there is room', async () => {
    const failures = [full, full];
    const sizes: number[] = [];
    const patient = new Lane((commands) => {
      sizes.push(commands.length);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve(commands.map(() => done));
    }, LIMITS);
    const answers = await Promise.all([1, 2, 3].map((sku) => patient.submit(tend(sku), FAR)));
    expect({ answers, sizes }).toEqual({ answers: [done, done, done], sizes: [3, 3, 3] });
  });

  it('lets nobody wait beyond the deadline', async () => {
    const stuck = new Lane(() => Promise.reject(full), LIMITS);
    const asked = stuck.submit(tend(1), performance.now() + 1);
    await expect(asked).rejects.toMatchObject({ code: 'service.unavailable' });
  });
});
