import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partsFor, plan } from './parts.ts';

const workspace = join(import.meta.dirname, '../../..');
const trace = 'docs/examples/online-retail-excerpt.csv';
const parts = partsFor(trace);
const sumOf = (planned: ReturnType<typeof plan>): number =>
  planned.reduce((sum, { part, turns }) => sum + part.turnMinutes * turns, 0);

describe('the parts of the verification', () => {
  it('run scripts that there are, on a trace that there is', () => {
    const { scripts } = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = parts.map((part) => part.turn(0, 1).npm).map(([verb, name]) => (verb === 'run' ? name : verb));
    expect(named.filter((name) => name === undefined || !(name in scripts))).toEqual([]);
    expect(existsSync(join(workspace, trace))).toBe(true);
  });

  it('get another seed in another turn, and print it', () => {
    const kills = parts.find(({ name }) => name === 'kills');
    expect(kills?.turn(0, 7).npm).toContain('7');
    expect(kills?.turn(1, 8).title).toContain('seed 8');
  });

  it('meet pairwise in four clones: each user, Node and cache with each of the others', () => {
    const clones = parts.find(({ name }) => name === 'clones');
    const options = [0, 1, 2, 3].map((turn) => clones?.turn(turn, 1).npm.filter((_, index) => index % 2 === 0) ?? []);
    const chosen = options.map((words) => words.slice(-3));
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      expect(new Set(chosen.map((words) => `${words[a]} ${words[b]}`)).size).toBe(4);
    }
  });
});

describe('the plan', () => {
  it('gives every part a turn in the 40 minutes of a sample', () => {
    expect(plan(parts, 40).map(({ part }) => part.name)).toEqual(parts.map(({ name }) => name));
  });

  it('never takes longer than it may, and leaves no time in which a turn would fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120 }), fc.subarray([...parts]), (minutes, some) => {
        const planned = plan(some, minutes);
        const left = minutes - sumOf(planned);
        expect(left).toBeGreaterThanOrEqual(-1e-9);
        expect(some.filter(({ turnMinutes }) => turnMinutes < left - 1e-9)).toEqual([]);
      }),
    );
  });

  it('fills the time with turns of a part that is alone', () => {
    const sales = parts.filter(({ name }) => name === 'sales');
    expect(plan(sales, 40)).toEqual([{ part: sales[0], turns: 26 }]);
  });
});
