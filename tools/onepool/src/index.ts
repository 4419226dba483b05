export { makeProgram } from './program.ts';
export type { Surroundings } from './surroundings.ts';
