import { describe, expect, it } from '@jest/globals';
import { commitNames, plantedBugs } from '@onepool/testing-failpoints';
import { BUG_TRIALS } from './bugs/index.ts';
import { NOT_DRILLED, drilledCommits, hitOf } from './kills/try-kill.ts';
import { allTrials, sampleOfTrials } from './trial.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

describe('all trials', () => {
  const trials = allTrials(1);
  const claimsOf = (bug: string): string[] => trials.filter(({ name }) => name === bug).map(({ claim }) => claim);

  it('try each planted bug with it, without it, and under unit specs', () => {
    const claims = ['caught from outside', 'nothing seen without it', 'unit specs green with it'];
    expect(Object.fromEntries(plantedBugs.map((bug) => [bug, claimsOf(bug)]))).toEqual(
      Object.fromEntries(plantedBugs.map((bug) => [bug, claims])),
    );
  });

  it('kill before and after each commit, but for those that are told not to be tried', () => {
    const killed = trials.flatMap(({ name }) => [...name.matchAll(/([\w.]+)\.(before|after)_commit@/g)]);
    const moments = killed.map(([, commit, moment]) => `${commit} ${moment}`).sort();
    expect(moments).toEqual(drilledCommits.flatMap((commit) => [`${commit} after`, `${commit} before`]).sort());
    expect([...drilledCommits, ...Object.keys(NOT_DRILLED)].sort()).toEqual([...commitNames].sort());
  });

  it('are only those that were asked for, if any were', () => {
    const only = allTrials(1, ['stock.batch', 'stock.rules_before_locks']).map(({ claim }) => claim);
    expect(only).toHaveLength(4);
  });
});

describe('a sample', () => {
  it('is two bugs and two kills, and another seed gives another', () => {
    for (const seed of SEEDS) {
      const [one, other, kills, ...more] = sampleOfTrials(seed);
      expect(new Set([one?.name, other?.name]).size).toBe(2);
      expect(kills?.name.split(', ')).toHaveLength(2);
      expect(more).toEqual([]);
    }
  });

  it('gives everything a turn', () => {
    const names = SEEDS.flatMap((seed) => sampleOfTrials(seed).map(({ name }) => name)).join(' ');
    const ofSystems = BUG_TRIALS.map(({ bug }) => bug);
    expect([...ofSystems, ...drilledCommits].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('is the same for the same seed', () => {
    const namesOf = (seed: number): string[] => sampleOfTrials(seed).map(({ name }) => name);
    expect(SEEDS.map(namesOf)).toEqual(SEEDS.map(namesOf));
  });
});

describe('the passing at which a process is killed', () => {
  it('is one that a process reaches: the first of what it does once, one of the first otherwise', () => {
    const most = (commit: Parameters<typeof hitOf>[0]): number => Math.max(...SEEDS.map((seed) => hitOf(commit, seed)));
    const least = (commit: Parameters<typeof hitOf>[0]): number =>
      Math.min(...SEEDS.map((seed) => hitOf(commit, seed)));
    expect([least('messaging.relay_partitions'), most('messaging.relay_partitions')]).toEqual([1, 1]);
    expect([least('stock.feed_reset'), most('stock.feed_reset')]).toEqual([1, 2]);
    expect([least('stock.batch'), most('stock.batch') > 30]).toEqual([1, true]);
  });
});
