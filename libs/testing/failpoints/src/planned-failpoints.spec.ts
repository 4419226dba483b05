import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { commitPoint, committing, failpoint, variant } from '@onepool/platform-failpoints';
import { FailpointError } from './planned-failpoints.ts';
import { plantFailpoints } from './plant-failpoints.ts';

const SKUS = commitPoint('catalog.skus');

describe('planned failpoints', () => {
  let planted: ReturnType<typeof plantFailpoints>;
  afterEach(() => planted.remove());

  it('hold one passing until it is released, and let others go on', async () => {
    planted = plantFailpoints(`${SKUS.before}=hold@2`);
    const events: string[] = [];
    await committing(SKUS, async () => void events.push('first'));
    const held = committing(SKUS, async () => void events.push('second'));
    await planted.reached(SKUS.before);
    await committing(SKUS, async () => void events.push('third'));
    expect(events).toEqual(['first', 'third']);
    planted.release(SKUS.before);
    await held;
    expect(events).toEqual(['first', 'third', 'second']);
    expect(planted.hits(SKUS.after)).toBe(3);
  });

  it('fail one passing, after which nothing is committed', async () => {
    planted = plantFailpoints(`${SKUS.before}=throw`);
    let commits = 0;
    const commit = () => committing(SKUS, async () => void (commits += 1));
    await expect(commit()).rejects.toThrow(FailpointError);
    await commit();
    expect(commits).toBe(1);
  });

  it('make each passing take its time', async () => {
    planted = plantFailpoints(`${SKUS.after}=delay:1`);
    const held = failpoint(SKUS.after);
    expect(held).toBeInstanceOf(Promise);
    await held;
  });

  it('turn on the bugs that are planted, and no others, until they are removed', () => {
    planted = plantFailpoints('stock.answers_unwritten=planted');
    expect([variant('stock.answers_unwritten'), variant('stock.rules_before_locks')]).toEqual([true, false]);
    planted.remove();
    expect(variant('stock.answers_unwritten')).toBe(false);
  });
});

/** Passes a failpoint three times and says so. */
const PROGRAM = `
  import { failpoint } from '@onepool/platform-failpoints';
  for (const passing of [1, 2, 3]) { await failpoint('catalog.skus.after_commit'); console.log(passing); }
`;

describe('a program that is started with the installer', () => {
  let killed: string;
  beforeAll(() => void (killed = mkdtempSync(join(tmpdir(), 'onepool-killed-'))));
  afterAll(() => rmSync(killed, { recursive: true }));

  async function run(plan: string): Promise<{ ending: unknown; told: string }> {
    const install = join(import.meta.dirname, 'install.ts');
    const args = ['--conditions=@onepool/source', '--import', install, '--input-type=module', '--eval', PROGRAM];
    const child = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      env: { ...process.env, ONEPOOL_FAILPOINTS: plan, ONEPOOL_FAILPOINTS_KILLED: killed },
    });
    let told = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += String(text)));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { ending: signal ?? code, told };
  }

  it('is killed at the passing that was named, and lives when it is started again', async () => {
    const plan = 'catalog.skus.after_commit=kill@2';
    expect(await run(plan)).toEqual({ ending: 'SIGKILL', told: '1\n' });
    expect(readFileSync(join(killed, 'catalog.skus.after_commit'), 'utf8')).toMatch(/^passing 2 of \d+\n$/);
    expect(await run(plan)).toEqual({ ending: 0, told: '1\n2\n3\n' });
  });

  it('says what it cannot follow in one line, and does nothing', async () => {
    const { ending, told } = await run('catalog.skus=kill');
    expect({ ending, lines: told.trimEnd().split('\n').length }).toEqual({ ending: 1, lines: 1 });
    expect(told).toContain('catalog.skus=kill');
  });
});
