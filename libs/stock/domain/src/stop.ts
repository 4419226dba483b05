/**
 * Stop-sale: nothing more is promised where a stop matches. What is promised stays so, and may be confirmed and shipped; a stop that
 * drains sends it elsewhere, too.
 */
import type { ChannelKey, NodeKey } from './keys.ts';

/** Null members match everything. Of which SKU it is, or that it is of any, is said by where it is kept. */
export interface Stop {
  readonly node: NodeKey | null;
  readonly channel: ChannelKey | null;
  readonly drains: boolean;
  /** Milliseconds: from then on it is over; null until it is lifted. */
  readonly until: number | null;
}

export const NO_STOPS: readonly Stop[] = [];

const matches = (stop: Stop, channel: ChannelKey, node: NodeKey, now: number): boolean =>
  (stop.node === null || stop.node === node) &&
  (stop.channel === null || stop.channel === channel) &&
  (stop.until === null || now < stop.until);

export function isStopped(stops: readonly Stop[], channel: ChannelKey, node: NodeKey, now: number): boolean {
  for (const stop of stops) if (matches(stop, channel, node, now)) return true;
  return false;
}

export function isDrained(stops: readonly Stop[], channel: ChannelKey, node: NodeKey, now: number): boolean {
  for (const stop of stops) if (stop.drains && matches(stop, channel, node, now)) return true;
  return false;
}

/** The next moment after `now` (ms) at which one of them is over; infinity if there is none. */
export function nextEnd(rules: readonly { readonly until: number | null }[], now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { until } of rules) if (until !== null && until > now) next = Math.min(next, until);
  return next;
}
