// breaks import(no-cycle)
// Dependency cycle detected
import { instant } from './leads-back-by-a-type.ts';

export interface Clock {
  readonly now: () => number;
}

export const stopped: Clock = { now: () => instant };
