import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runStep } from './run-step.ts';

describe('a step, while the environment names servers', () => {
  const servers = { DATABASE_URL: 'no address', DATABASE_OWNER_URL: 'no address', NATS_URL: 'no address' };
  const root = join(import.meta.dirname, '../../..');
  const step = {
    title: 'prints what it was told',
    npm: ['exec', '-c', 'env | grep -E "^(STEP_SPEC|DATABASE_|NATS_)"'],
  };
  let place = '';

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'onepool-step-'));
    Object.assign(process.env, servers, { STEP_SPEC: 'kept' });
  });
  afterEach(() => {
    for (const name of [...Object.keys(servers), 'STEP_SPEC']) Reflect.deleteProperty(process.env, name);
    rmSync(place, { recursive: true });
  });

  const settingOn = (home: string) => ({
    root,
    home,
    logFile: join(place, 'step.log'),
    signal: new AbortController().signal,
  });

  it('hears of none of them, and of everything else', async () => {
    expect(await runStep(step, settingOn(join(place, 'home')))).toMatchObject({ passed: true });
    const told = readFileSync(join(place, 'step.log'), 'utf8');
    expect(told).toMatch(/^STEP_SPEC=kept$/m);
    expect(told).not.toContain('no address');
  });

  it('gets a system that hears of none of them either', async () => {
    // The runtime reads all of its settings first, so a home that it cannot use ends it soon afterwards.
    const home = join(place, 'file');
    writeFileSync(home, '');
    const { passed, lastLine } = await runStep({ ...step, needsSystem: true }, settingOn(home));
    expect(passed).toBe(false);
    expect(lastLine).toContain(home);
    expect(lastLine).not.toMatch(/DATABASE|NATS/);
  });
});
