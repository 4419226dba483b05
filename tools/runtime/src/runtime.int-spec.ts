import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePortBase, isAlive } from '@onepool/platform-local-servers';
import { createTestDatabase, startTestNats } from '@onepool/testing-servers';
import type { TestDatabase, TestNats } from '@onepool/testing-servers';
import pg from 'pg';
import { ensureRunning } from './ensure-running.ts';
import { readRecord } from './runtime-record.ts';
import type { RuntimeRecord } from './runtime-record.ts';
import { readStatus } from './status/read-status.ts';

const APP = `import { createServer } from 'node:http';
if (process.env.FIXTURE_BROKEN) { console.error('no stock today'); process.exit(3); }
if (process.env.FIXTURE_CHATTY) setInterval(() => console.log('a line of the log'), 1);
createServer((_request, response) => response.end(JSON.stringify(process.env))).listen(Number(process.env.PORT), '127.0.0.1');
`;
// Whole systems start and stop here, and other specs use the machine at the same time.
jest.setTimeout(300_000);

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

async function until<T>(
  what: string | (() => string),
  find: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + 150_000;
  while (Date.now() < deadline) {
    const found = await find();
    if (found) return found;
    await delay(20);
  }
  throw new Error(`never came: ${typeof what === 'string' ? what : what()}`);
}

const record = (): RuntimeRecord | undefined => readRecord(join(home, 'runtime.json'));

async function startReady(
  args: readonly string[] = [],
  variables: Record<string, string> = {},
): Promise<RunningRuntime> {
  const runtime = start(args, variables);
  await until(
    () => `readiness; it said: ${runtime.output()}`,
    () => {
      if (runtime.child.exitCode !== null) throw new Error(`ended: ${runtime.output()}`);
      return runtime.output().includes('Onepool is ready.');
    },
  );
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

/** What below the home others may read, write or enter; a link leads to a place with rights of its own. */
function openToOthers(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const found = lstatSync(path);
    const own = (found.mode & 0o077) === 0 || found.isSymbolicLink() ? [] : [path];
    return found.isDirectory() ? [...own, ...openToOthers(path)] : own;
  });
}

beforeAll(async () => {
  portBase = await freePortBase();
  root = mkdtempSync(join(tmpdir(), 'onepool-fixture-'));
  writeFileSync(join(root, 'app.mjs'), APP);
  // Below the run's own directory, so that its tear-down finds whatever a failed test leaves.
  home = mkdtempSync(join(process.env['ONEPOOL_TEST_HOME']!, 'runtime-'));
  // Our PostgreSQL runs as another user where we are root, and passes through.
  chmodSync(home, 0o711);
});

afterAll(() => rmSync(root, { recursive: true }));

