export { K6NotFound, findK6 } from './k6/find-k6.ts';
