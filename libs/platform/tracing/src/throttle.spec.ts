import { describe, expect, it } from '@jest/globals';
import { Throttle } from './throttle.ts';

describe('a throttle', () => {
  it('allows so many a minute, and as many again in the next', () => {
    let nowMs = 5;
    const throttle = new Throttle(2, () => nowMs);
    const ask = (): boolean[] => Array.from({ length: 3 }, () => throttle.allows());
    expect(ask()).toEqual([true, true, false]);
    nowMs += 59_999;
    expect(ask()).toEqual([false, false, false]);
    nowMs += 1;
    expect(ask()).toEqual([true, true, false]);
  });
});
