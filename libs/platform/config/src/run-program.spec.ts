import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './load-config.ts';
import { OperatorError } from './operator-error.ts';
import { lastWords } from './run-program.ts';

describe('the last words of a program', () => {
  it('are one sentence when whoever runs it can mend what is wrong', () => {
    expect(lastWords(new OperatorError('The disk is full: make room.'))).toBe('The disk is full: make room.');
    const problem = { name: 'PORT', expected: 'integer', actual: '"x"' };
    expect(lastWords(new ConfigError([problem]))).not.toContain('    at ');
  });

  it('are the stack of a failure that nobody foresaw', () => {
    expect(lastWords(new TypeError('x is not a function'))).toMatch(/^TypeError: x is not a function\n {4}at /);
    expect(lastWords('a string')).toBe('a string');
  });
});