async function endEverything(): Promise<void> {
  for (const child of runtimes.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  const pids = Object.values(record()?.processes ?? {}).map(({ pid }) => pid);
  await until('the end of every process', () => !pids.some(isAlive));
}

afterEach(endEverything);

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
    expect(openToOthers(home)).toEqual([]);

    const status = await readStatus(home, root);
    expect(status).toMatchObject({ isRunning: true, isHealthy: true });
    expect(status.processes.map(({ name, text, restarts }) => [name, text, restarts])).toEqual(
      ['runtime', 'availability-1', 'availability-2', 'postgres', 'nats'].map((name) => [name, 'ready', 0]),
    );
    expect(status.processes.every(({ pid, memoryMb = 1 }) => pid !== undefined && memoryMb > 0)).toBe(true);
    expect(status.processes.find(({ name }) => name === 'postgres')?.version).toMatch(/^18\./);

    expect(await stop(runtime)).toBe(0);
    expect(Object.values(processes).filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(record()).toMatchObject({ ready: false, processes: {} });
    expect(await readStatus(home, root)).toMatchObject({ isRunning: false, isHealthy: false });
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
    const { processes } = await readStatus(home, root);
    expect(processes.slice(1).map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
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

  it('takes from others the right to read what an earlier version left open', async () => {
    for (const name of ['logs', 'nats', 'nats/jetstream'])
      mkdirSync(join(home, name), { recursive: true, mode: 0o755 });
    for (const name of ['logs/old.log', 'nats/jetstream/1.blk', 'seeded.json']) {
      writeFileSync(join(home, name), '[]');
      chmodSync(join(home, name), 0o644);
    }
    await startReady();
    expect(openToOthers(home)).toEqual([join(home, 'notes.txt')].filter((path) => existsSync(path)));
    rmSync(join(home, 'nats/jetstream/1.blk'));
  });

  it('sets a log aside while it is written; the writer goes on, also when the runtime is killed', async () => {
    const log = join(home, 'logs', 'availability-1.log');
    const runtime = await startReady([], { FIXTURE_CHATTY: '1' });
    const app = pidOf('availability-1');
    for (let round = 1; round <= 3; round += 1) {
      rmSync(`${log}.1`, { force: true });
      // The file is there a moment before what it is to hold.
      await until('another log set aside', () => existsSync(`${log}.1`) && statSync(`${log}.1`).size > 0);
    }
    expect(readFileSync(`${log}.1`, 'utf8')).toMatch(/^(a line of the log\n)+/);
    expect(pidOf('availability-1')).toBe(app);

    runtime.child.kill('SIGKILL');
    await runtime.exitCode;
    const before = statSync(log).size;
    await until('more lines', () => statSync(log).size > before + 1_000);
    expect(isAlive(app)).toBe(true);
    await startReady();
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

  it('says what to do when the password of its PostgreSQL is lost', async () => {
    await stop(await startReady());
    const file = join(home, 'postgres-password');
    const password = readFileSync(file, 'utf8');
    writeFileSync(file, 'another\n');
    const runtime = start();
    expect(await runtime.exitCode).toBe(1);
    expect(runtime.output()).toMatch(/refuses the password in .*postgres-password.*--reset/);
    writeFileSync(file, password);
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

    describe('on a disk of its own', () => {
      let usual: string;
      beforeEach(() => {
        usual = home;
        // Our PostgreSQL runs as another user here, who must get through to the disk.
        home = mkdtempSync(join(tmpdir(), 'onepool-small-disk-'));
      });
      afterEach(async () => {
        await endEverything();
        spawnSync('umount', [home]);
        rmSync(home, { recursive: true });
        home = usual;
      });

      const mount = (size: string): unknown =>
        spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=711`, 'onepool', home]);

      const canMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'onepool', '/mnt']).status === 0;
      const onDisk = canMount ? it : it.skip;
      const rule = (text: string): string => (canMount ? text : `${text} (needs root and the right to mount)`);

      onDisk(rule('goes on when the disk is full, and writes down what runs when there is room again'), async () => {
        mount('1m');
        const runtime = await startReady([], { DATABASE_URL: database.url, NATS_URL: nats.url });
        const ballast = join(home, 'ballast');
        expect(() => fill(ballast)).toThrow('ENOSPC');
        const before = pidOf('availability-1');
        process.kill(before, 'SIGKILL');
        await until('another app', () => runtime.output().includes('has taken its place'));
        await until('an answer', () => answers(portBase + 1));
        expect(runtime.output().match(/runtime\.json cannot be written.*ENOSPC/g)).toHaveLength(1);
        expect(pidOf('availability-1')).toBe(before);

        rmSync(ballast);
        await until('the new record', () => record()?.processes['availability-1']?.pid !== before);
        expect(isAlive(pidOf('availability-1'))).toBe(true);
        expect(await stop(runtime)).toBe(0);
      });

      onDisk(rule('brings its own servers back, killed on a full disk, when there is room again'), async () => {
        mount('160m');
        const runtime = await startReady();
        await query('CREATE TABLE survivor AS SELECT 1 AS n');
        const ballast = join(home, 'ballast');
        expect(() => fill(ballast)).toThrow('ENOSPC');
        const before = Object.values(record()!.processes).map(({ pid }) => pid);
        before.forEach((pid) => process.kill(pid, 'SIGKILL'));
        await until('word of it', () => runtime.output().includes('runtime.json cannot be written'));
        expect(runtime.child.exitCode).toBeNull();

        rmSync(ballast);
        await until('other processes', () => {
          const pids = Object.values(record()?.processes ?? {}).map(({ pid }) => pid);
          return pids.length === 3 && !pids.some((pid) => before.includes(pid));
        });
        expect(await query('SELECT n FROM survivor')).toEqual([{ n: 1 }]);
        expect(await stop(runtime)).toBe(0);
      });

      onDisk(rule('says in one sentence that there is no room to start in'), async () => {
        mount('1m');
        expect(() => fill(join(home, 'ballast'))).toThrow('ENOSPC');
        const runtime = start([], { DATABASE_URL: database.url, NATS_URL: nats.url });
        expect(await runtime.exitCode).toBe(1);
        expect(runtime.output().trim().split('\n')).toEqual([
          `There is no room on the disk of ${home}: make some, or set ONEPOOL_HOME to another directory. (ENOSPC)`,
        ]);
      });
    });
  });
});

function seeds(): number {
  return existsSync(join(root, 'seeds')) ? readFileSync(join(root, 'seeds'), 'utf8').length : 0;
}

/** @throws ENOSPC when the disk is full to the last byte. */
function fill(file: string): void {
  const ballast = openSync(file, 'w');
  try {
    for (const bytes of [65_536, 1]) {
      for (let written = 0; written < 256 * 1024 * 1024; written += bytes) writeSync(ballast, Buffer.alloc(bytes));
    }
  } finally {
    closeSync(ballast);
  }
}
