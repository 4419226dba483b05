import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { homePaths } from './home.ts';
import { homeOf } from './options.ts';
import { isRunning, readRecord } from './runtime-record.ts';
import type { RuntimeRecord } from './runtime-record.ts';

export interface EnsureOptions {
  /** How many processes of availability are needed; 1 by default. */
  readonly replicas?: number;
  /** False leaves an empty system empty; otherwise it is filled with the demo network. */
  readonly seed?: boolean;
  /** Our own by default, whose `DATABASE_URL` and `NATS_URL` are then honoured as by `npm start`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** On top of the environment: `ONEPOOL_HOME`, `ONEPOOL_PORT_BASE`, … */
  readonly variables?: Readonly<Record<string, string>>;
  /** Told each line the runtime prints while it starts. */
  readonly onLine?: (line: string) => void;
}

export interface RunningSystem {
  readonly availabilityUrls: readonly string[];
  /** Of the role that apps work as, and of the one that owns the schemas. */
  readonly databaseUrl: string;
  readonly databaseOwnerUrl: string;
  readonly natsUrl: string;
  readonly apiKeyFile: string;
  /** Stops the system when this call started it; leaves one that ran before alone. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 300_000;
const POLL_MS = 100;
const root = join(import.meta.dirname, '../../..');

/**
 * The system on this home, started as a child of ours when it does not run.
 *
 * @throws when it runs with fewer processes of availability than needed, or does not become ready.
 * @example const { availabilityUrls, stop } = await ensureRunning({ replicas: 2 });
 */
export async function ensureRunning(options: EnsureOptions = {}): Promise<RunningSystem> {
  const replicas = options.replicas ?? 1;
  const variables = { ...(options.environment ?? process.env), ...options.variables };
  const file = homePaths(homeOf(variables, root)).record;
  const known = readRecord(file);
  if (known !== undefined && isRunning(known.runtime)) {
    const record = await untilReady(file, known.runtime.pid, () => isRunning(known.runtime));
    return describe(record, replicas, async () => undefined);
  }
  const program = join(root, 'tools', 'runtime', 'src', 'main.ts');
  const args = ['--conditions=@onepool/source', program, '--replicas', `availability=${replicas}`];
  if (options.seed === false) args.push('--no-seed');
  const child = spawn(process.execPath, args, { cwd: root, env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = `${output}${text}`.slice(-4_000);
      for (const line of text.split('\n').filter(Boolean)) options.onLine?.(line);
    });
  }
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  try {
    const record = await untilReady(file, child.pid ?? 0, () => child.exitCode === null && child.signalCode === null);
    return describe(record, replicas, stop);
  } catch (error) {
    await stop();
    throw new Error(`Onepool did not start.\n${output}`, { cause: error });
  }
}

async function untilReady(file: string, pid: number, runs: () => boolean): Promise<RuntimeRecord> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (runs() && Date.now() < deadline) {
    const record = readRecord(file);
    if (record?.runtime.pid === pid && record.ready) return record;
    await delay(POLL_MS);
  }
  throw new Error('the runtime ended, or did not become ready in time');
}

function describe(record: RuntimeRecord, replicas: number, stop: () => Promise<void>): RunningSystem {
  const availabilityUrls = record.urls['availability'] ?? [];
  const { databaseUrl = '', databaseOwnerUrl = '', natsUrl = '', apiKeyFile } = record;
  if (availabilityUrls.length < replicas) {
    throw new Error(
      `Onepool runs with ${availabilityUrls.length} of the ${replicas} processes of availability needed.`,
    );
  }
  return Object.freeze({ availabilityUrls, databaseUrl, databaseOwnerUrl, natsUrl, apiKeyFile, stop });
}
