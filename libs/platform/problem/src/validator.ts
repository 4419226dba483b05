/**
 * Request validation with compiled JSON Schema (2020-12, the dialect of OpenAPI 3.1).
 *
 * A value is checked by a function that stops at the first error. Only a value that failed is checked again by one
 * that lists its errors, and only if the value is small: listing them costs time in proportion to the errors, which
 * the caller chooses. Nothing is coerced; defaults of the
 * schema are filled in, and codes put into their one form.
 */
import { readTime } from '@onepool/platform-clock';
import { CODE_EXPECTATION, isTooLong, readCode, readCodePrefix } from '@onepool/platform-codes';
import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv2020, type AnySchemaObject, type KeywordDefinition, type ValidateFunction } from 'ajv/dist/2020.js';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import addFormats from 'ajv-formats';
import { problem } from './catalogue.ts';
import { findForbiddenText } from './forbidden-text.ts';
import type { ProblemItem } from './problem.ts';
import { toValidationItems } from './validation-items.ts';

/** Checks values of one schema. */
export interface Validator<T> {
  /** The schema it was compiled from. */
  readonly schema: object;
  /** Whether `check` would find nothing, for a fraction of what it costs where it finds something. */
  accepts(value: unknown): boolean;
  /** Says what is wrong; an empty list means valid. Fills in the schema's defaults. */
  check(value: unknown): readonly ProblemItem[];
  /**
   * Returns the value itself, typed, with the schema's defaults filled in.
   *
   * @throws ProblemError `request.invalid` with up to 20 `errors`.
   */
  parse(value: unknown): T;
}

const ERRORS_MAX = 20;
/** Values with more members than this are told their first error only. */
const LISTED_NODES_MAX = 5_000;

/**
 * `printable: 'code'` and `printable: 'prefix'` put a code into its one form, in place, before its length is looked at:
 * whatever comes through any door was checked by a schema.
 */
const PRINTABLE: KeywordDefinition = {
  keyword: 'printable',
  type: 'string',
  schemaType: 'string',
  before: 'maxLength',
  modifying: true,
  errors: true,
  error: { message: CODE_EXPECTATION },
  validate: (what: 'code' | 'prefix', text: string, _schema?: unknown, at?: DataValidationCxt): boolean => {
    const read = what === 'code' ? readCode(text) : readCodePrefix(text);
    if (read !== null && read !== text && at) at.parentData[at.parentDataProperty] = read;
    // What is empty or too long is told by the keywords that follow.
    return read !== null || text === '' || isTooLong(text);
  },
};

const firstErrorOnly = makeAjv(false);
let listing: Ajv2020 | undefined;

function makeAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    coerceTypes: false,
    // An error knows the value at fault.
    verbose: true,
  });
  // These keywords describe a schema to readers and tools; strict mode would refuse them.
  ajv.addVocabulary(['example', 'externalDocs', 'xml', 'secret']);
  ajv.addKeyword(PRINTABLE);
  addFormats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: (text: string) => readTime(text) !== null });
  return ajv;
}

/** Compiles a TypeBox schema once, at start-up. @throws Error when the schema itself is wrong. */
export function compileSchema<S extends TSchema>(schema: S): Validator<Static<S>>;
/** Compiles a plain JSON Schema once, at start-up; the caller names the type it stands for. */
export function compileSchema<T>(schema: AnySchemaObject): Validator<T>;
export function compileSchema(schema: AnySchemaObject): Validator<unknown> {
  const isValid = firstErrorOnly.compile(schema);
  const check = (value: unknown): readonly ProblemItem[] => {
    const forbidden = findForbiddenText(value);
    if (forbidden.length > 0) return forbidden;
    return isValid(value) ? [] : listErrors(schema, isValid, value);
  };
  return {
    schema,
    accepts: (value) => findForbiddenText(value).length === 0 && isValid(value) === true,
    check,
    parse: (value) => {
      const errors = check(value);
      if (errors.length > 0) throw problem('request.invalid', { errors });
      return value;
    },
  };
}

function listErrors(schema: AnySchemaObject, isValid: ValidateFunction, value: unknown): readonly ProblemItem[] {
  if (value === undefined) return [{ path: '', code: 'missing', message: 'a value is required' }];
  const first = isValid.errors ?? [];
  if (!isSmall(value)) return toValidationItems(first, 1);
  listing ??= makeAjv(true);
  const listAll = listing.compile(schema);
  void listAll(value);
  return toValidationItems(listAll.errors ?? first, ERRORS_MAX);
}

function isSmall(root: unknown): boolean {
  const stack: unknown[] = [root];
  for (let seen = 0; stack.length > 0; seen++) {
    const value = stack.pop();
    if (seen + stack.length > LISTED_NODES_MAX) return false;
    if (typeof value === 'object' && value !== null) {
      const children = Object.values(value);
      if (children.length > LISTED_NODES_MAX) return false;
      stack.push(...children);
    }
  }
  return true;
}
