import type { MirrorState } from './mirror-store.ts';
import type { Look } from './site.ts';

/**
 * Why a mirror has to be built anew, from pages:
 * - `first_time`: there is none yet;
 * - `kinds_changed`: it holds other kinds of things than are wanted;
 * - `epoch_stepped`: the relay has found the stream short of facts, so that places in it mean nothing any more;
 * - `durable_lost`: the durable that kept the facts since the position is gone, or is another of its name;
 * - `facts_aged`: the stream no longer has the fact that would be next;
 * - `stream_shrunk`: the stream ends before what was had from it.
 */
export type AnewReason =
  'first_time' | 'kinds_changed' | 'epoch_stepped' | 'durable_lost' | 'facts_aged' | 'stream_shrunk';

/** @returns undefined where it can go on from where it is. */
export function whyAnew(
  { generation, kinds, position, durable }: MirrorState,
  wanted: readonly string[],
  seenEpoch: number,
  look: Look,
): AnewReason | undefined {
  if (generation === 0) return 'first_time';
  if (kinds.join() !== wanted.join()) return 'kinds_changed';
  // Before its first page it relies on nothing.
  if (position === null) return undefined;
  if (seenEpoch > position.epoch) return 'epoch_stepped';
  if (look.durable === undefined || look.stream === undefined || look.durable.created !== durable)
    return 'durable_lost';
  const { ackFloor, delivered } = look.durable;
  if (look.stream.first > Math.max(ackFloor, position.sequence) + 1) return 'facts_aged';
  if (Math.max(delivered, position.sequence) > look.stream.last) return 'stream_shrunk';
  return undefined;
}
