import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { restartDelayMs } from './restart-policy.ts';

describe('restartDelayMs', () => {
  it('restarts at once the first time, then ever later up to ten seconds', () => {
    expect([0, 1, 2, 3, 6, 7, 100].map(restartDelayMs)).toEqual([0, 250, 500, 1000, 8000, 10_000, 10_000]);
  });

  it('never shrinks as ends follow each other', () => {
    fc.assert(fc.property(fc.nat(1_000), (ends) => restartDelayMs(ends + 1) >= restartDelayMs(ends)));
  });
});
