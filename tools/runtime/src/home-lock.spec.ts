import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HomeLockedError, lockHome } from './home-lock.ts';
import { identify } from './runtime-record.ts';

const { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = { ...fs };

/** Called after each change that the code under test makes to files, and after each look: there others may come between. */
let afterStep: (() => void) | undefined;
const watched = <F extends (...args: never[]) => unknown>(step: F): F =>
  ((...args: never[]) => {
    try {
      return step(...args);
    } finally {
      afterStep?.();
    }
  }) as F;
const { renameSync, rmdirSync } = fs;
const real = { linkSync, mkdirSync, readFileSync, renameSync, rmSync, rmdirSync };
const replaceIn = (functions: typeof real): void => {
  Object.assign(fs, functions);
  syncBuiltinESMExports();
};
beforeAll(() =>
  replaceIn({
    linkSync: watched(linkSync),
    mkdirSync: watched(mkdirSync),
    readFileSync: watched(readFileSync),
    renameSync: watched(renameSync),
    rmSync: watched(rmSync),
    rmdirSync: watched(rmdirSync),
  }),
);
afterAll(() => replaceIn(real));

/** More than taking a dead lock takes. */
const STEPS_MAX = 10;

describe('lockHome', () => {
  let home: string;
  let file: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'onepool-lock-'));
    file = join(home, 'runtime.lock');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const heldBy = (owner: object): void => writeFileSync(file, JSON.stringify(owner));
  const isHeldHere = (): boolean => existsSync(file) && readFileSync(file, 'utf8').includes(`"pid":${process.pid},`);
  const dead = (): { pid: number; startedAt: string } => ({ pid: spawnSync('true').pid, startedAt: '1' });

  it('is taken, and given back without a trace', async () => {
    const lock = await lockHome(file, undefined);
    expect(existsSync(file)).toBe(true);
    lock.release();
    expect(readdirSync(home)).toEqual([]);
  });

  it('is refused while a living process holds it and means to go on', async () => {
    heldBy({ ...identify(process.ppid), launcher: identify(process.pid), stopping: false });
    await expect(lockHome(file, undefined)).rejects.toThrow(HomeLockedError);
    await expect(lockHome(file, undefined)).rejects.toThrow(/ONEPOOL_HOME/);
  });

  it.each([
    ['of a process that is dead', () => JSON.stringify(dead())],
    ['whose number belongs to a younger process', () => JSON.stringify({ ...identify(process.ppid), startedAt: '1' })],
    ['cut short', () => '{"pid":'],
  ])('is broken when it is one %s', async (_case, content) => {
    writeFileSync(file, content());
    const lock = await lockHome(file, undefined);
    lock.release();
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    ['says that it stops', { stopping: true }],
    ['has lost its launcher', { launcher: { pid: 2 ** 22 + 1, startedAt: '1' }, stopping: false }],
  ])('is waited for while its owner %s', async (_case, facts) => {
    const owner = spawn('sleep', ['60']);
    heldBy({ ...identify(owner.pid!), ...facts });
    const waiting = lockHome(file, undefined);
    owner.kill();
    (await waiting).release();
  });

  it('is never taken from a living owner, wherever in the break of a dead lock others come between', async () => {
    const rival = join(home, 'rival');
    writeFileSync(rival, JSON.stringify(identify(process.ppid)));
    for (let turn = 1; turn <= STEPS_MAX; turn += 1) {
      heldBy(dead());
      let isRivalsOwn = false;
      let wasTakenAway = false;
      let steps = 0;
      afterStep = () => {
        if (isRivalsOwn)
          wasTakenAway ||= !existsSync(file) || readFileSync(file, 'utf8') !== readFileSync(rival, 'utf8');
        steps += 1;
        if (steps !== turn || isHeldHere() || existsSync(`${file}.breaking`)) return;
        // The rival breaks the dead lock and takes it.
        rmSync(file, { force: true });
        linkSync(rival, file);
        isRivalsOwn = true;
      };
      const outcome = await lockHome(file, undefined).catch((error: unknown) => error);
      afterStep = undefined;
      expect({ turn, wasTakenAway }).toEqual({ turn, wasTakenAway: false });
      expect(outcome instanceof HomeLockedError).toBe(isRivalsOwn);
      rmSync(file);
    }
  });

  it('says which file to remove when a start was killed while it removed a dead lock', async () => {
    heldBy(dead());
    mkdirSync(`${file}.breaking`);
    await expect(lockHome(file, undefined)).rejects.toThrow(/runtime\.lock\.breaking.*Remove/);
  });

  it('is taken by one of many who find it abandoned at once', async () => {
    heldBy(dead());
    // All belong to this process here, so the losers see a living owner.
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => lockHome(file, undefined)));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
