export { TIME_END_MS, TIME_EXPECTATION, TIME_MIN_MS, readTime, timeOf } from './read-time.ts';
export { fixedClock, systemClock, type Clock, type FixedClock } from './clock.ts';
export { Recurring, type RecurringOptions } from './recurring.ts';
export { Slices, sortedInSlices } from './slices.ts';
