/** For specs of what stands on these rules: histories, and what the simple model makes of them. */
export { type Step, poolHistory } from './pool-history.ts';
export { type Command, type Told, recordHistory } from './recorded-history.ts';
export { type Promised, type Which, past } from './pool-piles.ts';
