/**
 * Keeps secrets out of log lines: by the names of members that hold them, and by the look of an API key anywhere in the
 * line, because a message or an error's text may carry one too.
 *
 * pino's own redaction copies every line by path; this looks at the members that are there, which for the flat line of
 * a request is next to nothing.
 */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apikey',
  'api_key',
  'x-api-key',
  'password',
  'secret',
  'token',
]);
/**
 * pino's serializers for secret members, which it also applies to the fields of child loggers, where the formatter of
 * lines is not asked.
 */
export const secretSerializers: Readonly<Record<string, () => string>> = Object.fromEntries(
  [...SECRET_NAMES, 'apiKey', 'Authorization', 'Cookie'].map((name) => [name, () => '[redacted]']),
);

const DEPTH_MAX = 5;

/** The fields with secret members replaced, at any depth down to five; the same object if there are none. */
export function redactMembers(fields: Record<string, unknown>, depth = 1): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const shown = SECRET_NAMES.has(name.toLowerCase()) ? '[redacted]' : redactNested(value, depth);
    if (shown === value) continue;
    copy ??= { ...fields };
    copy[name] = shown;
  }
  return copy ?? fields;
}

/** A finished line with everything that looks like an API key replaced. */
export function redactKeys(line: string): string {
  return line.includes('opk_') ? line.replaceAll(/opk_[A-Za-z0-9_-]+/g, 'opk_[redacted]') : line;
}

function redactNested(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth >= DEPTH_MAX) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? redactMembers(value as Record<string, unknown>, depth + 1) : value;
}
