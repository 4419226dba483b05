import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, isPortFree } from '@onepool/platform-local-servers';
import { createTestDatabase, startTestNats } from '@onepool/testing-servers';
import type { TestDatabase, TestNats } from '@onepool/testing-servers';
import pg from 'pg';
import { ensureRunning } from './ensure-running.ts';
import { readRecord } from './runtime-record.ts';
import type { RuntimeRecord } from './runtime-record.ts';

const APP = `import { createServer } from 'node:http';
if (process.env.FIXTURE_BROKEN) { console.error('no stock today'); process.exit(3); }
createServer((_request, response) => response.end(JSON.stringify(process.env))).listen(Number(process.env.PORT), '127.0.0.1');
`;
// Whole systems start and stop here, and other specs use the machine at the same time.
jest.setTimeout(90_000);

const fixture = join(import.meta.dirname, 'runtime.fixture.ts');
const runtimes: ChildProcess[] = [];

let home: string;
let root: string;
let portBase: number;

interface RunningRuntime {
  readonly child: ChildProcess;
  output(): string;
  readonly exitCode: Promise<number | null>;
}

const variablesOf = () => ({ ONEPOOL_HOME: home, ONEPOOL_PORT_BASE: String(portBase), FIXTURE_ROOT: root });
const nodeArguments = (args: readonly string[]) => ['--conditions=@onepool/source', fixture, ...args];

function start(args: readonly string[] = [], variables: Record<string, string> = {}): RunningRuntime {
  const env = { ...process.env, ...variablesOf(), ...variables };
  const child = spawn(process.execPath, nodeArguments(args), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  runtimes.push(child);
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, exitCode };
}

async function until<T>(what: string, find: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 45_000;
  while (Date.now() < deadline) {
    const found = await find();
    if (found) return found;
    await delay(20);
  }
  throw new Error(`never came: ${what}`);
}

const record = (): RuntimeRecord | undefined => readRecord(join(home, 'runtime.json'));

async function startReady(
  args: readonly string[] = [],
  variables: Record<string, string> = {},
): Promise<RunningRuntime> {
  const runtime = start(args, variables);
  await until(`readiness; it said: ${runtime.output()}`, () => {
    if (runtime.child.exitCode !== null) throw new Error(`ended: ${runtime.output()}`);
    return runtime.output().includes('Onepool is ready.');
  });
  return runtime;
}

async function stop(runtime: RunningRuntime, signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
  runtime.child.kill(signal);
  return runtime.exitCode;
}

