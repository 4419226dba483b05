export { ensureRunning } from './ensure-running.ts';
export type { EnsureOptions, RunningSystem } from './ensure-running.ts';
