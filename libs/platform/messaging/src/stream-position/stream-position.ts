/**
 * A place in a stream of facts, to say "everything up to here". The sequence alone would not do: a stream that was lost and
 * filled again counts anew, or has other facts at the same places. So it is told together with the epoch in which it holds.
 */
export interface StreamPosition {
  /** How often a relay had found the stream short of facts, from 1 on; it only rises. */
  readonly epoch: number;
  /** The last sequence; 0 before the first fact. */
  readonly sequence: number;
}

/** `epoch:sequence`. */
export const formatPosition = ({ epoch, sequence }: StreamPosition): string => `${epoch}:${sequence}`;

/** No leading zeros, so that one position has one text; 15 digits are an exact number. */
const POSITION = /^([1-9]\d{0,14}):(0|[1-9]\d{0,14})$/;

/** The text is no `epoch:sequence`. */
export class PositionError extends Error {
  override readonly name = 'PositionError';
}

/** @throws PositionError */
export function parsePosition(text: string): StreamPosition {
  const [, epoch, sequence] = POSITION.exec(text) ?? [];
  if (epoch === undefined || sequence === undefined) {
    throw new PositionError('A position in a stream is epoch:sequence, as 1:4711.');
  }
  return { epoch: Number(epoch), sequence: Number(sequence) };
}
