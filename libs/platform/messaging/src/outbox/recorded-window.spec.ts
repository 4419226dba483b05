import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordedWindow } from './recorded-window.ts';

const HOUR_MS = 3_600_000;
const NOON = Date.parse('2026-11-26T12:00:00Z');

/** Whether a row of that time is among what is read. */
function reads({ condition }: RecordedWindow, recordedAt: number): boolean {
  const [from, to] = [...condition.matchAll(/'([^']+)'/g)].map(([, day = '']) => Date.parse(day.replace('+00', 'Z')));
  return from === undefined || to === undefined || (recordedAt >= from && recordedAt < to);
}

describe('the days that a follower reads', () => {
  it('are all of them until it is through with what was there at a look of its own', () => {
    const window = new RecordedWindow();
    expect(window.condition).toBe('true');
    window.look(7, NOON, 0);
    window.reached(6);
    expect(window.condition).toBe('true');
    window.reached(7);
    expect(window.condition).toBe(`recorded_at >= '2026-11-25 00:00:00+00' AND recorded_at < '2026-11-28 00:00:00+00'`);
  });

  it('go on with its reading, and stay where it stays behind', () => {
    const window = new RecordedWindow();
    window.look(7, NOON, 0);
    window.reached(7);
    for (let day = 1; day < 5; day += 1) window.look(7 + day, NOON + day * 24 * HOUR_MS, day);
    window.reached(7);
    expect(reads(window, NOON)).toBe(true);
    expect(reads(window, NOON + 5 * 24 * HOUR_MS)).toBe(true);
    window.reached(11);
    window.look(12, NOON + 5 * 24 * HOUR_MS, 6);
    window.reached(12);
    expect(reads(window, NOON)).toBe(false);
  });

  it('are all of them again when it goes back, or when nobody has looked for more than a minute', () => {
    const window = new RecordedWindow();
    window.look(7, NOON, 0);
    window.reached(7);
    window.look(7, NOON, 60_001);
    expect(window.condition).toBe('true');
    window.reached(7);
    expect(window.condition).not.toBe('true');
    window.forget();
    expect(window.condition).toBe('true');
  });

  it('hold every row that is not read yet, however far the clock is set between two looks', () => {
    const turn = fc.record({
      /** Where the clock is set before the look, and how far it strays until the next one. */
      set: fc.integer({ min: -5_000, max: 5_000 }),
      straysHours: fc.array(fc.integer({ min: -23, max: 23 }), { maxLength: 3 }),
      isRead: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 12 }), (turns) => {
        const window = new RecordedWindow();
        let waiting: { id: number; at: number }[] = [];
        let clock = NOON;
        let lastId = 0;
        for (const [index, { set, straysHours, isRead }] of turns.entries()) {
          clock += set * HOUR_MS;
          window.look(lastId, clock, index);
          for (const { at } of waiting) expect(reads(window, at)).toBe(true);
          for (const hours of straysHours) waiting.push({ id: ++lastId, at: clock + hours * HOUR_MS });
          for (const { at } of waiting) expect(reads(window, at)).toBe(true);
          if (!isRead) continue;
          waiting = [];
          window.reached(lastId);
        }
      }),
    );
  });
});
