/** Whole histories: random sequences of everything that can happen, each decision checked against a second opinion. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { Checks } from './testing/pool/check.ts';
import { poolHistory } from './testing/pool/history.ts';
import { PlayedPool } from './testing/pool/played-pool.ts';

/**
 * How many histories are played, and from which seed: `ONEPOOL_HISTORIES=10000 ONEPOOL_SEED=7 npm test -- pool.spec`. CI plays more than a
 * person waits for. A failure prints its seed, and the steps that are left of it.
 */
declare const HISTORIES: { readonly numRuns: number; readonly seed?: number };

describe('a pool of two SKUs at four nodes', () => {
  it('decides as the model does, and keeps every law after every step', () => {
    fc.assert(
      fc.property(poolHistory, (steps) => {
        const pool = new PlayedPool();
        const checks = new Checks(pool);
        for (const { play } of steps) {
          play(pool);
          checks.check();
        }
        checks.check(true);
      }),
      HISTORIES,
    );
  });
});
