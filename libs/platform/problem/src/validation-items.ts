/**
 * Turns Ajv's errors into problem items: stable sub-codes, JSON pointers that name the member at fault, and messages
 * that never repeat the caller's value. A failed union is reported as what the caller meant, not as every branch.
 */
import { TIME_EXPECTATION } from '@onepool/platform-clock';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { pointer } from './forbidden-text.ts';
import type { ProblemItem } from './problem.ts';

const OUT_OF_RANGE: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
]);

const codeByKeyword: Readonly<Record<string, string>> = {
  additionalProperties: 'unknown_field',
  unevaluatedProperties: 'unknown_field',
  required: 'missing',
  dependentRequired: 'missing',
  type: 'wrong_type',
  pattern: 'pattern',
  printable: 'pattern',
  format: 'pattern',
  enum: 'unknown_value',
  const: 'unknown_value',
  uniqueItems: 'duplicate',
};

/** Maps at most `count_max` errors, in Ajv's order. Of a null is told once that it may not be. */
export function toValidationItems(errors: readonly ErrorObject[], countMax: number): readonly ProblemItem[] {
  return collapseUnions(errors)
    .filter((error, index, all) => !(error.data === null && all[index - 1]?.instancePath === error.instancePath))
    .slice(0, countMax)
    .map(toItem);
}

function toItem(error: ErrorObject): ProblemItem {
  const code = OUT_OF_RANGE.has(error.keyword) ? 'out_of_range' : (codeByKeyword[error.keyword] ?? 'wrong_type');
  const member = memberAtFault(error);
  if (code === 'unknown_field') {
    return { path: pointer(error.instancePath, member ?? ''), code, message: 'the field is not known' };
  }
  if (code === 'missing') {
    return { path: pointer(error.instancePath, member ?? ''), code, message: 'the field is required' };
  }
  if (error.data === null) return { path: error.instancePath, code: 'wrong_type', message: 'must not be null' };
  return { path: error.instancePath, code, message: messageOf(error) };
}

function memberAtFault({ params }: ErrorObject): string | undefined {
  const named: unknown = params['additionalProperty'] ?? params['unevaluatedProperty'] ?? params['missingProperty'];
  return typeof named === 'string' ? named : undefined;
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  const allowed: unknown = keyword === 'const' ? [params['allowedValue']] : params['allowedValues'];
  if (Array.isArray(allowed)) return `must be ${allowed.length > 1 ? 'one of ' : ''}${allowed.map(String).join(', ')}`;
  if (keyword === 'format' && params['format'] === 'date-time') return `must be ${TIME_EXPECTATION}`;
  return message ?? 'is not valid';
}

const isUnion = (error: ErrorObject): boolean => error.keyword === 'anyOf' || error.keyword === 'oneOf';

/** Ajv lists the errors of every branch before the union's own; all of them give way to one account of the union. */
function collapseUnions(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const collapsed: ErrorObject[] = [];
  for (const error of errors) {
    if (!isUnion(error)) {
      collapsed.push(error);
      continue;
    }
    const ofBranches: ErrorObject[] = [];
    for (let last = collapsed.at(-1); last && isBelow(last, error); last = collapsed.at(-1)) {
      ofBranches.unshift(last);
      collapsed.pop();
    }
    collapsed.push(...accountOfUnion(error, ofBranches));
  }
  return collapsed;
}

const isBelow = (error: ErrorObject, union: ErrorObject): boolean =>
  error.schemaPath.startsWith(`${union.schemaPath}/`) && error.instancePath.startsWith(union.instancePath);

function accountOfUnion(union: ErrorObject, ofBranches: readonly ErrorObject[]): readonly ErrorObject[] {
  const branches = new Map<string, ErrorObject[]>();
  for (const error of ofBranches) {
    const branch = error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] ?? '';
    branches.set(branch, [...(branches.get(branch) ?? []), error]);
  }
  // A union of literals: what is allowed is the list of all the literals.
  const literals = ofBranches.filter((error) => error.keyword === 'const');
  if (literals.length === branches.size && literals.every((error) => error.instancePath === union.instancePath)) {
    const allowedValues = literals.map((error): unknown => error.params['allowedValue']);
    return [{ ...union, keyword: 'enum', params: { allowedValues } }];
  }
  // The branch meant is the only one that neither its discriminating literal nor its type rules out, or of those that lacks nothing.
  const meant = [...branches.values()].filter(
    (branch) =>
      !branch.some(
        (error) => error.keyword === 'const' || (error.keyword === 'type' && error.instancePath === union.instancePath),
      ),
  );
  const lacksNothing = (branch: readonly ErrorObject[]): boolean =>
    !branch.some((error) => error.keyword === 'required' && error.instancePath === union.instancePath);
  const [only, ...others] = meant.length === 1 ? meant : meant.filter(lacksNothing);
  if (only && others.length === 0) return only;
  return [{ ...union, message: 'matches none of the allowed forms' }];
}
