/** Holds an answer against the contracts. */
import { expect } from '@jest/globals';
import { AVAILABILITY_OPERATIONS, type Operation } from '@onepool/contracts';
import { type Validator, compileSchema, platformProblems, problemType } from '@onepool/platform-problem';
import { problems } from '../problems.ts';

export type OperationId = keyof typeof AVAILABILITY_OPERATIONS;

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export const operationOf = (id: OperationId): Operation => AVAILABILITY_OPERATIONS[id];

const validators = new Map<OperationId, Validator<unknown>>();

function responseValidator(id: OperationId): Validator<unknown> {
  let validator = validators.get(id);
  if (!validator) validators.set(id, (validator = compileSchema<unknown>(operationOf(id).response)));
  return validator;
}

/** Fails unless the answer is one that the contract allows; returns it. */
export function checkAnswer(id: OperationId, answer: Answer): Answer {
  if (answer.status >= 400) {
    const code = checkProblem(answer);
    expect([...Object.keys(platformProblems), ...operationOf(id).problems]).toContain(code);
    return answer;
  }
  expect({ id, status: answer.status, type: answer.contentType.split(';')[0] }).toEqual({
    id,
    status: operationOf(id).http.success,
    type: operationOf(id).csvAnswer ? 'text/csv' : 'application/json',
  });
  expect({ id, faults: responseValidator(id).check(answer.body) }).toEqual({ id, faults: [] });
  return answer;
}

/** Fails unless the answer is a problem document with a code of the app's catalogue; returns the code. */
export function checkProblem({ status, contentType, body }: Answer): string {
  expect({ contentType, body }).toEqual({
    contentType: expect.stringMatching(/^application\/problem\+json\b/),
    body: expect.objectContaining({
      status,
      code: expect.any(String),
      title: expect.any(String),
      retryable: expect.any(Boolean),
    }),
  });
  const { code, type, title } = body as { code: string; type: string; title: string };
  if (!problems.has(code)) throw new Error(`${code} is not in the catalogue`);
  const definition = problems.definitions[code];
  expect({ type, title, status }).toEqual({
    type: problemType(code),
    title: definition.title,
    status: definition.status,
  });
  return code;
}

/** A problem answer in short: status, code, and the sub-codes of what is wrong. */
export function problemOf(answer: Answer): {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly string[];
} {
  const code = checkProblem(answer);
  const { errors = [] } = answer.body as { errors?: readonly { readonly code: string }[] };
  return { status: answer.status, code, errors: errors.map((error) => error.code) };
}
