import { afterEach, describe, expect, it } from '@jest/globals';
import { commitPoint, committing } from './commit-point.ts';
import { failpoint, installFailpoints, variant } from './failpoint.ts';
import { FAILPOINTS_VARIABLE, FOR_TESTS, strayFailpoints } from './stray-failpoints.ts';

const NONE = { pass: () => undefined, isPlanted: () => false };

afterEach(() => installFailpoints(null));

describe('failpoints', () => {
  it('do nothing and are not waited for while nobody is installed', () => {
    expect(failpoint('spec.place')).toBeUndefined();
    expect(variant('spec.bug')).toBe(false);
  });

  it('ask whoever is installed, by name', () => {
    const passed: string[] = [];
    installFailpoints({ pass: (name) => void passed.push(name), isPlanted: (name) => name === 'spec.bug' });
    void failpoint('spec.place');
    expect(passed).toEqual(['spec.place']);
    expect([variant('spec.bug'), variant('spec.other')]).toEqual([true, false]);
  });
});

describe('a commit', () => {
  it('is passed before and after, and holds up whoever waits for its result', async () => {
    const events: string[] = [];
    installFailpoints({
      pass: async (name) => {
        await Promise.resolve();
        events.push(name);
      },
      isPlanted: () => false,
    });
    const result = await committing(commitPoint('spec.save'), async () => void events.push('committed'));
    expect(result).toBeUndefined();
    expect(events).toEqual(['spec.save.before_commit', 'committed', 'spec.save.after_commit']);
  });

  it('is not passed after it failed', async () => {
    const passed: string[] = [];
    installFailpoints({ ...NONE, pass: (name) => void passed.push(name) });
    await expect(committing(commitPoint('spec.save'), () => Promise.reject(new Error('refused')))).rejects.toThrow();
    expect(passed).toEqual(['spec.save.before_commit']);
  });
});

describe('a program', () => {
  const marked = { argv: ['node', 'main.js', FOR_TESTS], env: { [FAILPOINTS_VARIABLE]: 'spec.place=kill' } };
  const ordinary = { argv: ['node', 'main.js'], env: {} };

  it('runs without failpoints, and with them when it was started for tests', () => {
    expect(strayFailpoints(ordinary)).toBeNull();
    installFailpoints(NONE);
    expect(strayFailpoints(marked)).toBeNull();
  });

  it.each([
    ['they are named and nobody is installed', { ...ordinary, env: marked.env }, false],
    ['somebody is installed in a program that was not started for tests', ordinary, true],
    ['they are named and installed, yet it was not started for tests', { ...ordinary, env: marked.env }, true],
    ['it was started for tests and nobody is installed', marked, false],
    ['it was started for tests without being told which', { ...marked, env: {} }, true],
  ])('is not to run when %s', (_title, program, isInstalled) => {
    if (isInstalled) installFailpoints(NONE);
    expect(strayFailpoints(program)).toMatch(/^Failpoints break .*\.$/);
  });
});
