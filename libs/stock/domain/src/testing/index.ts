/** For specs of what stands on these rules: histories, and what the simple model makes of them. */
export type { Command } from './pool/commands.ts';
export { type Step, poolHistory } from './pool/history.ts';
export { type Promised, type Which, past } from './pool/piles.ts';
export { type Concern, type Told, recordHistory } from './pool/record.ts';
