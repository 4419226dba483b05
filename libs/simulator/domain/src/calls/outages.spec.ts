import { describe, expect, it } from '@jest/globals';
import { type Outage, OutageLog } from './outages.ts';

/** Attempts as `[sent, ended, failed]`. */
const outagesOf = (...attempts: readonly (readonly [number, number, boolean])[]): readonly Outage[] => {
  const log = new OutageLog();
  for (const [sentMs, endedMs, failed] of attempts) log.take({ sentMs, endedMs, failed });
  return log.outages;
};
const fails = (sentMs: number, endedMs = sentMs + 1) => [sentMs, endedMs, true] as const;
const answered = (sentMs: number, endedMs = sentMs + 1) => [sentMs, endedMs, false] as const;

describe('OutageLog', () => {
  it('sees none while every attempt is answered', () => {
    expect(outagesOf(answered(1), answered(2))).toEqual([]);
  });

  it('counts from the first failed attempt to the first answer after the last one', () => {
    expect(outagesOf(answered(1), fails(10), fails(500), answered(900, 950))).toEqual([
      { fromMs: 10, untilMs: 950, failedAttempts: 2 },
    ]);
  });

  it('does not take the answer to an earlier call for the end', () => {
    expect(outagesOf(fails(10, 20), answered(5, 30))).toEqual([{ fromMs: 10, untilMs: undefined, failedAttempts: 1 }]);
  });

  it('makes one outage of failures that come within two seconds, also when others are answered between them', () => {
    expect(outagesOf(fails(10), answered(20), fails(1_500), answered(1_600), fails(1_700), answered(1_800))).toEqual([
      { fromMs: 10, untilMs: 1_801, failedAttempts: 3 },
    ]);
  });

  it('tells two outages apart', () => {
    expect(outagesOf(fails(10), answered(20), fails(9_000), answered(9_100))).toHaveLength(2);
  });

  it('is not prolonged by a call from its midst that fails long after', () => {
    expect(outagesOf(fails(10), answered(500), fails(100, 10_100))).toEqual([
      { fromMs: 10, untilMs: 501, failedAttempts: 2 },
    ]);
  });

  it('sees a second and more in which calls waited and none was answered', () => {
    expect(outagesOf(answered(0, 100), answered(50, 4_700), answered(4_700, 4_800))).toEqual([
      { fromMs: 100, untilMs: 4_700, failedAttempts: 0 },
    ]);
  });

  it('does not take a slow answer between others for silence, nor a pause in which nothing was sent', () => {
    expect(outagesOf(answered(0, 900), answered(900, 1_800), answered(100, 2_500), answered(9_000, 9_100))).toEqual([]);
  });

  it('makes one outage of silence and the failures in it', () => {
    expect(outagesOf(answered(0, 100), fails(110, 3_000), answered(100, 3_100), answered(3_200, 3_300))).toEqual([
      { fromMs: 100, untilMs: 3_300, failedAttempts: 1 },
    ]);
  });

  it('says so when an outage begins, once', () => {
    const log = new OutageLog();
    const take = (sentMs: number) => log.take({ sentMs, endedMs: sentMs + 1, failed: true });
    expect([take(10), take(20), take(9_000)]).toEqual([true, false, false]);
    log.take({ sentMs: 9_100, endedMs: 9_101, failed: false });
    expect(take(20_000)).toBe(true);
  });
});
