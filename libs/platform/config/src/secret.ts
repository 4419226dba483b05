import type { TSchema } from '@sinclair/typebox';

/**
 * Marks a setting whose value must never be shown.
 *
 * @example DATABASE_URL: secret(Type.String({ pattern: '^postgres' }))
 */
export function secret<S extends TSchema>(schema: S): S {
  return { ...schema, secret: true };
}

/** True if the setting's value must never be shown. */
export function isSecret(schema: TSchema): boolean {
  return schema['secret'] === true;
}
