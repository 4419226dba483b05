/**
 * Validation of what arrives as text: query strings and path parameters.
 *
 * Text becomes an integer, a number or a boolean only in its plain spelling (`5`, `-1.5`, `true`): Ajv's own coercion
 * also takes `0x10`, ` 5 ` and `1e3`. A parameter of an array type may be repeated. Text that is not in its plain
 * spelling stays text, so that it is reported as the wrong type.
 */
import type { Static, TSchema } from '@sinclair/typebox';
import { type Validator, compileSchema } from './validator.ts';

type Coerce = (text: unknown) => unknown;

/** Compiles an object schema whose values come as text. `parse` returns a new object and leaves its input alone. */
export function compileQuerySchema<S extends TSchema>(schema: S): Validator<Static<S>> {
  const validator = compileSchema(schema);
  const coerceByName = new Map<string, Coerce>();
  const properties: unknown = schema['properties'];
  if (typeof properties === 'object' && properties !== null) {
    for (const [name, property] of Object.entries(properties)) coerceByName.set(name, coercionFor(property));
  }
  const coerceAll = (query: unknown): unknown => {
    if (typeof query !== 'object' || query === null) return query ?? {};
    const entries = Object.entries(query).map(([name, text]): [string, unknown] => [
      name,
      coerceByName.get(name)?.(text) ?? text,
    ]);
    return Object.fromEntries(entries);
  };
  return {
    schema,
    accepts: (query) => validator.accepts(coerceAll(query)),
    check: (query) => validator.check(coerceAll(query)),
    parse: (query) => validator.parse(coerceAll(query)),
  };
}

const asIs: Coerce = (text) => text;
const coerceInteger: Coerce = (text) => (typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : text);
const coerceNumber: Coerce = (text) =>
  typeof text === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
const coerceBoolean: Coerce = (text) => (text === 'true' ? true : text === 'false' ? false : text);

function coercionFor(schema: unknown): Coerce {
  if (typeof schema !== 'object' || schema === null || !('type' in schema)) return asIs;
  if (schema.type === 'integer') return coerceInteger;
  if (schema.type === 'number') return coerceNumber;
  if (schema.type === 'boolean') return coerceBoolean;
  if (schema.type !== 'array') return asIs;
  const coerceItem = coercionFor('items' in schema ? schema.items : undefined);
  return (text) => (Array.isArray(text) ? text : [text]).map(coerceItem);
}
