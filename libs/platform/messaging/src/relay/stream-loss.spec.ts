import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KnownMessage } from './partition-progress.ts';
import { type FirstMessage, type StreamState, isPurged } from './stream-loss.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 2, 1);
const WEEK = { maxAgeMs: 7 * DAY, isBounded: false };
const state = (first_seq: number, last_seq: number, deleted: readonly number[] = []): StreamState => ({
  first_seq,
  last_seq,
  messages: last_seq - first_seq + 1 - deleted.length,
  num_deleted: deleted.length,
  deleted,
});
const known = (sequence: number, ageMs: number): KnownMessage => ({
  position: { sequence, eventId: `e${sequence}` },
  storedAfter: NOW - ageMs,
});
const first = (sequence: number, ageMs: number): FirstMessage => ({ sequence, storedAt: NOW - ageMs });

describe('a stream has lost messages', () => {
  it.each<[string, StreamState, readonly KnownMessage[], FirstMessage | undefined, boolean]>([
    ['when it is empty, though its last sequence stands', state(101, 100), [known(100, HOUR)], undefined, true],
    ['when a known message lies before its first', state(90, 100), [known(80, DAY), known(100, HOUR)], undefined, true],
    ['not when known messages were removed by age', state(90, 100), [known(80, 8 * DAY)], undefined, false],
    ['not when they may have been', state(90, 100), [known(80, 7 * DAY - HOUR + 1)], undefined, false],
    ['when they cannot have been', state(90, 100), [known(80, 7 * DAY - HOUR - 1)], undefined, true],
    ['when what was its first is gone too early', state(90, 100), [known(100, HOUR)], first(1, DAY), true],
    ['not when that went by age', state(90, 100), [known(100, HOUR)], first(1, 7 * DAY), false],
    ['not while its first is what it was', state(1, 100), [known(100, HOUR)], first(1, DAY), false],
    ['when there is a hole behind a known message', state(1, 100, [60]), [known(50, DAY)], undefined, true],
    ['when a known message itself is a hole', state(1, 100, [50]), [known(50, DAY)], undefined, true],
    ['not for holes before all it knows', state(1, 100, [20, 21]), [known(50, DAY)], undefined, false],
    ['not while nothing is known of it', state(101, 100), [], undefined, false],
  ])('%s', (_when, now, messages, before, expected) => {
    expect(isPurged(now, WEEK, messages, before, NOW)).toBe(expected);
  });

  it('whatever their age, where it keeps them for ever', () => {
    const forEver = { maxAgeMs: 0, isBounded: false };
    expect(isPurged(state(90, 100), forEver, [known(80, 1_000 * DAY)], undefined, NOW)).toBe(true);
  });

  it('is not said of one that is bounded by more than age', () => {
    expect(isPurged(state(90, 100), { ...WEEK, isBounded: true }, [known(80, HOUR)], first(1, HOUR), NOW)).toBe(false);
  });

  it('is never said of one from which only age has removed messages', () => {
    const ages = fc.array(fc.integer({ min: 0, max: 14 * 24 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 0, max: 14 * 24 }), (hours, sinceLook_h) => {
        // Message n is stored before message n + 1; what is older than a week is gone.
        const stored = [...hours]
          .sort((a, b) => b - a)
          .map((age, index) => ({ sequence: index + 1, ageMs: age * HOUR }));
        const left = stored.filter(({ ageMs }) => ageMs < 7 * DAY);
        const now = state(left[0]?.sequence ?? stored.length + 1, stored.length);
        const then = stored.filter(({ ageMs }) => ageMs >= sinceLook_h * HOUR && ageMs < 7 * DAY + sinceLook_h * HOUR);
        const before = then[0] && first(then[0].sequence, then[0].ageMs);
        return !isPurged(
          now,
          WEEK,
          stored.map(({ sequence, ageMs }) => known(sequence, ageMs)),
          before,
          NOW,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
