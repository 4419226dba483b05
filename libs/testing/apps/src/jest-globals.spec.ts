import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Report {
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

const root = join(import.meta.dirname, '../../../..');
const fixtures = join(import.meta.dirname, 'fixtures');

/** Runs the fixture as `npm test` runs a spec. */
async function run(fixture: string): Promise<{ readonly report: Report; readonly code: number }> {
  const file = join(tmpdir(), `onepool-${process.pid}-${fixture}.json`);
  const args = ['--testMatch', `**/fixtures/${fixture}.ts`, '--roots', fixtures, '--json', '--outputFile', file];
  const code = await new Promise<number>((resolve) => {
    const child = execFile('npm', ['test', '--', ...args], { cwd: root }, () => resolve(child.exitCode ?? 1));
  });
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  rmSync(file);
  return { report, code };
}

describe('what the runner leaves out', () => {
  it('has a test fail that takes too long, leaves an error to nobody, or makes other assertions than it has announced', async () => {
    const { report, code } = await run('failing');
    expect(code).toBe(1);
    const [file] = report.testResults;
    const outcomes = Object.fromEntries(file?.assertionResults.map(({ title, status }) => [title, status]) ?? []);
    expect(outcomes).toEqual({
      'of a test': 'failed',
      '(beforeAll)': 'failed',
      'lets the test run': 'passed',
      'makes one assertion of two': 'failed',
      'leaves a rejection to nobody': 'failed',
      'catches a rejection late': 'passed',
      'of a file that sets one': 'failed',
    });
    expect(file?.message).toContain('It took longer than 10 ms.');
    expect(file?.message).toContain('It took longer than 20 ms.');
  });

  it('refuses a test that would call back', async () => {
    const { report, code } = await run('callback');
    expect(code).toBe(1);
    expect(report.numRuntimeErrorTestSuites).toBe(1);
    expect(report.testResults[0]?.message).toContain('a callback is not waited for');
  });
});
