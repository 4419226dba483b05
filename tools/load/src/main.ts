/** `npm run load`: see load-tests/README.md. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { readBudgets, showP99 } from './budgets.ts';
import { planFlashSale } from './flash-sale/plan.ts';
import { runFlashSale } from './flash-sale/run-flash-sale.ts';
import { failuresOfSale, saleLines } from './flash-sale/summary.ts';
import { withLoadRun } from './load-run.ts';
import { SMOKE_OPERATIONS, runSmoke } from './smoke/run-smoke.ts';

interface Flags {
  readonly seed: number;
  readonly json?: string;
  readonly quick: boolean;
  readonly duration?: number;
  readonly buyers?: number;
  readonly units?: number;
}

const FINDINGS_SHOWN_MAX = 20;
const SMOKE_ARRIVALS_PER_SECOND = 10;

const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`An integer from ${least} to ${most}.`);
  };

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 23)}  ${line}`);
const interrupted = new AbortController();

function writeJson(file: string | undefined, summary: object): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
}

/** Answers the exit code: 0 passes, 1 does not. */
async function smoke({ seed, json, quick, duration }: Flags): Promise<number> {
  const durationSeconds = duration ?? (quick ? 5 : 20);
  const options = { run: randomBytes(4).toString('hex'), seed, durationSeconds };
  const setup = { replicas: 1, signal: interrupted.signal, say };
  const outcome = await withLoadRun(setup, (run) =>
    runSmoke({ ...options, arrivalsPerSecond: SMOKE_ARRIVALS_PER_SECOND }, run),
  );
  const { summary, failures, unexpected } = outcome;
  const budget = readBudgets().smoke.p99Ms;
  for (const name of SMOKE_OPERATIONS)
    console.log(`${name}: ${showP99(Number(summary[`${name}_p99_ms`]), budget[name])}`);
  if (Number(summary['dropped_arrivals']) > 0)
    console.log(`k6 dropped ${summary['dropped_arrivals']} arrivals for want of free virtual users.`);
  for (const line of unexpected) console.error(`unexpected answer: ${line}`);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  writeJson(json, summary);
  const { arrivals, calls, checks_passed: right, checks_failed: wrong, unexpected: odd } = summary;
  console.log(
    `${arrivals} arrivals made ${calls} calls; of ${Number(right) + Number(wrong)} answers checked ${wrong} were wrong, ` +
      `${odd} unexpected: ${failures.length === 0 ? 'PASS' : 'FAIL'}`,
  );
  return failures.length === 0 ? 0 : 1;
}

/** Answers the exit code: 0 passes, 1 does not. */
async function flashSale({ seed, json, quick, duration, buyers, units }: Flags): Promise<number> {
  const plan = planFlashSale({
    run: randomBytes(4).toString('hex'),
    seed,
    buyers: buyers ?? (quick ? 4_000 : 20_000),
    units: units ?? (quick ? 200 : 1_000),
    durationSeconds: duration ?? (quick ? 15 : 60),
  });
  const setup = { replicas: 2, signal: interrupted.signal, say };
  const outcome = await withLoadRun(setup, (run) => runFlashSale(plan, run));
  const { summary, findings, unexpected } = outcome;
  const budgets = readBudgets().flashSale;
  const failures = failuresOfSale(summary, budgets.most);
  for (const { check, subject, detail } of findings.slice(0, FINDINGS_SHOWN_MAX)) {
    console.error(`${check}: ${subject}: ${detail}`);
  }
  if (findings.length > FINDINGS_SHOWN_MAX) console.error(`… and ${findings.length - FINDINGS_SHOWN_MAX} more`);
  for (const line of unexpected) console.error(`unexpected answer: ${line}`);
  writeJson(json, summary);
  console.log(`holds: ${showP99(summary.p99_ms, budgets.p99Ms.hold)}`);
  for (const line of saleLines(summary, outcome.units, failures)) console.log(line);
  return failures.length === 0 ? 0 : 1;
}

const program = new Command('load')
  .description('Runs a k6 scenario against Onepool on this machine, which is started when it does not run.')
  .exitOverride();
let work: Promise<number> | undefined;

function command(name: string, description: string, action: (flags: Flags) => Promise<number>): Command {
  return program
    .command(name)
    .description(description)
    .option('--json <file>', 'write the result there as flat JSON')
    .option('--seed <n>', 'decides what is sent', integer(0, 2_147_483_647), 1)
    .option('--duration <s>', 'seconds that arrivals go on', integer(2, 3_600))
    .option('--quick', 'smaller and shorter', false)
    .exitOverride()
    .action((flags: Flags) => void (work = action(flags)));
}
command('smoke', 'A little of everything at a low rate; each answer is checked.', smoke);
command('flash-sale', 'Many buyers for few units of one SKU, two replicas, an audit afterwards.', flashSale)
  .option('--buyers <n>', 'how many come', integer(1, 1_000_000))
  .option('--units <n>', 'how many units there are', integer(1, 1_000_000));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error('Interrupted.')));
}

/** 0 passes, 1 does not, 2 could not be done, 130 was interrupted. */
async function main(): Promise<number> {
  try {
    program.parse();
    return (await work) ?? 2;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}

process.exitCode = await main();
