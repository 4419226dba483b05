/**
 * When something happened, as far as it can be known. A clock that is provably ahead is corrected, and nothing happens after it
 * is told; a clock that lags is not guessed.
 */

/** How a telling came to us. Both in milliseconds. */
export interface Transmission {
  readonly arrivedAt: number;
  /** When the sender's own clock said that it sent it; null where it did not say. */
  readonly sentAt: number | null;
}

/** By how much (ms) the sender's clock is ahead at least: nothing is sent after it has arrived. */
export const clockAheadMs = ({ arrivedAt, sentAt }: Transmission): number =>
  sentAt === null ? 0 : Math.max(0, sentAt - arrivedAt);

/** The told time (ms), moved back by what its clock is ahead, and never after the arrival. */
export const placeInTime = (told: number, transmission: Transmission): number =>
  Math.min(told - clockAheadMs(transmission), transmission.arrivedAt);
