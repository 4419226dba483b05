export { fixedClock, systemClock, type Clock, type FixedClock } from './clock.ts';
