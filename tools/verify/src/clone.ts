/**
 * `npm run verify:clone`: a newcomer's first minutes. Clones the repository as it is committed, then runs both commands
 * of the README in the clone: `npm ci && npm start` until the system is ready and answers a read, and `npm ci && npm test`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { freePortBase } from '@onepool/platform-local-servers';
import { withoutServers } from '@onepool/testing-servers';

const root = join(import.meta.dirname, '../../..');
/** `nobody`, since PostgreSQL wants an account that the system knows. */
const ORDINARY = { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
const READY_PATIENCE_MS = 600_000;
const POLL_MS = 500;

function idOfNobody(option: string): number {
  return Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
}

interface Choice {
  readonly user: 'root' | 'ordinary';
  readonly node: '20' | 'pinned';
  readonly nats: 'cached' | 'cold';
}

const program = new Command('npm run verify:clone --')
  .description('Runs both commands of the README in a fresh clone of what is committed.')
  .addOption(
    new Option('--user <kind>', 'who runs them; ordinary needs root').choices(['root', 'ordinary']).default('root'),
  )
  .addOption(new Option('--node <version>', 'the Node that runs npm').choices(['20', 'pinned']).default('pinned'))
  .addOption(
    new Option('--nats <state>', 'whether nats-server was found before').choices(['cached', 'cold']).default('cached'),
  )
  .parse();
const choice = program.opts<Choice>();

const place = mkdtempSync(join(tmpdir(), 'onepool-clone-'));
const clone = join(place, 'onepool');
const home = join(place, 'user');

/** A Node to run npm with, at a place that everybody can reach: this one, or the newest 20 of the registry. */
function nodeDirectory(): string {
  const own = `node-${process.platform}-${process.arch}`;
  const target = join(place, 'node');
  mkdirSync(target);
  if (choice.node === 'pinned') {
    copyFileSync(process.execPath, join(target, 'node'));
    return target;
  }
  const packed = execFileSync('npm', ['pack', '--silent', `${own}@20`], { cwd: target, encoding: 'utf8' });
  execFileSync('tar', ['-xzf', packed.trim().split('\n').at(-1) ?? ''], { cwd: target });
  return join(target, 'package', 'bin');
}

/** The person's environment: an own home directory, and nothing that this process was told about Onepool or npm. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const foreign = (name: string): boolean => /^(npm_|ONEPOOL_|NX_|NATS_SERVER_BIN$)/.test(name);
  const kept = Object.fromEntries(Object.entries(withoutServers(process.env)).filter(([name]) => !foreign(name)));
  const path = (kept['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  const ownCache = process.env['XDG_CACHE_HOME'] || join(process.env['HOME'] ?? '/root', '.cache');
  const cache = join(home, '.cache');
  mkdirSync(join(cache, 'onepool'), { recursive: true });
  if (choice.nats === 'cached' && existsSync(join(ownCache, 'onepool'))) {
    for (const name of readdirSync(join(ownCache, 'onepool')).filter((one) => one.startsWith('nats-server-'))) {
      execFileSync('cp', [join(ownCache, 'onepool', name), join(cache, 'onepool', name)]);
    }
  }
  return {
    ...kept,
    HOME: home,
    XDG_CACHE_HOME: cache,
    PATH: [nodeDirectory(), ...path].join(':'),
    ONEPOOL_PORT_BASE: String(await freePortBase()),
  };
}

function own(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), ORDINARY.uid, ORDINARY.gid);
  }
  chownSync(directory, ORDINARY.uid, ORDINARY.gid);
}

interface Running {
  readonly pid: number;
  readonly closed: Promise<number | null>;
  output(): string;
}

function shell(command: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: clone,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(choice.user === 'ordinary' ? ORDINARY : {}),
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      process.stdout.write(piece);
    });
  }
  const closed = once(child, 'close').then(([code]) => code as number | null);
  return { pid: child.pid ?? 0, closed, output: () => text };
}

async function isReady(portBase: string): Promise<boolean> {
  const url = `http://127.0.0.1:${Number(portBase) + 1}/health/ready`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer?.ok === true;
}

/** Seconds until the system answers a read; everything is stopped by Ctrl-C afterwards. */
async function startAndRead(env: NodeJS.ProcessEnv): Promise<number> {
  const begun = performance.now();
  const running = shell('npm ci && npm start', env);
  let ended = false;
  void running.closed.then(() => (ended = true));
  const record = join(clone, '.onepool', 'runtime.json');
  const isWholeSystemReady = (): boolean =>
    existsSync(record) && (JSON.parse(readFileSync(record, 'utf8')) as { ready: boolean }).ready;
  try {
    for (const end = performance.now() + READY_PATIENCE_MS; ; await delay(POLL_MS)) {
      if (ended) throw new Error('`npm ci && npm start` ended by itself.');
      if (performance.now() > end) throw new Error('The system was not ready within ten minutes.');
      if (isWholeSystemReady() && (await isReady(env['ONEPOOL_PORT_BASE'] ?? ''))) break;
    }
    const seconds = (performance.now() - begun) / 1_000;
    const key = readFileSync(join(clone, '.onepool', 'dev-api-key'), 'utf8').trim();
    const url = `http://127.0.0.1:${Number(env['ONEPOOL_PORT_BASE']) + 1}/v1/atp/OP-00001?channel=web`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    if (!answer.ok) throw new Error(`The first read was answered ${answer.status}.`);
    return seconds;
  } finally {
    if (!ended) process.kill(-running.pid, 'SIGINT');
    await running.closed;
  }
}

async function testAll(env: NodeJS.ProcessEnv): Promise<number> {
  const begun = performance.now();
  const code = await shell('npm ci && npm test', env).closed;
  if (code !== 0) throw new Error('`npm ci && npm test` failed.');
  return (performance.now() - begun) / 1_000;
}

const times: [string, string][] = [];
try {
  execFileSync('git', ['clone', '--quiet', root, clone]);
  mkdirSync(home);
  const env = await environment();
  if (choice.user === 'ordinary') {
    own(place);
    chmodSync(place, 0o755);
  }
  times.push(['npm ci && npm start, until ready', `${Math.round(await startAndRead(env))} s`]);
  times.push(['npm ci && npm test', `${Math.round(await testAll(env))} s`]);
  const table = new Table({ head: ['command', 'took'], style: { head: [] } });
  table.push(...times);
  console.log(
    `Fresh clone, ${choice.user} user, Node ${choice.node}, nats-server ${choice.nats}: both commands are green.`,
  );
  console.log(table.toString());
  console.log(times.map(([command, took]) => `${command}: ${took}`).join('; '));
} finally {
  rmSync(place, { recursive: true, force: true });
}
