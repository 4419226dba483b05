/** Valid values of a JSON schema, for specs about what makes a value invalid. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
}

/** Between them they satisfy every pattern that the contracts know. */
const TEXTS = [
  'a',
  '1',
  'prn_abcdefghijkl',
  '1234567890123',
  '1.1',
  '1.1.1',
  '1:1',
  'exc_1',
  'ins_1',
  'EUR',
  '2026-01-31',
  'damaged',
  '09:00',
];
const TIME = '2026-01-31T12:00:00Z';

/** Valid values that have every optional member; together they show every alternative that a member of the schema has. */
export function samplesOf(schema: object): readonly unknown[] {
  const { const: only, enum: some, anyOf, properties, items, type, ...limits } = schema as Schema;
  if (only !== undefined) return [only];
  if (some) return [some[0]];
  if (anyOf) return anyOf.flatMap(samplesOf);
  if (typeof type === 'object') return type.flatMap((one) => samplesOf({ ...schema, type: one }));
  switch (type) {
    case 'object':
      return objectsOf(properties ?? {});
    case 'array':
      return [samplesOf(items ?? {})];
    case 'string':
      return [textOf(limits)];
    case 'integer':
    case 'number':
      return [Math.max(limits.minimum ?? 1, (limits.exclusiveMinimum ?? 0) + 1)];
    case 'boolean':
      return [true];
    case 'null':
      return [null];
    default:
      throw new Error(`no sample of ${JSON.stringify(schema)}`);
  }
}

function objectsOf(properties: Readonly<Record<string, Schema>>): readonly object[] {
  const members = Object.entries(properties).map(([name, schema]) => [name, samplesOf(schema)] as const);
  const first = Object.fromEntries(members.map(([name, [sample]]) => [name, sample]));
  const others = members.flatMap(([name, [, ...more]]) => more.map((sample) => ({ ...first, [name]: sample })));
  return [first, ...others];
}

function textOf({ pattern = '', format }: Schema): string {
  if (format === 'date-time') return TIME;
  const text = TEXTS.find((candidate) => new RegExp(pattern).test(candidate));
  if (text === undefined) throw new Error(`no sample of a text like ${pattern}`);
  return text;
}

/** The value with an unknown member in one of its objects: once for each object, with the pointer to that member. */
export function withUnknownMember(value: unknown): readonly { readonly path: string; readonly value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [];
  const within = Object.entries(value).flatMap(([name, member]) =>
    withUnknownMember(member).map(({ path, value: changed }) => {
      const copy = Object.assign(Array.isArray(value) ? [...(value as unknown[])] : { ...value }, { [name]: changed });
      return { path: `/${name}${path}`, value: copy };
    }),
  );
  return Array.isArray(value) ? within : [{ path: '/nobodyKnows', value: { ...value, nobodyKnows: 1 } }, ...within];
}
