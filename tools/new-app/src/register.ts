/** The lists in which an app stands: contracts, and what its commits are for. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONTRACTS = 'libs/contracts/src/index.ts';
const APPS = 'libs/contracts/src/apps.ts';
const COMMITS = 'libs/testing/failpoints/src/known-failpoints.ts';
const COMMITS_PAGE = 'libs/testing/failpoints/README.md';
const NOT_DRILLED = 'tools/faults/src/failpoints/kills/try-kill.ts';

/** Adds an app to them, and answers which files changed. */
export function register(root: string, name: string): readonly string[] {
  const constant = name.toUpperCase();
  const commits = [
    [`${name}.check`, 'a note checked by its task'],
    [`${name}.put`, 'a note, with its fact and its task'],
  ] as const;
  const edit = (path: string, change: (text: string) => string): string => {
    const file = join(root, path);
    const before = readFileSync(file, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`${path} has no place for an app any more`);
    writeFileSync(file, after);
    return path;
  };
  return [
    edit(CONTRACTS, (text) => `${text}export { ${constant} } from './${name}/contract.ts';\n`),
    edit(APPS, (text) =>
      text
        .replace(
          /(\nimport [^\n]*contract\.ts';\n)(?!import [^\n]*contract\.ts)/,
          `$1import { ${constant} } from './${name}/contract.ts';\n`,
        )
        .replace(/(APPS: readonly AppContract\[\] = \[[^\]]*)\]/, `$1, ${constant}]`),
    ),
    edit(COMMITS, (text) =>
      inserted(
        text,
        'export const COMMITS = {\n',
        commits.map(([commit, what]) => `  '${commit}': '${what}',\n`),
      ),
    ),
    edit(COMMITS_PAGE, (text) => {
      const [head = '', ...rows] = text.split(/(?<=\n\| -+ \| -+ \|\n)/);
      return head + commits.map(([commit, what]) => `| \`${commit}\` | ${what} |\n`).join('') + rows.join('');
    }),
    edit(NOT_DRILLED, (text) =>
      inserted(
        text,
        'export const NOT_DRILLED: Partial<Record<CommitName, string>> = {\n',
        commits.map(([commit]) => `  '${commit}': 'no trial drives the app yet',\n`),
      ),
    ),
  ];
}

const inserted = (text: string, after: string, lines: readonly string[]): string =>
  text.replace(after, () => after + lines.join(''));
