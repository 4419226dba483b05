/** What is tried, each on a system of its own, and what it came to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { PlantedBug } from '@onepool/testing-failpoints';
import { ROOT, cleanEnvironment } from '../child.ts';
import { BUG_TRIALS, type BugTrial, SIMULATED_BUGS, type SimulatedBug } from './bugs/index.ts';
import { type Kill, drilledCommits, hitOf, tryKills } from './kills/try-kill.ts';
import { tryBug } from './try-bug.ts';

export interface Verdict {
  readonly passed: boolean;
  readonly said: string;
}

export interface Trial {
  readonly name: string;
  /** What is expected of it. */
  readonly claim: string;
  readonly run: (say: (message: string) => void) => Promise<Verdict>;
}

const verdict = (passed: boolean, said: readonly string[], otherwise: string): Verdict => ({
  passed,
  said: said.length > 0 ? said.join('; ') : otherwise,
});

const caught = (trial: BugTrial): Trial => ({
  name: trial.bug,
  claim: 'caught from outside',
  run: async (say) => {
    const found = await tryBug(trial, true, say);
    return verdict(found.length > 0, found, 'nothing was seen');
  },
});

const sound = (trial: BugTrial): Trial => ({
  name: trial.bug,
  claim: 'nothing seen without it',
  run: async (say) => {
    const found = await tryBug(trial, false, say);
    return verdict(found.length === 0, found, 'nothing was seen');
  },
});

const unseen = (bug: PlantedBug): Trial => ({
  name: bug,
  claim: 'unit specs green with it',
  run: async () => {
    const { isGreen, said } = await runSpecs(`${libraryOf(bug)}/src/.*\\.spec\\.ts$`, bug);
    return { passed: isGreen, said };
  },
});

const caughtBySimulation = ({ bug, simulation }: SimulatedBug): Trial => ({
  name: bug,
  claim: 'caught from outside',
  run: async () => {
    const { isGreen, said } = await runSpecs(simulation, bug);
    return { passed: !isGreen, said };
  },
});

const soundInSimulation = ({ bug, simulation }: SimulatedBug): Trial => ({
  name: bug,
  claim: 'nothing seen without it',
  run: async () => {
    const { isGreen, said } = await runSpecs(simulation);
    return { passed: isGreen, said };
  },
});

const survived = (kills: readonly Kill[]): Trial => ({
  name: kills.map(({ commit, moment, hit }) => `${commit}.${moment}@${hit}`).join(', '),
  claim: 'killed, nothing lost or doubled',
  run: async (say) => {
    const found = await tryKills(kills, say);
    return verdict(found.length === 0, found, 'the book, the ledger and every fact agree');
  },
});

/** Whether these words are among a trial's names, or there are none. */
const isMeant = (only: readonly string[] | undefined, name: string): boolean =>
  only === undefined || only.includes(name);

/** Everything: each bug with it, without it and under specs, and each commit with a kill before and one after it. */
export function allTrials(seed: number, only?: readonly string[]): readonly Trial[] {
  const bugs = BUG_TRIALS.filter(({ bug }) => isMeant(only, bug)).flatMap((trial) => [
    caught(trial),
    sound(trial),
    unseen(trial.bug),
  ]);
  const simulated = SIMULATED_BUGS.filter(({ bug }) => isMeant(only, bug)).flatMap((trial) => [
    caughtBySimulation(trial),
    soundInSimulation(trial),
    unseen(trial.bug),
  ]);
  const kills = drilledCommits
    .filter((commit) => isMeant(only, commit))
    .map((commit, index) =>
      survived([
        { commit, moment: 'before_commit', hit: hitOf(commit, seed + index) },
        { commit, moment: 'after_commit', hit: hitOf(commit, seed + index + 1) },
      ]),
    );
  return [...bugs, ...simulated, ...kills];
}

/** Two bugs of a whole system, and two kills on one, chosen by the seed. Simulations take minutes to find theirs. */
export function sampleOfTrials(seed: number): readonly Trial[] {
  const bugs = twoOf(BUG_TRIALS, seed).map(caught);
  const kills = twoOf(drilledCommits, seed).map((commit, index): Kill => ({
    commit,
    moment: (seed + index) % 2 === 0 ? 'before_commit' : 'after_commit',
    hit: hitOf(commit, seed),
  }));
  return [...bugs, survived(kills)];
}

/** Two neighbours, one further with each seed: after as many seeds as there are items each has had two turns. */
const twoOf = <T>(items: readonly T[], seed: number): readonly T[] =>
  [0, 1].flatMap((offset) => items.slice((seed + offset) % items.length).slice(0, 1));

const LIBRARIES: Readonly<Record<string, string>> = {
  catalog: 'libs/catalog/data-access',
  client: 'libs/client',
  messaging: 'libs/platform/messaging',
  stock: 'libs/stock/data-access',
};

function libraryOf(bug: PlantedBug): string {
  const library = LIBRARIES[bug.split('.')[0] ?? ''];
  if (library === undefined) throw new Error(`It is not said which unit specs ${bug} has to leave green`);
  return library;
}

/** Lists of a simulation that looks for a bug; the tests of every day have fewer. */
const SIMULATED_LISTS = '4';

/** With the bug, if one is named. */
async function runSpecs(pattern: string, bug?: PlantedBug): Promise<{ isGreen: boolean; said: string }> {
  const planted = bug === undefined ? {} : { ONEPOOL_FAILPOINTS: `${bug}=planted` };
  const child = spawn('npm', ['test', '--', pattern], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...planted, MIRROR_RUNS: SIMULATED_LISTS, FORCE_COLOR: '0' },
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { isGreen: code === 0, said: /^Tests: +(.*)$/m.exec(told)?.[1] ?? told.slice(-300) };
}
