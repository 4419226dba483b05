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

/** What is told of a stop: the list has one for each node and channel. */
export interface StopChange extends Pick<Stop, 'node' | 'channel' | 'until'> {
  readonly mode: 'stop' | 'drain' | 'none';
}

/** The stops after one was set, changed or lifted; the same list if that is how it is already. */
export function stopsAfter(stops: readonly Stop[], { node, channel, until, mode }: StopChange): readonly Stop[] {
  const at = stops.findIndex((stop) => isSamePlace(stop, { node, channel }));
  const before = stops[at];
  if (mode === 'none') return before ? stops.toSpliced(at, 1) : stops;
  const stop = { node, channel, drains: mode === 'drain', until };
  if (!before) return [...stops, stop];
  return before.drains === stop.drains && before.until === until ? stops : stops.with(at, stop);
}

export interface ChangedStops {
  readonly set: readonly Stop[];
  readonly lifted: readonly Stop[];
}

/** What has become of a list by {@link stopsAfter}. */
export const changedStops = (before: readonly Stop[], after: readonly Stop[]): ChangedStops => ({
  set: after.filter((stop) => !before.includes(stop)),
  lifted: before.filter((stop) => !after.some((other) => isSamePlace(stop, other))),
});

/** Whether more may be promised than before. */
export const opensWay = (before: readonly Stop[], after: readonly Stop[]): boolean =>
  before.some((stop) => !after.includes(stop));

const isSamePlace = (a: Pick<Stop, 'node' | 'channel'>, b: Pick<Stop, 'node' | 'channel'>): boolean =>
  a.node === b.node && a.channel === b.channel;

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
