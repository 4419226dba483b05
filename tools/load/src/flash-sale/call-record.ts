/** The lines of the history that the flash sale's scenario writes, one for each call. */

export const CALL_KINDS = ['hold', 'confirm', 'release', 'sale'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

export interface CallRecord {
  readonly kind: CallKind;
  /** Of the reservation, or of the movement. */
  readonly id: string;
  /** By the client's clock, milliseconds since the epoch: before the first attempt, and after the last answer. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** HTTP status of each attempt; 0 without an answer. */
  readonly statuses: readonly number[];
  /** Problem code of each attempt; null without one. */
  readonly codes: readonly (string | null)[];
  /** The last answer when it is a success, else null. */
  readonly body: unknown;
}

/**
 * Reads the history.
 *
 * @throws when a line is no record: an incomplete history proves nothing.
 */
export function parseHistory(text: string): CallRecord[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => {
    const value = parse(line);
    if (!isRecord(value))
      throw new Error(`Line ${index + 1} of the history is no record of a call: ${line.slice(0, 200)}`);
    return value;
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is CallRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, id, fromMs, untilMs, statuses, codes } = value as Partial<CallRecord>;
  const isKnown = CALL_KINDS.some((known) => known === kind) && typeof id === 'string';
  const isTimed = Number.isFinite(fromMs) && Number.isFinite(untilMs) && Number(fromMs) < Number(untilMs);
  const hasAttempts = Array.isArray(statuses) && Array.isArray(codes) && statuses.length === codes.length;
  return isKnown && isTimed && hasAttempts && statuses.length > 0;
}
