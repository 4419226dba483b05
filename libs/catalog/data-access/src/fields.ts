/** Members of changes and rows, picked by name. */
import { timeOf } from '@onepool/platform-clock';

type Row = Readonly<Record<string, unknown>>;

/** Those of the members that are told, null included: undefined ones are left as they are. */
export const told = <T extends object, const K extends keyof T & string>(
  change: T,
  names: readonly K[],
): { [N in K]?: Exclude<T[N], undefined> } => pick(change, names, (value) => value !== undefined) as never;

/** Those of the members that have a value: others are absent where a row is shown. */
export const present = <T extends object, const K extends keyof T & string>(
  row: T,
  names: readonly K[],
): { [N in K]?: Exclude<T[N], null | undefined> } =>
  pick(row, names, (value) => value !== null && value !== undefined) as never;

/** What a new row has in the place of members that nothing was told of. */
export const empty = <const K extends string>(names: readonly K[]): Record<K, null> =>
  Object.fromEntries(names.map((name) => [name, null])) as Record<K, null>;

/** Without the members that are undefined. */
export const given = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  told(members, Object.keys(members) as (keyof T & string)[]) as never;

const pick = (members: object, names: readonly string[], wanted: (value: unknown) => boolean): Row =>
  Object.fromEntries(names.map((name) => [name, (members as Row)[name]] as const).filter(([, value]) => wanted(value)));

/**
 * A list with its members in one order, so that the same told in another order is the same. Null and undefined stay what they
 * are.
 */
export function inOneOrder<T extends object, const K extends keyof T & string>(
  items: readonly T[] | null | undefined,
  names: readonly K[],
): T[] | null | undefined {
  return items?.map((item) => told(item, names) as unknown as T) ?? (items as null | undefined);
}

export const isoOf = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Null and undefined stay what they are. */
export const dateOf = (text: string | null | undefined): Date | null | undefined =>
  typeof text === 'string' ? new Date(timeOf(text)) : text;
