import { expect, it } from '@jest/globals';
import { DatabaseClock } from './database-clock.ts';

it('knows no time before it has heard one', () => {
  expect(new DatabaseClock().now).toBeNull();
});

it('goes on from what it heard last, and is never ahead of a steady database', () => {
  const clock = new DatabaseClock();
  const heardAt = performance.now();
  clock.heard(1_000_000);
  const told = clock.now ?? Number.NaN;
  expect(told).toBeGreaterThanOrEqual(1_000_000);
  expect(told).toBeLessThanOrEqual(1_000_000 + (performance.now() - heardAt));
  clock.heard(500);
  expect(clock.now).toBeLessThan(1_000_000);
});
