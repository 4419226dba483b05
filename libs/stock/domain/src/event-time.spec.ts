import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clockAheadMs, placeInTime } from './event-time.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const NOON = 12 * HOUR;

describe('when something happened', () => {
  it.each([
    ['is what was told', NOON - HOUR, null, NOON - HOUR],
    ['is the arrival where the told time lies ahead of it', NOON + 2 * SECOND, null, NOON],
    ['is moved back by what the sender’s clock is ahead', NOON + 9 * SECOND, NOON + 10 * SECOND, NOON - SECOND],
    ['is moved back for hours, too', NOON - HOUR, NOON + 2 * HOUR, NOON - 3 * HOUR],
    ['is the arrival where even the corrected time lies ahead of it', NOON + 9 * SECOND, NOON + 4 * SECOND, NOON],
    ['is not moved on where the sender’s clock seems to lag', NOON - HOUR, NOON - HOUR, NOON - HOUR],
  ])('%s', (_, told, sentAt, happened) => {
    expect(placeInTime(told, { arrivedAt: NOON, sentAt })).toBe(happened);
  });

  const time = fc.integer({ min: -HOUR, max: HOUR });
  const sent = fc.option(time, { nil: null });

  it('is never after the arrival, and never after what was told', () => {
    fc.assert(
      fc.property(time, time, sent, (told, arrivedAt, sentAt) => {
        const at = placeInTime(told, { arrivedAt, sentAt });
        expect(at).toBeLessThanOrEqual(Math.min(told, arrivedAt));
      }),
    );
  });

  it('keeps the order of what one transmission tells', () => {
    fc.assert(
      fc.property(time, time, time, sent, (one, other, arrivedAt, sentAt) => {
        const [earlier, later] = [Math.min(one, other), Math.max(one, other)];
        const transmission = { arrivedAt, sentAt };
        expect(placeInTime(earlier, transmission)).toBeLessThanOrEqual(placeInTime(later, transmission));
      }),
    );
  });

  it('is right whatever a clock is ahead, if it says when it sends and the way takes no time', () => {
    fc.assert(
      fc.property(time, fc.nat(HOUR), fc.nat(HOUR), (happened, ahead, later) => {
        const arrivedAt = happened + later;
        const transmission = { arrivedAt, sentAt: arrivedAt + ahead };
        expect(clockAheadMs(transmission)).toBe(ahead);
        expect(placeInTime(happened + ahead, transmission)).toBe(happened);
      }),
    );
  });
});
