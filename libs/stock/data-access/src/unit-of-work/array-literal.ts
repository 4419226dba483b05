/**
 * PostgreSQL's literal of an array. `pg` makes them, too, but looks at each element anew for what it may be, which was
 * a tenth of what a batch costs here.
 */
export function arrayLiteral(values: readonly unknown[]): string {
  let literal = '{';
  for (const [index, value] of values.entries()) {
    if (index > 0) literal += ',';
    literal += element(value);
  }
  return `${literal}}`;
}

function element(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value === null || value === undefined) return 'NULL';
  if (Buffer.isBuffer(value)) return `"\\\\x${value.toString('hex')}"`;
  throw new TypeError(`an array holds a ${typeof value}, which no column here takes`);
}

const NEEDS_ESCAPE = /["\\]/;
/** What JSON escapes in its own way. JSON itself has none of it. */
const UNLIKE_JSON = /[\p{Cc}\p{Cs}]/u;

/** JSON quotes all other text as an array does, and six times as fast as a replacement: facts are JSON, and full of quotes. */
function quoted(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  if (!UNLIKE_JSON.test(text)) return JSON.stringify(text);
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
