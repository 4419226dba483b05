export { failpoint, installFailpoints, variant, type FailpointHandlers } from './failpoint.ts';
export { commitPoint, committing, type Commit } from './commit-point.ts';
export { FAILPOINTS_VARIABLE, FOR_TESTS, strayFailpoints } from './stray-failpoints.ts';
