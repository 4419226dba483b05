export { FAULTS } from './faults/index.ts';
export type { Fault } from './fault.ts';
