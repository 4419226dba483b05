/** Whole histories on engines and a database, compared with the simple model of the pool. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { poolHistory, recordHistory } from '@onepool/stock-domain/testing';
import fc from 'fast-check';
import { HistoryPlayer, type Tally } from './histories/player.ts';
import { HistoryStage } from './histories/stage.ts';
import { randomOf } from './seeded.ts';

const HISTORIES = Number(process.env['ONEPOOL_SQL_HISTORIES'] ?? 20);
const SEED = Number(process.env['ONEPOOL_SEED'] ?? randomInt(2 ** 31));
const AT_ONCE = 8;

describe('two engines on one database', () => {
  let stage: HistoryStage;
  beforeAll(async () => {
    stage = await HistoryStage.open();
  });
  afterAll(() => stage.close());

  it('do what the model does, whatever happens in whatever order', async () => {
    const tally: Tally = new Map();
    const histories = fc.sample(poolHistory, { numRuns: HISTORIES, seed: SEED });
    const left = histories.entries();
    const play = async (): Promise<void> => {
      for (const [place, steps] of left) {
        const heals = place % 2 === 0;
        const options = { random: randomOf(SEED + place), tally, holdsAtOne: heals };
        const player = new HistoryPlayer(stage, await stage.begin(), options);
        await player.play(recordHistory(steps, heals));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, play));
    process.stdout.write(`${JSON.stringify([...tally].sort())}\n`);
    expect(tally.size).toBeGreaterThan(0);
  });
});
