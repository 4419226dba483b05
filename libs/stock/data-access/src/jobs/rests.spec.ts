import { beforeEach, describe, expect, it } from '@jest/globals';
import { Rests } from './rests.ts';

describe('a SKU that was looked at in vain', () => {
  let rests: Rests;
  beforeEach(() => {
    rests = new Rests();
  });
  const units = (available = 3, shortfall = 2) => ({ available, shortfall });
  const look = (times: number, at = 0, available = 3) => {
    for (let time = 0; time < times; time++) rests.looked(7, false, units(available), at);
  };

  it.each([
    [0, 0],
    [1, 0],
    [2, 1_000],
    [3, 2_000],
    [4, 4_000],
    [5, 5_000],
    [50, 5_000],
  ])('%s times rests for %s ms', (times, pauseMs) => {
    look(times);
    expect(rests.waitMs(7, units(), 0)).toBe(pauseMs);
    expect(rests.waitMs(7, units(), pauseMs)).toBe(0);
    expect(rests.waitMs(8, units(), 0)).toBe(0);
  });

  it('is looked at sooner when it has more free units, but once a second at most', () => {
    look(5);
    expect(rests.waitMs(7, units(4), 0)).toBe(1_000);
    expect(rests.waitMs(7, units(4), 1_000)).toBe(0);
    expect(rests.waitMs(7, units(2), 1_000)).toBe(4_000);
  });

  it.each([1, 3])('is looked at now when %s units are short instead of 2, for that is told', (shortfall) => {
    look(5);
    expect(rests.waitMs(7, units(3, shortfall), 0)).toBe(0);
  });

  it('begins anew once something moved, after a minute, and when rules change', () => {
    look(5);
    rests.looked(7, true, units(), 0);
    expect(rests.waitMs(7, units(), 0)).toBe(0);
    look(5);
    rests.end();
    expect(rests.waitMs(7, units(), 0)).toBe(0);
    look(5);
    rests.looked(8, false, units(0), 60_000);
    look(2, 60_000);
    expect(rests.waitMs(7, units(), 60_000)).toBe(1_000);
  });
});
