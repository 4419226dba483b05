/** What the contract's schemas cannot say of a row, because it takes arithmetic, a list of names, or two of its fields. */
import { gs1CheckDigit } from '@onepool/contracts';
import type { Draft } from '../draft.ts';

export interface Fault {
  /** Its path within the row, as `gln` or `openingHours/2/closes`. */
  readonly member: string;
  readonly code: string;
  /** Said only of the faults that are shown: finding the words may take longer than finding the fault. */
  readonly message: () => string;
}

/** A rule of a row, looked at when one of its members was told. */
export interface RowCheck<E> {
  readonly members: readonly (keyof E & string)[];
  readonly fault: (row: Draft<E>) => Fault | undefined;
}

export const fault = (member: string, code: string, words: string): Fault => ({ member, code, message: () => words });

export function checkDigit(member: string, number: string | null | undefined): Fault | undefined {
  if (typeof number !== 'string') return undefined;
  const expected = gs1CheckDigit(number.slice(0, -1));
  if (number.endsWith(expected)) return undefined;
  const words = `the check digit of these digits is ${expected}, not ${number.at(-1)}: one of them is wrong`;
  return fault(member, 'check_digit', words);
}

/** The first of a list that is the same as one before it. */
export function repeated<T>(list: string, items: readonly T[], keyOf: (item: T) => string): Fault | undefined {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const before = seen.get(keyOf(item));
    if (before !== undefined) return fault(`${list}/${index}`, 'duplicate', `is the same as ${list}/${before}`);
    seen.set(keyOf(item), index);
  }
  return undefined;
}

/** A row travels whole: in a fact, and in a page or an answer of at most 512 kB. */
const ROW_BYTES_MAX = 250_000;

export function tooLarge(row: object): Fault | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(row));
  if (bytes <= ROW_BYTES_MAX) return undefined;
  const lengths = Object.entries(row).map(([member, value]) => [member, JSON.stringify(value ?? null).length] as const);
  const [[member] = ['']] = lengths.toSorted(([, one], [, other]) => other - one);
  return fault(
    member,
    'too_large',
    `with it the row takes ${bytes} bytes as JSON, and a row may take ${ROW_BYTES_MAX}`,
  );
}
