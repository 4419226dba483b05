import type { TSchema } from '@sinclair/typebox';

/** Says in words what a setting may be: `integer from 1 to 65535`, `one of debug, info`, `list of string`. */
export function describeExpectation(schema: TSchema): string {
  const choices = choicesOf(schema);
  if (choices) return `one of ${choices.join(', ')}`;
  if (schema['type'] === 'array') return `comma-separated list of ${describeExpectation(schema['items'] as TSchema)}`;
  const type: unknown = schema['type'];
  const parts = [typeof type === 'string' ? (type === 'boolean' ? 'true or false' : type) : 'another value'];
  parts.push(range(schema, 'minimum', 'maximum', ''));
  parts.push(range(schema, 'minLength', 'maxLength', ' characters'));
  if (schema['pattern'] !== undefined) parts.push(` matching ${String(schema['pattern'])}`);
  return parts.join('');
}

function choicesOf(schema: TSchema): readonly string[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum'].map(String);
  const branches: unknown = schema['anyOf'];
  if (!Array.isArray(branches)) return schema['const'] === undefined ? undefined : [String(schema['const'])];
  return branches.map((branch: TSchema) =>
    branch['const'] === undefined ? describeExpectation(branch) : String(branch['const']),
  );
}

function range(schema: TSchema, low: string, high: string, unit: string): string {
  const [from, to]: [unknown, unknown] = [schema[low], schema[high]];
  if (from !== undefined && to !== undefined) return ` from ${String(from)} to ${String(to)}${unit}`;
  if (from !== undefined) return ` of at least ${String(from)}${unit}`;
  return to === undefined ? '' : ` of at most ${String(to)}${unit}`;
}
