export { SILENT, showProgress } from './progress.ts';
export type { Progress } from './progress.ts';
