import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HomeLockedError, lockHome } from './home-lock.ts';
import { identify } from './runtime-record.ts';

describe('lockHome', () => {
  let home: string;
  let file: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'onepool-lock-'));
    file = join(home, 'runtime.lock');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const heldBy = (owner: object): void => writeFileSync(file, JSON.stringify(owner));
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

  it('is taken by one of many who find it abandoned at once', async () => {
    heldBy(dead());
    // All belong to this process here, so the losers see a living owner.
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => lockHome(file, undefined)));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
