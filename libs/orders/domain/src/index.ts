export { BUCKETS, type Bucket, isFulfilled, isOfFulfilment, mayMove, waysFrom } from './bucket.ts';
export {
  type Component,
  type FulfilmentKey,
  type MoveRejection,
  type Moved,
  type Part,
  type Place,
  type UnitMove,
  type UnitMovement,
  moveAll,
  moveUnits,
} from './parts.ts';
export { type Delivery, type FulfilmentStatus, type StatusInput, endOf, fulfilmentStatusOf } from './status.ts';
