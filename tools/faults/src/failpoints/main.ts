/** `npm run failpoints`: see README.md of this tool. */
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import { plantedBugs } from '@onepool/testing-failpoints';
import { endStarted } from '../child.ts';
import { NOT_DRILLED, drilledCommits } from './kills/try-kill.ts';
import { clearStage } from './stage.ts';
import { type Trial, type Verdict, allTrials, sampleOfTrials } from './trial.ts';

interface Flags {
  readonly seed?: number;
  readonly only?: readonly string[];
  readonly sample: boolean;
  readonly share?: readonly [number, number];
}

const SEEDS = 1_000_000;
const names = [...plantedBugs, ...drilledCommits];

function integer(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number.');
}

function share(text: string): [number, number] {
  const [, part, parts] = /^([1-9]\d?)\/([1-9]\d?)$/.exec(text) ?? [];
  if (part !== undefined && Number(part) <= Number(parts)) return [Number(part), Number(parts)];
  throw new InvalidArgumentError('Which of how many, as 1/4.');
}

const program = new Command('failpoints')
  .description(
    'Plants each bug and sees whether it is caught from outside; kills a process at each commit and sees what is left.',
  )
  .option('--seed <n>', 'decides at which passing a process is killed, and the sample', integer)
  .option('--sample', 'two bugs and two kills only', false)
  .option('--share <i/n>', 'only the i-th of n shares', share)
  .addOption(new Option('--only <name...>', 'these bugs and commits only').choices(names));

const say = (message: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${message}`);

/** For what a trial removes when it is cut short. */
const LAST_MS = 3_000;
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (isInterrupted) return;
    isInterrupted = true;
    say('interrupted; stopping');
    void clearStage()
      .then(endStarted)
      .then(() => Promise.race([trials, delay(LAST_MS)]))
      .finally(() => process.exit(130));
  });
}

async function judge(trial: Trial): Promise<Verdict> {
  try {
    return await trial.run((message) => say(`  ${message}`));
  } catch (error) {
    return { passed: false, said: `could not be done: ${(error as Error).message}` };
  }
}

async function main({ sample, only, share: part, seed = Math.floor(Math.random() * SEEDS) }: Flags): Promise<number> {
  const all = sample ? sampleOfTrials(seed) : allTrials(seed, only);
  const chosen = part === undefined ? all : all.filter((_, index) => index % part[1] === part[0] - 1);
  say(`${chosen.length} trials, seed ${seed}`);
  const table = new Table({ head: ['', 'what', 'claim', 'seconds', 'what was seen'], style: { head: [], border: [] } });
  let failed = 0;
  for (const trial of chosen) {
    const begun = performance.now();
    say(`${trial.name}: ${trial.claim}?`);
    const { passed, said } = await judge(trial);
    if (isInterrupted) return 130;
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    say(`${passed ? 'PASS' : 'FAIL'} after ${seconds} s: ${said}`);
    table.push([passed ? 'PASS' : 'FAIL', trial.name, trial.claim, seconds, said.slice(0, 200)]);
    if (!passed) failed += 1;
  }
  console.log(table.toString());
  if (!sample && only === undefined)
    for (const [name, why] of Object.entries(NOT_DRILLED)) console.log(`NOT TRIED: ${name}: ${why}.`);
  console.log(`${chosen.length - failed} passed, ${failed} failed; seed ${seed}`);
  return failed === 0 ? 0 : 1;
}

const trials = main(program.parse().opts<Flags>());
process.exitCode = await trials;
