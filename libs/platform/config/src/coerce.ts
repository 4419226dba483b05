import type { TSchema } from '@sinclair/typebox';

/**
 * Reads a value from the text of an environment variable as its schema's type. Text that is not in that type's plain
 * spelling stays text, and is reported as such.
 */
export function coerce(schema: TSchema, text: string): unknown {
  switch (schema['type'] as unknown) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
    case 'array': {
      const items = schema['items'] as TSchema;
      const parts = text.split(',').map((part) => part.trim());
      return parts.filter((part) => part !== '').map((part) => coerce(items, part));
    }
    default:
      return coerceToBranch(schema, text);
  }
}

/** A union takes the first of its branches that reads the text as something else than text. */
function coerceToBranch(schema: TSchema, text: string): unknown {
  const branches: unknown = schema['anyOf'];
  if (!Array.isArray(branches)) return text;
  for (const branch of branches as readonly TSchema[]) {
    const value = coerce(branch, text);
    if (value !== text) return value;
  }
  return text;
}
