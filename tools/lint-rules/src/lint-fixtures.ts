/** Runs the workspace's lint over every fixture once and pairs what is said with what the fixture's head announces. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const workspaceRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const fixtures = join(workspaceRoot, 'tools/lint-fixtures');

export interface FixtureReport {
  /** Path below `tools/lint-fixtures`. */
  readonly path: string;
  /** `rule: message` as the fixture's first two lines announce it; empty for an allowed fixture. */
  readonly expected: readonly string[];
  /** `rule: first line of the message` for each problem that ESLint or Oxlint found. */
  readonly found: readonly string[];
}

export interface Lint {
  readonly reports: readonly FixtureReport[];
  /** By file: the rules that ESLint computes for it, each with its severity and options. */
  readonly rules: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
}

interface Printed extends Pick<Lint, 'rules'> {
  readonly results: readonly {
    readonly filePath: string;
    readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
  }[];
}

/** The fixtures bring their own project graph, so the real one is not computed. */
async function printed(paths: readonly string[], files: readonly string[]): Promise<Printed> {
  const program = join(workspaceRoot, 'tools/lint-rules/src/print-lint.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify({ paths, files })], {
    cwd: fixtures,
    env: { ...process.env, NX_TASK_TARGET_PROJECT: 'lint-fixtures' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Printed;
}

interface Diagnostics {
  readonly diagnostics: readonly { readonly filename: string; readonly code: string; readonly message: string }[];
}

/** The circles of imports, which Oxlint finds. */
async function circles(): Promise<Diagnostics['diagnostics']> {
  const program = join(workspaceRoot, 'node_modules/oxlint/bin/oxlint');
  // It ends with 1 where it finds something, as it must here.
  const { stdout } = await promisify(execFile)(process.execPath, [program, '-c', 'oxlint.json', '-f', 'json'], {
    cwd: fixtures,
  }).catch((error: { readonly stdout: string }) => error);
  return (JSON.parse(stdout) as Diagnostics).diagnostics;
}

function announced(source: string): string[] {
  const [first = '', second = ''] = source.split('\n');
  if (first === '// allowed') return [];
  return [`${first.replace('// breaks ', '')}: ${second.replace('// ', '')}`];
}

/** What is said about every fixture, and the rules of `files`. */
export async function lintFixtures(files: readonly string[]): Promise<Lint> {
  const [{ results, rules }, inCircles] = await Promise.all([printed(['apps', 'libs', 'tools'], files), circles()]);
  const reports = await Promise.all(
    results.map(async ({ filePath, messages }) => {
      const path = relative(fixtures, filePath);
      return {
        path,
        expected: announced(await readFile(filePath, 'utf8')),
        found: [
          ...messages.map(({ ruleId, message }) => `${ruleId}: ${message.split('\n')[0]}`),
          ...inCircles.filter(({ filename }) => filename === path).map(({ code, message }) => `${code}: ${message}`),
        ],
      };
    }),
  );
  return { reports, rules };
}
