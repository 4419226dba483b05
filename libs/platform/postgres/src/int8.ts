import assert from 'node:assert/strict';
import pg from 'pg';

const INT8_OID = 20;
const INT8_ARRAY_OID: number = 1016;

/**
 * Parses the text of an int8 as a JavaScript number.
 *
 * Versions, quantities and outbox ids are int8 in SQL and numbers in TypeScript. A value beyond 2^53 would be rounded
 * silently, which for a quantity or a sequence is worse than stopping, so it is a broken invariant.
 */
export function parseInt8(text: string): number {
  const value = Number(text);
  assert(Number.isSafeInteger(value), `int8 value ${text} is not a safe integer`);
  return value;
}

/** Type parsers for one connection: int8 and int8[] become numbers, everything else keeps pg's default. */
export function typeParsers(): pg.CustomTypesConfig {
  const parsers = new pg.TypeOverrides();
  const parseTextArray = pg.types.getTypeParser(INT8_ARRAY_OID, 'text') as (text: string) => unknown[];
  parsers.setTypeParser(INT8_OID, 'text', parseInt8);
  parsers.setTypeParser(INT8_ARRAY_OID, 'text', (text: string) =>
    parseTextArray(text).map((item) => (item === null ? null : parseInt8(String(item)))),
  );
  return parsers;
}
