/** The commands of whole histories, many of them at once: what must be so is so, whoever comes first. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { Housekeeping } from '@onepool/stock-data-access';
import { poolHistory, recordHistory } from '@onepool/stock-domain/testing';
import fc from 'fast-check';
import { readsOf } from './asking.ts';
import { CallersAtOnce } from './histories/at-once.ts';
import { brokenLaws } from './laws.ts';
import { HistoryStage } from './histories/stage.ts';
import { type Tally, tell } from './histories/tally.ts';
import { randomOf } from './seeded.ts';

/** A quarter as many as are played step by step. */
const HISTORIES = Math.ceil(Number(process.env['ONEPOOL_SQL_HISTORIES'] ?? 20) / 4);
const SEED = Number(process.env['ONEPOOL_SEED'] ?? randomInt(2 ** 31));
const AT_ONCE = 8;
const HOUSEKEEPING_EVERY_MS = 150;
/** A guard against waiting for ever. */
const PATIENCE_MS = 180_000 + HISTORIES * 12_000;

describe('callers at once, of two engines on one database', () => {
  let stage: HistoryStage;
  beforeAll(async () => {
    stage = await HistoryStage.open();
  });
  afterAll(() => stage.close());

  it(
    'lose, double and strand no unit, and are answered the same when they ask again',
    async () => {
      const failures: unknown[] = [];
      const onError = (error: unknown): void => void failures.push(error);
      const intervalMs = HOUSEKEEPING_EVERY_MS;
      const keepers = stage.engines.map((engine) => new Housekeeping(engine, { intervalMs, onError }));
      for (const keeper of keepers) keeper.start();
      const tally: Tally = new Map();
      const left = fc.sample(poolHistory, { numRuns: HISTORIES, seed: SEED }).entries();
      const play = async (): Promise<void> => {
        for (const [place, steps] of left) {
          if (failures.length > 0) return;
          const callers = new CallersAtOnce(stage, await stage.begin(), { random: randomOf(SEED + place), tally });
          await callers.play(recordHistory(steps, true)).catch(onError);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, play));
      await Promise.all(keepers.map((keeper) => keeper.stop()));
      tell(tally);
      const [failure] = failures;
      if (failure instanceof Error)
        failure.message = `ONEPOOL_SEED=${SEED} ONEPOOL_SQL_HISTORIES=${HISTORIES * 4} plays the same commands.\n${failure.message}`;
      if (failure) throw failure as Error;
      expect(await brokenLaws(stage.pool.dataSource)).toEqual([]);
      expect(await readsOf(stage.engines[0]).verifyLedger(undefined)).toMatchObject({ balanced: true });
      expect(await stage.pool.deadlocks()).toBe(0);
    },
    PATIENCE_MS,
  );
});
