import { describe, expect, it } from '@jest/globals';
import { defineProblems, isRetryable, platformProblems, problem } from './catalogue.ts';
import { ProblemError } from './problem.ts';

describe('the problem catalogue', () => {
  it('makes an error that knows its status, title and document', () => {
    const error = problem('request.invalid', { detail: 'Two lines are wrong.', extensions: { lines: 2 } });
    expect(error).toBeInstanceOf(ProblemError);
    expect(error.toProblem()).toEqual({
      type: 'https://onepool.dev/problems/request.invalid',
      title: 'The request is not valid',
      status: 400,
      code: 'request.invalid',
      retryable: false,
      detail: 'Two lines are wrong.',
      lines: 2,
    });
  });

  it('never lets an extension replace a standard member', () => {
    const error = problem('auth.missing', { extensions: { status: 200, code: 'fine' } });
    expect(error.toProblem()).toMatchObject({ status: 401, code: 'auth.missing' });
  });

  it('keeps the cause out of the document', () => {
    const error = problem('internal', { cause: new Error('password=hunter2') });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error.toProblem())).not.toContain('hunter2');
  });

  it.each(Object.entries(platformProblems))(
    'says for %s whether a retry can help, by its status',
    (code, definition) => {
      expect(definition.retryable).toBe([408, 429, 503].includes(definition.status));
      expect('retryAfterSeconds' in definition).toBe(definition.retryable);
      expect(isRetryable(code as keyof typeof platformProblems)).toBe(definition.retryable);
    },
  );

  it("adds an app's codes to the platform's", () => {
    const catalogue = defineProblems({ 'stock.insufficient': { status: 409, title: 'Not enough', retryable: true } });
    expect(catalogue.problem('stock.insufficient').status).toBe(409);
    expect(catalogue.problem('auth.missing').status).toBe(401);
    expect(catalogue.isRetryable('stock.insufficient')).toBe(true);
    expect(catalogue.has('stock.insufficient')).toBe(true);
    expect(catalogue.has('toString')).toBe(false);
  });

  it('refuses a code of the platform, and a code that is not dotted lower case', () => {
    const definition = { status: 400, title: 'x', retryable: false };
    expect(() => defineProblems({ 'auth.missing': definition })).toThrow(/belongs to the platform/);
    expect(() => defineProblems({ StockGone: definition })).toThrow(/dotted lower case/);
  });
});
