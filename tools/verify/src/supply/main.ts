/** `npm run verify -- supply`: see README.md. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { SourceCopy } from './copy.ts';
import { HISTORIES_SPEC, playHistories, runSpecs } from './histories.ts';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';

const root = join(import.meta.dirname, '../../../..');
const HISTORIES = 3_000;
/** Enough to find each planted bug. */
const HISTORIES_WITH_BUG = 150;

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number is needed');
  return value;
}

const program = new Command('npm run verify -- supply')
  .description('Plays histories on engines and a database, against the simple model of the pool.')
  .option('--histories <n>', `how many; ${HISTORIES} unless told, ${HISTORIES_WITH_BUG} with a bug`, integer)
  .option('--seed <n>', 'the seed of a run before', integer)
  .option('--bugs', 'plant one bug after the other, and see whether each is caught')
  .option('--only <text>', 'only bugs whose name has it');

const {
  histories,
  seed = randomInt(2 ** 31),
  bugs,
  only = '',
} = program
  .parse(process.argv.slice(process.argv[2] === 'supply' ? 3 : 2), { from: 'user' })
  .opts<{ histories?: number; seed?: number; bugs?: true; only?: string }>();

const tableOf = (...head: string[]): Table.Table => new Table({ head, style: { head: [], border: [] } });

async function play(count: number): Promise<boolean> {
  console.log(`${count} histories, seed ${seed}.`);
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total}  {eta_formatted} left',
    barsize: 40,
    hideCursor: true,
    noTTYOutput: !process.stdout.isTTY,
    notTTYSchedule: 20_000,
  });
  bar.start(count, 0);
  const onPlayed = (played: number): void => bar.update(played);
  const { passed, played, tally, output } = await playHistories({ root, histories: count, seed, onPlayed });
  bar.stop();
  const table = tableOf('what', 'became', 'times');
  for (const [name, times] of tally) {
    const [what = '', became = ''] = name.split(': ');
    table.push([what, became, times]);
  }
  console.log(table.toString());
  if (!passed) console.log(output.slice(-8_000));
  const steps = tally.reduce((sum, [, times]) => sum + times, 0);
  console.log(`${passed ? 'PASS' : 'FAIL'}: ${played} histories with ${steps} steps, seed ${seed}`);
  return passed;
}

/** Who has caught it; null if nobody. */
async function catcherOf(copy: SourceCopy, { specs }: PlantedBug): Promise<string | null> {
  if (specs !== undefined) {
    const { code, output } = await runSpecs(copy.root, specs);
    return code === 0 ? null : `${specs}: ${/^\s+● (.*)$/m.exec(output)?.[1] ?? 'failed'}`;
  }
  const count = histories ?? HISTORIES_WITH_BUG;
  const { passed, output } = await playHistories({ root: copy.root, histories: count, seed });
  return passed ? null : `${HISTORIES_SPEC}: ${/^\s+(history \d+(?: at once)?: .*)$/m.exec(output)?.[1] ?? 'failed'}`;
}

async function plant(): Promise<boolean> {
  const chosen = PLANTED_BUGS.filter(({ name }) => name.includes(only));
  console.log(`${chosen.length} bugs, seed ${seed}.`);
  const table = tableOf('', 'bug', 'caught by', 'seconds');
  let missed = 0;
  using copy = new SourceCopy(root);
  for (const bug of chosen) {
    const begun = performance.now();
    const caught = await copy.with(bug, () => catcherOf(copy, bug));
    const seconds = Math.round((performance.now() - begun) / 1_000);
    if (caught === null) missed++;
    console.log(`${caught === null ? 'FAIL' : 'PASS'}  ${bug.name} (${seconds} s): ${caught ?? 'not caught'}`);
    table.push([caught === null ? 'FAIL' : 'PASS', bug.name, (caught ?? 'nobody').slice(0, 100), seconds]);
  }
  console.log(table.toString());
  console.log(`${chosen.length - missed} of ${chosen.length} bugs caught; seed ${seed}`);
  return missed === 0;
}

process.exitCode = (await (bugs ? plant() : play(histories ?? HISTORIES))) ? 0 : 1;
