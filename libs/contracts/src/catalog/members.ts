/** How members of rows of the catalogue are read and sent. */
import { type Static, type TOptional, type TSchema, type TUnsafe, Type } from '@sinclair/typebox';
import { LINES_MAX } from '../shared/primitives.ts';

export const PARTIAL = 'Absent members stay as they are, and null clears one.';

/** What is read: members that have no value are absent. */
export const optional = <P extends Record<string, TSchema>>(members: P) =>
  mapped(members, (member) => Type.Optional(member)) as { [K in keyof P]: TOptional<P[K]> };

/** What is sent: an absent member stays as it is, and null clears it. */
export const clearable = <P extends Record<string, TSchema>>(members: P) =>
  mapped(members, (member) => Type.Optional(Type.Unsafe({ ...member, type: [member['type'] as string, 'null'] }))) as {
    [K in keyof P]: TOptional<TUnsafe<Static<P[K]> | null>>;
  };

const mapped = (members: Record<string, TSchema>, map: (member: TSchema) => TSchema) =>
  Object.fromEntries(Object.entries(members).map(([name, member]) => [name, map(member)]));

/** An empty list means none, and only the word means all: a list that comes out empty by mistake must not open everything. */
export const allOr = <T extends TSchema>(item: T, description: string) =>
  Type.Union([Type.Literal('all'), Type.Array(item, { uniqueItems: true, maxItems: LINES_MAX })], {
    description: `${description}: "all", or a list; an empty list means none.`,
  });

export const RuleCode = Type.String({
  printable: 'code',
  minLength: 1,
  maxLength: 255,
  description: 'Names the rule; any printable text but `.` and `..`.',
});

/** What one call may change. */
export const many = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Array(item, { minItems: 1, maxItems: LINES_MAX });

/** Whether it is known is checked apart from its form, with words that help. */
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'A currency of ISO 4217, as EUR.' });
export const MinorUnits = Type.Integer({
  minimum: 0,
  maximum: 1_000_000_000_000,
  description: 'Money in minor units of its currency: cents.',
});

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const TimeOfDay = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$',
  description: 'In the time zone of the node, `09:30`; `24:00` is the end of the day.',
});
export const LocalDate = Type.String({ pattern: '^20\\d{2}-\\d{2}-\\d{2}$', description: 'A date of the calendar.' });
