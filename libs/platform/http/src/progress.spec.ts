import { describe, expect, it } from '@jest/globals';
import { type Look, judgeProgress } from './progress.ts';

const PACE = { stallMs: 1_000, bytesPerSecondMin: 100 };
const look = (at: number, waiting: Look['waiting'], movedBytes: number, backlogBytes = 0): Look => ({
  at,
  waiting,
  movedBytes,
  backlogBytes,
});

describe('a body on its way', () => {
  const since = look(0, 'for_body', 500);

  it.each<[string, Look, 'goes on' | 'begins anew' | 'too_slow']>([
    ['may stand still for a while', look(999, 'for_body', 500), 'goes on'],
    ['is too slow once nothing has come for the whole time', look(1_000, 'for_body', 500), 'too_slow'],
    ['is too slow if less came than the rate asks', look(1_000, 'for_body', 599), 'too_slow'],
    ['is measured anew once enough has come', look(1_000, 'for_body', 600), 'begins anew'],
    ['needs more where the look came late', look(2_000, 'for_body', 699), 'too_slow'],
    ['is not measured while we are the ones who do not read', look(9_000, 'for_us', 500), 'begins anew'],
  ])('%s', (_rule, present, verdict) => {
    const expected = { 'goes on': since, 'begins anew': present, too_slow: 'too_slow' }[verdict];
    expect(judgeProgress(since, present, PACE)).toBe(expected);
  });

  it('may last for ever at the rate asked', () => {
    let since: Look | null = null;
    for (let second = 0; second < 10_000; second += 1) {
      const present = look(second * 1_000, 'for_body', second * 100);
      const verdict = judgeProgress(since, present, PACE);
      expect(verdict).toBe(present);
      since = present;
    }
  });
});

describe('a reader of an answer', () => {
  const since = look(0, 'for_reader', 0, 5_000);

  it.each<[string, Look, 'goes on' | 'begins anew' | 'too_slow']>([
    ['has the time that the size of the answer asks for', look(50_999, 'for_reader', 0, 5_000), 'goes on'],
    ['is too slow after it', look(51_000, 'for_reader', 0, 5_000), 'too_slow'],
    ['is too slow with a part of it', look(51_000, 'for_reader', 4_999, 1), 'too_slow'],
    ['is measured anew once it has taken all that waited', look(60_000, 'for_reader', 5_000, 700), 'begins anew'],
    ['is not measured once nothing waits', look(60_000, 'for_us', 5_000), 'begins anew'],
  ])('%s', (_rule, present, verdict) => {
    const expected = { 'goes on': since, 'begins anew': present, too_slow: 'too_slow' }[verdict];
    expect(judgeProgress(since, present, PACE)).toBe(expected);
  });
});