const pidOf = (name: string): number => record()!.processes[name]!.pid;
const answers = async (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/`).then(
    (response) => response.ok,
    () => false,
  );

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: record()!.databaseOwnerUrl! });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePortBase(): Promise<number> {
  for (let base = 21_000 + (process.pid % 500) * 40; ; base += 40) {
    const free = await Promise.all([1, 10, 11, 21].map((offset) => isPortFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
}

beforeAll(async () => {
  portBase = await freePortBase();
  root = mkdtempSync(join(tmpdir(), 'onepool-fixture-'));
  writeFileSync(join(root, 'app.mjs'), APP);
  // Below the run's own directory, so that its tear-down finds whatever a failed test leaves.
  home = mkdtempSync(join(process.env['ONEPOOL_TEST_HOME']!, 'runtime-'));
});

afterAll(() => rmSync(root, { recursive: true }));

afterEach(async () => {
  for (const child of runtimes.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  const pids = Object.values(record()?.processes ?? {}).map(({ pid }) => pid);
  await until('the end of every process', () => !pids.some(isAlive));
});

describe('the runtime', () => {
  it('brings everything up, says how to reach it, and leaves no process after Ctrl-C', async () => {
    const runtime = await startReady(['--replicas', 'availability=2']);
    const { processes, urls, ready } = record()!;
    expect(ready).toBe(true);
    expect(Object.keys(processes).sort()).toEqual(['availability-1', 'availability-2', 'nats', 'postgres']);
    expect(urls).toEqual({
      availability: [`http://127.0.0.1:${portBase + 1}`, `http://127.0.0.1:${portBase + 21}`],
    });
    expect(runtime.output()).toContain(readFileSync(join(home, 'dev-api-key'), 'utf8').trim());
    const told = (await (await fetch(urls['availability']![1]!)).json()) as Record<string, string>;
    const { databaseUrl, databaseOwnerUrl } = record()!;
    expect(told).toMatchObject({ ONEPOOL_INSTANCE: 'availability-2', LOG_LEVEL: 'info', DATABASE_URL: databaseUrl });
    expect(databaseOwnerUrl).not.toBe(databaseUrl);
    expect(Object.values(told)).not.toContain(databaseOwnerUrl);
    // Each app is a user of its own at NATS; the record, which only its owner reads, has the operator's address.
    expect([new URL(told.NATS_URL!).username, new URL(record()!.natsUrl!).username]).toEqual([
      'availability',
      'operator',
    ]);

    expect(await stop(runtime)).toBe(0);
    expect(Object.values(processes).filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(record()).toMatchObject({ ready: false, processes: {} });
  });

  it('starts again whatever is killed', async () => {
    const runtime = await startReady();
    for (const name of ['availability-1', 'nats', 'postgres']) {
      const before = pidOf(name);
      process.kill(before, 'SIGKILL');
      await until(`another ${name}`, () => (record()!.processes[name]?.pid ?? before) !== before);
    }
    await until('an answer', () => answers(portBase + 1));
    expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await stop(runtime, 'SIGTERM')).toBe(0);
  });

  it('adopts the servers and replaces the apps of a runtime that was killed', async () => {
    const killed = await startReady();
    const before = record()!.processes;
    killed.child.kill('SIGKILL');
    await killed.exitCode;
    expect(await answers(portBase + 1)).toBe(true);

    await startReady();
    const after = record()!.processes;
    expect([after['postgres']!.pid, after['nats']!.pid]).toEqual([before['postgres']!.pid, before['nats']!.pid]);
    expect(isAlive(before['availability-1']!.pid)).toBe(false);
    expect(await answers(portBase + 1)).toBe(true);
  });

  it('replaces everything when everything was killed', async () => {
    const killed = await startReady();
    await query('CREATE TABLE survivor AS SELECT 1 AS n');
    const before = Object.values(record()!.processes).map(({ pid }) => pid);
    killed.child.kill('SIGKILL');
    before.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await killed.exitCode;
    await startReady();
    expect(Object.values(record()!.processes).filter(({ pid }) => before.includes(pid))).toEqual([]);
    expect(await query('SELECT n FROM survivor')).toEqual([{ n: 1 }]);
  });

  it('never ends a stranger who got the number of a recorded process', async () => {
    const stranger = spawn('sleep', ['60'], { detached: true });
    const killed = await startReady();
    const was = record()!;
    killed.child.kill('SIGKILL');
    await killed.exitCode;
    const { 'availability-1': app, ...rest } = was.processes;
    process.kill(app!.pid, 'SIGKILL');
    const processes = { ...rest, 'availability-1': { ...app, pid: stranger.pid } };
    writeFileSync(join(home, 'runtime.json'), JSON.stringify({ ...was, processes }));
    await startReady();
    expect(isAlive(stranger.pid!)).toBe(true);
    stranger.kill();
  });

  it('refuses a second runtime on the same home', async () => {
    await startReady();
    const second = start();
    expect(await second.exitCode).toBe(1);
    expect(second.output()).toMatch(/already runs on .* \(process \d+\).*ONEPOOL_HOME/);
    expect(await answers(portBase + 1)).toBe(true);
  });

  it('is found by other tools, who leave it running when they are done', async () => {
    await startReady(['--replicas', 'availability=2']);
    const system = await ensureRunning({ replicas: 2, variables: variablesOf() });
    expect(system).toMatchObject({
      availabilityUrls: record()!.urls['availability'],
      natsUrl: record()!.natsUrl,
      apiKeyFile: join(home, 'dev-api-key'),
    });
    await system.stop();
    expect(await answers(portBase + 21)).toBe(true);
    await expect(ensureRunning({ replicas: 3, variables: variablesOf() })).rejects.toThrow('2 of the 3 processes');
  });

  it('stops when the npm that started it is killed, and a next start waits for that', async () => {
    const env = { ...process.env, ...variablesOf(), npm_lifecycle_event: 'start' };
    const command = [process.execPath, ...nodeArguments([])].join(' ');
    // The shell stands for npm: it starts the runtime and does not hand it a SIGKILL.
    const npm = spawn('/bin/sh', ['-c', `${command} & wait`], { env, stdio: 'ignore' });
    await until('readiness', () => record()?.ready && isAlive(record()!.runtime.pid));
    const { runtime, processes } = record()!;
    npm.kill('SIGKILL');
    await startReady();
    expect([runtime, ...Object.values(processes)].filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  it.each([
    [1, 'availability-1'],
    [10, 'postgres'],
    [11, 'nats'],
  ])('names a taken port (base +%d, %s) and how to choose others', async (offset, what) => {
    const stranger = createServer().listen(portBase + offset, '127.0.0.1');
    await once(stranger, 'listening');
    const runtime = start();
    expect(await runtime.exitCode).toBe(1);
    expect(runtime.output()).toContain(`Port ${portBase + offset}, which ${what} needs, is taken`);
    expect(runtime.output()).toContain('ONEPOOL_PORT_BASE');
    expect(record()!.processes).toEqual({});
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('keeps data over a second start, seeds once, and starts over only what is its own on --reset', async () => {
    writeFileSync(join(home, 'notes.txt'), 'not ours');
    const first = await startReady(['--reset']);
    const seedsBefore = seeds();
    await query('CREATE TABLE kept AS SELECT 1 AS n');
    const key = readFileSync(join(home, 'dev-api-key'), 'utf8');
    await stop(first);
    const second = await startReady();
    expect(await query('SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(readFileSync(join(home, 'dev-api-key'), 'utf8')).toBe(key);
    expect(seeds() - seedsBefore).toBe(0);
    await stop(second);
    await startReady(['--reset']);
    await expect(query('SELECT n FROM kept')).rejects.toMatchObject({ code: '42P01' });
    expect(seeds() - seedsBefore).toBe(1);
    expect(readFileSync(join(home, 'notes.txt'), 'utf8')).toBe('not ours');
  });

  it('does not seed when told not to', async () => {
    const before = seeds();
    await startReady(['--no-seed', '--reset']);
    expect(seeds()).toBe(before);
  });

  it('leaves nothing behind when it is stopped while it starts', async () => {
    const runtime = start([], { FIXTURE_SLOW: '1' });
    await until('PostgreSQL', () => record()?.processes['postgres']);
    expect(await stop(runtime)).toBe(130);
    expect(record()!.processes).toEqual({});
    expect(existsSync(join(realpathSync(join(home, 'postgres')), 'data', 'postmaster.pid'))).toBe(false);
  });

  it("shows an app's last words when it does not stay up", async () => {
    const runtime = start([], { FIXTURE_BROKEN: '1' });
    expect(await runtime.exitCode).toBe(1);
    expect(runtime.output()).toContain('availability-1 does not stay up');
    expect(runtime.output()).toContain('no stock today');
    expect(record()!.processes).toEqual({});
  });

  describe('with servers of somebody else', () => {
    let database: TestDatabase;
    let nats: TestNats;
    beforeAll(async () => {
      [database, nats] = await Promise.all([createTestDatabase(), startTestNats()]);
    });
    afterAll(async () => {
      await Promise.all([database.drop(), nats.stop()]);
    });

    it('uses them and starts none; who owns the schemas is told to no app', async () => {
      const { url, ownerUrl } = database;
      await startReady([], { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl, NATS_URL: nats.url });
      expect(Object.keys(record()!.processes)).toEqual(['availability-1']);
      expect(record()).toMatchObject({ databaseUrl: url, databaseOwnerUrl: ownerUrl, natsUrl: nats.url });
      const told = (await (await fetch(record()!.urls['availability']![0]!)).json()) as Record<string, string>;
      expect(told).toMatchObject({ DATABASE_URL: url });
      expect(told).not.toHaveProperty('DATABASE_OWNER_URL');
    });

    it('lets one role do it all where no owner is named', async () => {
      await startReady([], { DATABASE_URL: database.ownerUrl, NATS_URL: nats.url });
      expect(record()).toMatchObject({ databaseUrl: database.ownerUrl, databaseOwnerUrl: database.ownerUrl });
    });

    it('says in one sentence that no NATS is where it was told to look', async () => {
      const runtime = start([], { DATABASE_URL: database.url, NATS_URL: `nats://u:hidden@127.0.0.1:${portBase + 11}` });
      expect(await runtime.exitCode).toBe(1);
      expect(runtime.output()).toContain(`Nothing listens at 127.0.0.1:${portBase + 11}: start nats-server there`);
      expect(runtime.output()).not.toContain('hidden');
    });
  });
});

function seeds(): number {
  return existsSync(join(root, 'seeds')) ? readFileSync(join(root, 'seeds'), 'utf8').length : 0;
}
