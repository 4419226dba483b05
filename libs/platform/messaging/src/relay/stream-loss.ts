import type { KnownMessage } from './partition-progress.ts';

/** What of a stream's state tells a loss. */
export interface StreamState {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly messages: number;
  /** How many are missing between the first and the last. */
  readonly num_deleted?: number;
  /** Which, if they were asked for. */
  readonly deleted?: readonly number[];
}

/** What may remove messages by right. */
export interface StreamLimits {
  /** 0 keeps them for ever. */
  readonly maxAgeMs: number;
  /** Whether a number, a size or a count per subject bounds the stream: then it removes its oldest by right, whatever their age. */
  readonly isBounded: boolean;
}

/** The stream's first message when it was looked at before. */
export interface FirstMessage {
  readonly sequence: number;
  /** Milliseconds since 1970: when it was stored. */
  readonly storedAt: number;
}

/** An acknowledgement may be of what an earlier attempt had stored, and replicas' clocks may differ. */
const DOUBT_MS = 3_600_000;

/**
 * Whether messages are gone that should be there. A purge keeps the last sequence, so that tells nothing; but
 * 1. a message that is too young to be removed by age must not lie before the stream's first one: neither one that the relay
 *    knows, nor the one that was first before, and
 * 2. behind the oldest message the relay knows there must be no hole: nothing removes single messages by right. Holes from
 *    before it belong to an earlier loss, which was filled up by publishing again behind them.
 *
 * Known limit: where the first message goes by age while messages behind it are purged, the known ones must tell.
 */
export function isPurged(
  state: StreamState,
  limits: StreamLimits,
  known: readonly KnownMessage[],
  first: FirstMessage | undefined,
  now: number,
): boolean {
  if (limits.isBounded) return false;
  const keptSince = limits.maxAgeMs === 0 ? Number.NEGATIVE_INFINITY : now - limits.maxAgeMs + DOUBT_MS;
  const isCut = (sequence: number, storedAfter: number): boolean =>
    sequence < state.first_seq && storedAfter > keptSince;
  if (first !== undefined && isCut(first.sequence, first.storedAt)) return true;
  if (known.some(({ position, storedAfter }) => isCut(position.sequence, storedAfter))) return true;
  return hasHoles(state, Math.min(...known.map(({ position }) => position.sequence)));
}

/** Whether the state says enough: single holes have to be asked for where there are any. */
export const needsDetails = ({ num_deleted = 0, deleted }: StreamState): boolean =>
  num_deleted > 0 && deleted === undefined;

function hasHoles({ deleted }: StreamState, floor: number): boolean {
  return deleted?.some((sequence) => sequence >= floor) ?? false;
}
