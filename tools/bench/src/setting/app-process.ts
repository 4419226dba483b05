/** Programs under test as processes of their own: the built availability app, and the bare route it is held against. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@onepool/platform-local-servers';
import { databaseVariables, root } from './database.ts';
import type { BenchDatabase } from './database.ts';
import type { Servers } from './servers.ts';

export interface RunningProgram {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface App extends RunningProgram {
  /** An API key that may do everything, and whose it is: in its name reservations are written. */
  readonly key: string;
  readonly principal: string;
}

const START_DEADLINE_MS = 30_000;
const POLL_MS = 50;
/** As `npm start` has it (tools/runtime, app-catalogue.ts). */
const HEAP_MB = 512;
const dist = join(root, 'apps/availability/dist');

/** One replica as `npm start` runs it: logs at info into a file, metrics and key check on, its relay at work. */
export async function startApp(database: BenchDatabase, servers: Servers): Promise<App> {
  const port = await freePort();
  const created = await promisify(execFile)(
    process.execPath,
    [join(dist, 'identity.js'), 'keys', 'add', 'bench-http', '--scopes', 'all', '--json'],
    { env: { ...process.env, ...databaseVariables(database) } },
  );
  const program = await startProgram(
    [`--max-old-space-size=${HEAP_MB}`, join(dist, 'main.js')],
    port,
    join(servers.home, 'availability.log'),
    {
      DATABASE_URL: database.url,
      NATS_URL: await servers.natsUrl(),
      PORT: String(port),
      ONEPOOL_INSTANCE: 'bench-availability',
      LOG_LEVEL: process.env['LOG_LEVEL'] || 'info',
    },
  );
  const { key, principal } = JSON.parse(created.stdout) as Pick<App, 'key' | 'principal'>;
  return { ...program, key, principal };
}

/** `answersFile` holds the constant bodies that it answers. */
export async function startBare(answersFile: string, servers: Servers): Promise<RunningProgram> {
  const port = await freePort();
  const entry = join(import.meta.dirname, '../http/bare-server.js');
  return startProgram([entry, answersFile], port, join(servers.home, 'bare.log'), { PORT: String(port) });
}

async function startProgram(
  args: readonly string[],
  port: number,
  logFile: string,
  variables: Readonly<Record<string, string>>,
): Promise<RunningProgram> {
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...variables },
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  const stop = (): Promise<void> => end(child);
  // Whatever ends this process must not leave the other behind.
  const killed = (): void => void child.kill('SIGKILL');
  process.once('exit', killed);
  void once(child, 'exit').then(() => process.off('exit', killed));
  try {
    await untilReady(url, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid ?? 0, stop };
}

async function untilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
  for (const end = Date.now() + START_DEADLINE_MS; Date.now() < end; await delay(POLL_MS)) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
  }
  throw new Error(`a program under test does not become ready; see ${logFile}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}
