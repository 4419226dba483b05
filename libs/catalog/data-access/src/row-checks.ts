/** What the contract's schemas cannot say of a row, because it takes arithmetic, a list of names, or two of its fields. */
import { gs1CheckDigit } from '@onepool/contracts';
import type { NodeEntity, SkuEntity } from './entities.ts';
import type { Draft } from './kinds.ts';
import { isTimeZone, nearestTimeZone } from './time-zones.ts';

export interface Fault {
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

export const SKU_CHECKS: readonly RowCheck<SkuEntity>[] = [
  { members: ['gtin'], fault: ({ gtin }) => checkDigit('gtin', gtin) },
];

export const NODE_CHECKS: readonly RowCheck<NodeEntity>[] = [
  { members: ['gln'], fault: ({ gln }) => checkDigit('gln', gln) },
  { members: ['timeZone'], fault: ({ timeZone = '' }) => (isTimeZone(timeZone) ? undefined : noSuchZone(timeZone)) },
  { members: ['lat', 'lng'], fault: ({ lat, lng }) => halfAPlace(lat ?? null, lng ?? null) },
  { members: ['activeFrom', 'activeTo'], fault: ({ activeFrom, activeTo }) => emptyWindow(activeFrom, activeTo) },
];

/** A row travels whole: in a fact, and in a page or an answer of at most 512 kB. */
const ROW_BYTES_MAX = 250_000;

export function tooLarge(row: object): Fault | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(row));
  if (bytes <= ROW_BYTES_MAX) return undefined;
  const lengths = Object.entries(row).map(([member, value]) => [member, JSON.stringify(value ?? null).length] as const);
  const [[member] = ['']] = lengths.toSorted(([, one], [, other]) => other - one);
  const message = (): string => `with it the row takes ${bytes} bytes as JSON, and a row may take ${ROW_BYTES_MAX}`;
  return { member, code: 'too_large', message };
}

function checkDigit(member: string, number: string | null | undefined): Fault | undefined {
  if (typeof number !== 'string') return undefined;
  const expected = gs1CheckDigit(number.slice(0, -1));
  if (number.endsWith(expected)) return undefined;
  const message = `the check digit of these digits is ${expected}, not ${number.at(-1)}: one of them is wrong`;
  return { member, code: 'check_digit', message: () => message };
}

const noSuchZone = (name: string): Fault => ({
  member: 'timeZone',
  code: 'unknown_value',
  message: () => {
    const nearest = nearestTimeZone(name);
    return `must be the name of a time zone, as Europe/Berlin${nearest ? `; the nearest to this is ${nearest}` : ''}`;
  },
});

function halfAPlace(lat: number | null, lng: number | null): Fault | undefined {
  if ((lat === null) === (lng === null)) return undefined;
  const [member, other] = lat === null ? ['lat', 'lng'] : ['lng', 'lat'];
  return { member, code: 'missing', message: () => `a place has both: ${other} is told and ${member} is not` };
}

function emptyWindow(from: Date | null | undefined, to: Date | null | undefined): Fault | undefined {
  if (!from || !to || from < to) return undefined;
  const message = (): string => `must be after activeFrom, which is ${from.toISOString()}`;
  return { member: 'activeTo', code: 'out_of_range', message };
}
