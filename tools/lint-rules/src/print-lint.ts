/**
 * Prints as JSON what ESLint says about some paths, and the rules that it computes for some files. A program of its own, so
 * that ESLint runs as it does for a person, and is loaded once.
 *
 * Run in the directory of the fixtures: `node print-lint.ts '{"paths": ["apps"], "files": ["apps/a/b.ts"]}'`
 */
import { ESLint } from 'eslint';

const { paths, files } = JSON.parse(process.argv[2] ?? '') as { paths: string[]; files: string[] };
// By this name Nx knows ESLint run by a person, for whom it takes the project graph as it lies there.
process.argv[1] = 'node_modules/eslint/bin/eslint.js';
const eslint = new ESLint();
const results = await eslint.lintFiles(paths);
const rules: Record<string, unknown> = {};
for (const file of files) {
  rules[file] = ((await eslint.calculateConfigForFile(file)) as { rules: unknown }).rules;
}
process.stdout.write(JSON.stringify({ results, rules }));
