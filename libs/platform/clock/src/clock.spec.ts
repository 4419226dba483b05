import { describe, expect, it } from '@jest/globals';
import { fixedClock, systemClock } from './clock.ts';

describe('clocks', () => {
  it('lets the system clock follow the machine', () => {
    const beforeMs = Date.now();
    const nowMs = systemClock.now().getTime();
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });

  it('keeps a fixed clock where it was put until it is moved', () => {
    const clock = fixedClock('2026-03-01T00:00:00Z');
    expect(clock.now()).toEqual(new Date('2026-03-01T00:00:00Z'));
    clock.advance(1_500);
    expect(clock.now().toISOString()).toBe('2026-03-01T00:00:01.500Z');
    clock.set(new Date(0));
    expect(clock.now().getTime()).toBe(0);
  });

  it('hands out dates that a caller may change without changing the clock', () => {
    const clock = fixedClock('2026-03-01T00:00:00Z');
    clock.now().setFullYear(1999);
    expect(clock.now().getUTCFullYear()).toBe(2026);
  });

  it('refuses an instant that is not a date', () => {
    expect(() => fixedClock('yesterday')).toThrow(RangeError);
  });
});
