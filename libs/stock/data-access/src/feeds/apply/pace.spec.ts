import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.ts';

const setUp = (rowsPerChunk?: number) => {
  const load = { isBusy: false };
  const waited: number[] = [];
  const wait = async (ms: number): Promise<void> => void waited.push(ms);
  return { load, waited, pace: new Pace({ rowsPerChunk, rowsMax: 10_000, isBusy: () => load.isBusy, wait }) };
};

describe('the pace of a feed', () => {
  it('takes more rows at a time while chunks are short, up to a bound, and goes on at once', async () => {
    const { pace, waited } = setUp();
    for (let chunk = 0; chunk < 5; chunk += 1) pace.settled(5);
    expect({ rows: pace.rows, isBusy: pace.isBusy }).toEqual({ rows: 10_000, isBusy: false });
    pace.settled(1_000);
    await pace.pause();
    expect(waited).toEqual([]);
  });

  it('takes fewer when they take long, but never next to none', () => {
    const { pace } = setUp();
    for (let chunk = 0; chunk < 20; chunk += 1) pace.settled(1_000);
    expect(pace.rows).toBe(500);
  });

  it('takes fewer, and pauses for as long as the last took, while commands come in', async () => {
    const { load, pace, waited } = setUp();
    pace.settled(30);
    const alone = pace.rows;
    load.isBusy = true;
    pace.settled(30);
    expect(pace.rows).toBeLessThan(alone);
    await pace.pause();
    expect(waited).toEqual([30]);
  });

  it('closes in on a row that is refused until that row is alone', () => {
    const { pace } = setUp();
    let steps = 0;
    while (pace.narrow()) steps += 1;
    expect(pace.rows).toBe(1);
    expect(steps).toBeLessThan(10);
    pace.settled(1);
    expect(pace.rows).toBeGreaterThan(1);
  });

  it('keeps to the rows it was given', () => {
    const { pace } = setUp(7);
    pace.settled(0.1);
    expect(pace.rows).toBe(7);
  });
});
