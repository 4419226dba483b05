export { ModelPool } from './model-pool.ts';
export type { Backed, Moved } from './model-pool.ts';
