/** What `launch.ts` runs once it is built; see README.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCHMARKS } from './benchmarks/index.ts';
import type { Bench } from './benchmarks/benchmark.ts';
import { compare } from './compare/compare.ts';
import { parseCompareOptions, parseOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { Figures } from './reporting/figures.ts';
import { groupOf } from './reporting/keys.ts';
import type { Group, Key } from './reporting/keys.ts';
import { showProgress } from './reporting/progress.ts';
import { cpuTable, detailsTable, environmentTable, figuresTable, reportJson } from './reporting/report.ts';
import { describeEnvironment, natsVersion } from './setting/environment.ts';
import type { Environment } from './setting/environment.ts';
import { startServers } from './setting/servers.ts';
import { WrongResultsError } from './setting/verify.ts';

const root = join(import.meta.dirname, '../../..');
const START_SECONDS = 4;

function byGroup(keys: readonly Key[]): readonly (readonly [Group, readonly Key[]])[] {
  const groups = [...new Set(keys.map(groupOf))];
  return groups.map((group) => [group, keys.filter((key) => groupOf(key) === group)]);
}

/** Keys that this run measures; the others are told with their reason. */
function runnable({ keys, quick }: BenchOptions, figures: Figures): readonly Key[] {
  for (const key of keys) {
    if (quick && key.slow) figures.notRun.set(key.key, 'not in a quick run');
  }
  return keys.filter(({ key }) => !figures.notRun.has(key));
}

async function measure(options: BenchOptions, figures: Figures): Promise<Environment> {
  const groups = byGroup(runnable(options, figures));
  const estimates = groups.map(([group, keys]) => BENCHMARKS[group].estimate(keys, options));
  const total = estimates.reduce((sum, seconds) => sum + seconds, START_SECONDS);
  console.log(
    `This takes about ${Math.max(1, Math.round(total / 60))} min (${Math.round(total)} s) on a quiet machine.`,
  );
  const progress = showProgress(total);
  progress.step('starting servers', START_SECONDS);
  const servers = await startServers({ base: options.home, ...options });
  const stop = (signal: NodeJS.Signals): void => {
    progress.end();
    void servers.stop().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // A failure nobody awaits must not leave servers behind either.
  const stray = (error: unknown): void => {
    progress.end();
    console.error(error);
    void servers.stop().then(() => process.exit(3));
  };
  process.once('uncaughtException', stray);
  try {
    const environment = await describeEnvironment(servers);
    const bench: Bench = { ...options, servers, figures, progress };
    for (const [group, keys] of groups) await BENCHMARKS[group].run(keys, bench);
    return servers.usesNats() ? { ...environment, nats: await natsVersion(await servers.natsUrl()) } : environment;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('uncaughtException', stray);
    // What a run that failed has left open breaks now, and must not hide why it failed.
    process.on('uncaughtException', () => undefined);
    progress.end();
    await servers.stop();
  }
}

/** Measures what the options name and prints it. */
async function bench(options: BenchOptions): Promise<void> {
  const figures = new Figures();
  const environment = await measure(options, figures);
  const described = { ...environment, mode: options.quick ? 'quick' : 'full', rounds: options.rounds };
  const notes = Object.fromEntries(figures.notes);
  console.log(environmentTable({ ...described, ...notes }));
  if (figures.details.size > 0) console.log(detailsTable(figures));
  if (figures.cpu.length > 0) console.log(cpuTable(figures));
  console.log(figuresTable(options.keys, figures));
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(reportJson(options.keys, figures, described), null, 2)}\n`);
  }
}

const args = process.argv.slice(2);
const comparison = parseCompareOptions(args, process.env, root);
try {
  await (comparison === undefined ? bench(parseOptions(args, process.env, root)) : compare(comparison));
  process.exit(0);
} catch (error) {
  // 1 is kept for wrong results, so that a script can tell them from a run that could not be made.
  const wrong = error instanceof WrongResultsError;
  console.error(wrong ? `wrong results:\n${error.message}` : error);
  process.exit(wrong ? 1 : 3);
}
