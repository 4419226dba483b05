export { type BeyondLimits, type Concern, beyondLimits } from './limits.ts';
export { type Limit, type Limits, type Rights, narrow, permits } from './rights.ts';
