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
import { WORKLOADS } from './protocol.ts';
import type { Workload } from './protocol.ts';
import { Side } from './side.ts';
import { presentTree, treeOf } from './trees.ts';

const SETUP_SECONDS = 40;
/** What is compiled and cached during it is not counted. */
const WARM_SECONDS = 3;

async function takeTurns(
  sides: Readonly<Record<SideName, Side>>,
  workloads: readonly Workload[],
  { rounds, seconds }: CompareOptions,
  progress: Progress,
): Promise<readonly Compared[]> {
  const taken = new Map<Workload, Taken>();
  for (const workload of workloads) taken.set(workload, { before: [], after: [] });
  for (let round = -1; round < rounds; round += 1) {
    const warming = round < 0;
    const order = round % 2 === 0 ? SIDES : [...SIDES].reverse();
    for (const workload of workloads) {
      for (const name of order) {
        const length = warming ? WARM_SECONDS : seconds;
        const what = `${workload}, ${sides[name].label}`;
        progress.step(warming ? `warming up: ${what}` : `round ${round + 1} of ${rounds}: ${what}`, length);
        const figures = await sides[name].ask({ ask: 'turn', workload, seconds: length, seed: round + 2 });
        if (figures !== undefined && !warming) taken.get(workload)?.[name].push(figures);
      }
    }
  }
  return [...taken].flatMap(([workload, turns]) => pair(workload, turns));
}

/** Measures and prints. @throws WrongResultsError when a side's results are wrong. */
export async function compare(options: CompareOptions): Promise<void> {
  const workloads = options.groups.flatMap((group) => WORKLOADS[group]);
  const trees = {
    before: await treeOf(options.revision, options.home, console.log),
    after:
      options.against === undefined ? await presentTree() : await treeOf(options.against, options.home, console.log),
  };
  const total = SETUP_SECONDS + workloads.length * 2 * (WARM_SECONDS + options.rounds * options.seconds);
  console.log(`This takes about ${Math.max(1, Math.round(total / 60))} min on a quiet machine.`);
  const progress = showProgress(total);
  const started: Side[] = [];
  const start = async (name: SideName): Promise<Side> => {
    const node = name === 'before' ? (options.node ?? process.execPath) : process.execPath;
    const side = await Side.start(trees[name], node, options.home);
    started.push(side);
    await side.ask({ ask: 'prepare', groups: options.groups });
    return side;
  };
  const stopAll = (): Promise<unknown> => Promise.all(started.map((side) => side.stop()));
  const interrupted = (): void => void stopAll().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    progress.step('starting servers and filling 10,000 SKUs × 10 nodes on either side', SETUP_SECONDS);
    const sides = { before: await start('before'), after: await start('after') };
    const compared = await takeTurns(sides, workloads, options, progress);
    for (const side of started) await side.ask({ ask: 'finish' });
    progress.end();
    tell(compared, trees.before.label, trees.after.label, options);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    progress.end();
    await stopAll();
  }
}

function tell(compared: readonly Compared[], before: string, after: string, options: CompareOptions): void {
  const nodes = options.node === undefined ? process.version : `${options.node} before, ${process.version} after`;
  console.log(`${before} before, ${after} after; ${options.rounds} rounds of ${options.seconds} s; Node: ${nodes}`);
  console.log(comparedTable(compared));
  const worst = Math.max(
    ...compared.filter(({ cost }) => cost === 'both CPU µs').map((one) => spreadOf(one.ratios).median),
  );
  console.log(`Largest median of CPU an operation, after over before: ${shown(worst)}.`);
  if (options.json === undefined) return;
  const figures = compared.map((one) => ({ ...one, ratio: spreadOf(one.ratios) }));
  writeFileSync(options.json, `${JSON.stringify({ before, after, ...options, figures }, null, 2)}\n`);
}
