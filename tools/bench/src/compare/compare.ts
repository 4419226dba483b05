/**
 * `npm run bench -- compare REV`: whether a change made the product slower. Both revisions run at the same time, each with
 * servers of its own, and take turns under the same load; which of them begins changes with every round. What is
 * compared is CPU time an operation, round by round, since rates of single turns swing with whatever else the machine does.
 */
import { writeFileSync } from 'node:fs';
import { spreadOf } from '../measuring/statistics.ts';
import { comparedTable, shown } from '../reporting/report.ts';
import { showProgress } from '../reporting/progress.ts';
import type { Progress } from '../reporting/progress.ts';
import type { CompareOptions } from '../options.ts';
import { type Compared, SIDES, type SideName, type Taken, pair } from './pair.ts';
import { type CompareGroup, WORKLOADS, type Workload } from './protocol.ts';
import { Side } from './side.ts';
import { type Tree, presentTree, treeOf } from './trees.ts';

/** Starting servers and filling tables, on both sides. */
const SETUP_SECONDS: Readonly<Record<CompareGroup, number>> = { reserve: 20, http: 25, feed: 60, scale: 60 };
/** What a turn takes however short it shall be: a feed is sent whole. */
const LEAST_SECONDS: Readonly<Record<CompareGroup, number>> = { reserve: 0, http: 1, feed: 15, scale: 0 };
/** What is compiled and cached during it is not counted. */
const WARM_SECONDS = 3;

type Trees = Readonly<Record<SideName, Tree>>;
type Sides = Readonly<Record<SideName, Side>>;

async function takeTurns(
  sides: Sides,
  group: CompareGroup,
  { roundsOf, seconds }: CompareOptions,
  progress: Progress,
): Promise<readonly Compared[]> {
  const rounds = roundsOf[group];
  const taken = new Map<Workload, Taken>();
  for (const workload of WORKLOADS[group]) taken.set(workload, { before: [], after: [] });
  for (let round = -1; round < rounds; round += 1) {
    const warming = round < 0;
    const order = round % 2 === 0 ? SIDES : [...SIDES].reverse();
    for (const workload of WORKLOADS[group]) {
      for (const name of order) {
        const length = warming ? WARM_SECONDS : seconds;
        const what = `${workload}, ${sides[name].label}`;
        const label = warming ? `warming up: ${what}` : `round ${round + 1} of ${rounds}: ${what}`;
        progress.step(label, Math.max(length, LEAST_SECONDS[group]));
        const figures = await sides[name].ask({ ask: 'turn', workload, seconds: length, seed: round + 2 });
        if (figures !== undefined && !warming) taken.get(workload)?.[name].push(figures);
      }
    }
  }
  return [...taken].flatMap(([workload, turns]) => pair(workload, turns));
}

/** Groups have servers of their own, one after the other: what one leaves behind must not be paid for by the next. */
async function compareGroup(
  group: CompareGroup,
  trees: Trees,
  options: CompareOptions,
  progress: Progress,
): Promise<readonly Compared[]> {
  const started: Side[] = [];
  const start = async (name: SideName): Promise<Side> => {
    const node = name === 'before' ? (options.node ?? process.execPath) : process.execPath;
    const side = await Side.start(trees[name], node, options.home);
    started.push(side);
    await side.ask({ ask: 'prepare', groups: [group] });
    return side;
  };
  const stopAll = (): Promise<unknown> => Promise.all(started.map((side) => side.stop()));
  const interrupted = (): void => void stopAll().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    progress.step(`${group}: starting servers and filling tables on either side`, SETUP_SECONDS[group]);
    const sides = { before: await start('before'), after: await start('after') };
    const compared = await takeTurns(sides, group, options, progress);
    for (const side of started) await side.ask({ ask: 'finish' });
    return compared;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await stopAll();
  }
}

function estimateSeconds({ groups, roundsOf, seconds }: CompareOptions): number {
  const turn = (group: CompareGroup, length: number): number => Math.max(length, LEAST_SECONDS[group]);
  const ofGroup = (group: CompareGroup): number =>
    SETUP_SECONDS[group] +
    WORKLOADS[group].length * 2 * (turn(group, WARM_SECONDS) + roundsOf[group] * turn(group, seconds));
  return groups.reduce((sum, group) => sum + ofGroup(group), 0);
}

/** Measures and prints. @throws WrongResultsError when a side's results are wrong. */
export async function compare(options: CompareOptions): Promise<void> {
  const { groups, home } = options;
  const before = await treeOf(options.revision, groups, home, console.log);
  const after =
    options.against === undefined ? await presentTree() : await treeOf(options.against, groups, home, console.log);
  const total = estimateSeconds(options);
  console.log(`This takes about ${Math.max(1, Math.round(total / 60))} min on a quiet machine.`);
  const progress = showProgress(total);
  const compared: Compared[] = [];
  try {
    for (const group of groups) compared.push(...(await compareGroup(group, { before, after }, options, progress)));
  } finally {
    progress.end();
  }
  tell(compared, before.label, after.label, options);
}

function tell(compared: readonly Compared[], before: string, after: string, options: CompareOptions): void {
  const nodes = options.node === undefined ? process.version : `${options.node} before, ${process.version} after`;
  const rounds = options.groups.map((group) => `${options.roundsOf[group]} of ${group}`).join(', ');
  console.log(`${before} before, ${after} after; rounds of ${options.seconds} s: ${rounds}; Node: ${nodes}`);
  console.log(comparedTable(compared));
  const worst = Math.max(
    ...compared.filter(({ cost }) => cost === 'both CPU µs').map((one) => spreadOf(one.ratios).median),
  );
  console.log(`Largest median of CPU an operation, after over before: ${shown(worst)}.`);
  if (options.json === undefined) return;
  const figures = compared.map((one) => ({ ...one, ratio: spreadOf(one.ratios) }));
  writeFileSync(options.json, `${JSON.stringify({ before, after, ...options, figures }, null, 2)}\n`);
}
