// breaks import(no-cycle)
// Dependency cycle detected
import type { Clock } from './leads-back-by-a-value.ts';

export const instant = 0;

export const read = (clock: Clock): number => clock.now();
