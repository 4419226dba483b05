export { type Result, accept, reject } from './result.ts';
