/** Pages of the catalogue's snapshots. */
import { Position, snapshotPageOf } from '../shared/snapshot.ts';
import {
  Allowance,
  Channel,
  EligibilityRule,
  Fence,
  Node,
  Price,
  ReceiptPolicy,
  Sku,
  StopRule,
  Threshold,
} from './catalog.ts';

export { Position };
export const SkuSnapshot = snapshotPageOf(Sku);
export const NodeSnapshot = snapshotPageOf(Node);
export const ChannelSnapshot = snapshotPageOf(Channel);
export const PriceSnapshot = snapshotPageOf(Price);
export const EligibilityRuleSnapshot = snapshotPageOf(EligibilityRule);
export const ThresholdSnapshot = snapshotPageOf(Threshold);
export const FenceSnapshot = snapshotPageOf(Fence);
export const AllowanceSnapshot = snapshotPageOf(Allowance);
export const ReceiptPolicySnapshot = snapshotPageOf(ReceiptPolicy);
export const StopRuleSnapshot = snapshotPageOf(StopRule);
