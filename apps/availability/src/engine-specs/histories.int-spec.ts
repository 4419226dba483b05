/** Whole histories on engines and a database, compared with the simple model of the pool. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { type Step, type Told, poolHistory, recordHistory } from '@onepool/stock-domain/testing';
import fc from 'fast-check';
import { brokenLaws } from './laws.ts';
import { HistoryPlayer } from './histories/player.ts';
import { HistoryStage, SKUS_EACH, skuCode } from './histories/stage.ts';
import { type Tally, say, tell } from './histories/tally.ts';
import { randomOf } from './seeded.ts';

/** CI plays more than a person waits for, and `npm run verify -- supply` many more. */
const HISTORIES = Number(process.env['ONEPOOL_SQL_HISTORIES'] ?? 20);
const SEED = Number(process.env['ONEPOOL_SEED'] ?? randomInt(2 ** 31));
const AT_ONCE = 18;
/** The laws of so many histories are looked at together: of each by itself it would take as long as playing it. */
const JUDGED_AT_ONCE = 50;
/** A guard against waiting for ever. */
const PATIENCE_MS = 180_000 + HISTORIES * 3_000;

/** @throws where the rules of the domain do otherwise than the model */
function recorded(history: number, steps: readonly Step[], moves: boolean): readonly Told[] {
  try {
    return recordHistory(steps, moves);
  } catch (error) {
    throw new Error(`history ${history}: by the rules alone: ${(error as Error).message}`, { cause: error });
  }
}

describe('two engines on one database', () => {
  let stage: HistoryStage;
  beforeAll(async () => {
    stage = await HistoryStage.open();
  });
  afterAll(() => stage.close());

  const playOne = async (steps: readonly Step[], place: number, tally: Tally): Promise<number> => {
    const moves = place % 2 === 0;
    const options = { random: randomOf(SEED + place), tally, holdsAtOne: moves };
    const history = await stage.begin();
    await new HistoryPlayer(stage, history, options).play(recorded(history, steps, moves));
    return history;
  };

  const brokenBy = (histories: readonly number[]): Promise<readonly string[]> =>
    brokenLaws(
      stage.pool.dataSource,
      histories.flatMap((history) => SKUS_EACH.map((sku) => skuCode(history, sku))),
    );

  const judge = async (histories: readonly number[]): Promise<void> => {
    if (histories.length === 0 || (await brokenBy(histories)).length === 0) return;
    for (const history of histories) {
      const broken = await brokenBy([history]);
      if (broken.length > 0) throw new Error(`history ${history}: breaks laws\n${broken.join('\n')}`);
    }
  };

  it(
    'do what the model does, whatever happens in whatever order',
    async () => {
      const tally: Tally = new Map();
      const histories = fc.sample(poolHistory, { numRuns: HISTORIES, seed: SEED });
      const left = histories.entries();
      const failures: Error[] = [];
      const unjudged: number[] = [];
      let played = 0;
      const play = async (): Promise<void> => {
        for (const [place, steps] of left) {
          if (failures.length > 0) return;
          unjudged.push(await playOne(steps, place, tally));
          say(`played: ${++played}`);
          if (unjudged.length >= JUDGED_AT_ONCE) await judge(unjudged.splice(0));
        }
      };
      const onError = (error: unknown): void => void failures.push(error as Error);
      await Promise.all(Array.from({ length: AT_ONCE }, () => play().catch(onError)));
      await judge(unjudged).catch(onError);
      tell(tally);
      const [failure] = failures;
      if (failure)
        failure.message = `ONEPOOL_SEED=${SEED} ONEPOOL_SQL_HISTORIES=${HISTORIES} repeats this.\n${failure.message}`;
      if (failure) throw failure;
      expect(played).toBe(HISTORIES);
    },
    PATIENCE_MS,
  );
});
