export { fixedClock, systemClock, type Clock, type FixedClock } from './clock.ts';
export { Slices, sortedInSlices } from './slices.ts';
