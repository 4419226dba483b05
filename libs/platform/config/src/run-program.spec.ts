import { spawnSync } from 'node:child_process';
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

describe('a program that is told of failpoints by anybody but the runtime, for tests', () => {
  const program = `
    import { runProgram } from '@onepool/platform-config';
    await runProgram(async () => console.log('runs'));
  `;
  const install = `
    import { installFailpoints } from '@onepool/platform-failpoints';
    installFailpoints({ pass: () => undefined, isPlanted: () => false });
  `;

  function run(source: string, variables: Record<string, string>, ...args: readonly string[]): string {
    const options = ['--conditions=@onepool/source', '--input-type=module', '--eval', source, '--', ...args];
    const env = { ...process.env, ...variables };
    const { status, stdout, stderr } = spawnSync(process.execPath, options, { cwd: import.meta.dirname, env });
    return `exit ${status}\n${String(stdout)}${String(stderr)}`;
  }

  it('says so in one line and does nothing', () => {
    const sentence = /^exit 1\nFailpoints break a program on purpose, .*\.\n$/;
    expect(run(program, { ONEPOOL_FAILPOINTS: 'stock.batch.after_commit=kill' })).toMatch(sentence);
    expect(run(install + program, {})).toMatch(sentence);
    expect(run(install + program, { ONEPOOL_FAILPOINTS: 'stock.batch.after_commit=kill' })).toMatch(sentence);
  });

  it('runs when nothing was told, or all of it', () => {
    expect(run(program, {})).toBe('exit 0\nruns\n');
    const plan = { ONEPOOL_FAILPOINTS: 'stock.batch.after_commit=kill' };
    expect(run(install + program, plan, '--for-tests')).toBe('exit 0\nruns\n');
  });
});
