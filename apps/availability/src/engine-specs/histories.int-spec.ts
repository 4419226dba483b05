/** Whole histories on engines and a database, compared with the simple model of the pool. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { type Step, poolHistory, recordHistory } from '@onepool/stock-domain/testing';
import fc from 'fast-check';
import { HistoryPlayer } from './histories/player.ts';
import { HistoryStage } from './histories/stage.ts';
import type { Tally } from './histories/tally.ts';
import { randomOf } from './seeded.ts';

/** CI plays more than a person waits for, and `npm run verify -- supply` many more. */
const HISTORIES = Number(process.env['ONEPOOL_SQL_HISTORIES'] ?? 20);
const SEED = Number(process.env['ONEPOOL_SEED'] ?? randomInt(2 ** 31));
const AT_ONCE = 12;
/** A guard against waiting for ever. */
const PATIENCE_MS = 180_000 + HISTORIES * 3_000;
const say = (line: string): void => {
  if (process.env['ONEPOOL_SQL_PROGRESS']) process.stdout.write(`histories ${line}\n`);
};

describe('two engines on one database', () => {
  let stage: HistoryStage;
  beforeAll(async () => {
    stage = await HistoryStage.open();
  });
  afterAll(() => stage.close());

  const playOne = async (steps: readonly Step[], place: number, tally: Tally): Promise<void> => {
    const moves = place % 2 === 0;
    const options = { random: randomOf(SEED + place), tally, holdsAtOne: moves };
    await new HistoryPlayer(stage, await stage.begin(), options).play(recordHistory(steps, moves));
  };

  it(
    'do what the model does, whatever happens in whatever order',
    async () => {
      const tally: Tally = new Map();
      const histories = fc.sample(poolHistory, { numRuns: HISTORIES, seed: SEED });
      const left = histories.entries();
      const failures: Error[] = [];
      let played = 0;
      const play = async (): Promise<void> => {
        for (const [place, steps] of left) {
          if (failures.length > 0) return;
          await playOne(steps, place, tally).catch((error: unknown) => failures.push(error as Error));
          say(`played: ${++played}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, play));
      say(`tally: ${JSON.stringify([...tally].sort())}`);
      const [failure] = failures;
      if (failure)
        failure.message = `ONEPOOL_SEED=${SEED} ONEPOOL_SQL_HISTORIES=${HISTORIES} repeats this.\n${failure.message}`;
      if (failure) throw failure;
      expect(played).toBe(HISTORIES);
    },
    PATIENCE_MS,
  );
});
