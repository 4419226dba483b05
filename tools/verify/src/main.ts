/** `npm run verify`: see README.md. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import { parseOptions } from './options.ts';
import { plan } from './parts.ts';
import { runStep } from './run-step.ts';
import type { StepResult } from './run-step.ts';

const root = join(import.meta.dirname, '../../..');
// It shows how far it is by itself, and has options of its own.
if (process.argv[2] === 'supply') {
  await import('./supply/main.ts');
  process.exit();
}
const { parts, minutes, seed } = parseOptions(process.argv.slice(2), process.env, root);
const planned = plan(parts, minutes);
const steps = planned.flatMap(({ part, turns }) =>
  Array.from({ length: turns }, (_, turn) => ({ part, step: part.turn(turn, seed + turn) })),
);
const total = steps.reduce((sum, { part }) => sum + part.turnMinutes, 0);
const home = join(root, '.onepool', 'verify');
mkdirSync(home, { recursive: true });

console.log(`${steps.length} steps, about ${Math.ceil(total)} minutes on a quiet machine; first seed ${seed}.`);
if (steps.length === 0) {
  console.error(`None of these has a turn within ${minutes} minutes.`);
  process.exit(2);
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

const bar = new cliProgress.SingleBar({
  format: '{bar} {percentage} %  {label}',
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  noTTYOutput: false,
});
const live = process.stdout.isTTY;
if (live) bar.start(total, 0, { label: '' });
const results: (StepResult & { readonly title: string })[] = [];
let done = 0;
for (const [index, { part, step }] of steps.entries()) {
  if (stopping.signal.aborted) break;
  if (live) bar.update(done, { label: step.title });
  else console.log(`${new Date().toISOString().slice(11, 19)}  ${index + 1}/${steps.length}  ${step.title}`);
  const logFile = join(home, `${String(index + 1).padStart(2, '0')}-${part.name}.log`);
  const result = await runStep(step, { root, home: join(home, part.name), logFile, signal: stopping.signal });
  results.push({ ...result, title: step.title });
  if (!result.passed && !live) console.log(`          FAILED: ${result.lastLine}; see ${logFile}`);
  done += part.turnMinutes;
}
if (live) bar.stop();

const table = new Table({ head: ['step', 'result', 'seconds', 'last words, or where to look'], style: { head: [] } });
for (const { title, passed, seconds, lastLine, logFile } of results) {
  table.push([title, passed ? 'PASS' : 'FAIL', String(Math.round(seconds)), passed ? lastLine : logFile]);
}
console.log(table.toString());
const failed = results.filter(({ passed }) => !passed).length;
const missed = steps.length - results.length;
if (missed > 0) console.log(`Interrupted: ${missed} steps were not run.`);
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : missed > 0 ? 130 : 0);
