/** Runs the workspace's lint over every fixture once and pairs what ESLint says with what the fixture's head announces. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const workspaceRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const fixtures = join(workspaceRoot, 'tools/lint-fixtures');

export interface FixtureReport {
  /** Path below `tools/lint-fixtures`. */
  readonly path: string;
  /** `rule: message` as the fixture's first two lines announce it; empty for an allowed fixture. */
  readonly expected: readonly string[];
  /** `rule: first line of the message` for each problem that ESLint found. */
  readonly found: readonly string[];
}

interface LintResult {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

/**
 * ESLint as a person runs it, but the fixtures bring their own project graph, so the real one is not computed.
 * It answers exit code 1 when it found problems, which is what these fixtures are for.
 */
function eslint(...args: string[]): Promise<string> {
  const binary = join(workspaceRoot, 'node_modules/eslint/bin/eslint.js');
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [binary, ...args],
      { cwd: fixtures, env: { ...process.env, NX_TASK_TARGET_PROJECT: 'lint-fixtures' }, maxBuffer: 64 * 1024 * 1024 },
      (error, output, errors) => {
        if (error && error.code !== 1) reject(new Error(errors, { cause: error }));
        else resolve(output);
      },
    );
  });
}

function announced(source: string): string[] {
  const [first = '', second = ''] = source.split('\n');
  if (first === '// allowed') return [];
  return [`${first.replace('// breaks ', '')}: ${second.replace('// ', '')}`];
}

export async function lintFixtures(): Promise<FixtureReport[]> {
  const results = JSON.parse(await eslint('--format', 'json', 'apps', 'libs', 'tools')) as LintResult[];
  return Promise.all(
    results.map(async ({ filePath, messages }) => ({
      path: relative(fixtures, filePath),
      expected: announced(await readFile(filePath, 'utf8')),
      found: messages.map(({ ruleId, message }) => `${ruleId}: ${message.split('\n')[0]}`),
    })),
  );
}

/** The rules that ESLint computes for one fixture, each with its severity and options. */
export async function rulesFor(path: string): Promise<Record<string, readonly unknown[]>> {
  const config = JSON.parse(await eslint('--print-config', path)) as { rules: Record<string, readonly unknown[]> };
  return config.rules;
}
