import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalServerError } from './local-server.ts';
import type { LocalServer } from './local-server.ts';
import { openLog, withPrivateFiles } from './private-files.ts';
import { isAlive, signal, waitForExit } from './process-table.ts';

/** The user a server process runs as, when that is not us. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly account?: Account | undefined;
  readonly logFile: string;
}

/** A process and the promise of its end. */
export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
}

const ADOPTED_POLL_MS = 50;
const CLEAN_STOP_MS = 20_000;

/**
 * Starts a server in its own process group, so that neither Ctrl-C in our terminal nor our own death reaches it, with
 * its output appended to the log file.
 */
export function launch(command: ServerCommand): RunningProcess {
  const log = openLog(command.logFile);
  try {
    const settings: SpawnOptions = {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      ...command.account,
    };
    const child = withPrivateFiles(() => spawn(command.path, command.args, settings));
    const exited = Promise.race([once(child, 'exit'), once(child, 'error')]).then(
      () => undefined,
      () => undefined,
    );
    child.unref();
    if (child.pid === undefined)
      throw new LocalServerError(`${command.path} cannot be started; see ${command.logFile}.`);
    return { pid: child.pid, exited };
  } finally {
    closeSync(log);
  }
}

/** Watches a process that is not our child. */
export function adopt(pid: number): RunningProcess {
  const watch = async (): Promise<void> => {
    while (isAlive(pid)) await delay(ADOPTED_POLL_MS, undefined, { ref: false });
  };
  return { pid, exited: watch() };
}

/** Ends a process cleanly with `polite`, and with SIGKILL when it does not listen. */
export async function endProcess(pid: number, polite: NodeJS.Signals): Promise<void> {
  signal(pid, polite);
  // A suspended process receives nothing until it is continued.
  signal(pid, 'SIGCONT');
  if (await waitForExit(pid, CLEAN_STOP_MS)) return;
  signal(pid, 'SIGKILL');
  await waitForExit(pid, CLEAN_STOP_MS);
}

/** Puts the controls of `LocalServer` on a running process. */
export function asLocalServer(
  running: RunningProcess,
  facts: Pick<LocalServer, 'url' | 'port' | 'logFile' | 'adopted'>,
  politeSignal: NodeJS.Signals,
): LocalServer {
  const { pid, exited } = running;
  return Object.freeze({
    ...facts,
    pid,
    exited,
    isAlive: () => isAlive(pid),
    stop: () => endProcess(pid, politeSignal),
    kill: async () => {
      signal(pid, 'SIGKILL');
      await waitForExit(pid, CLEAN_STOP_MS);
    },
    suspend: () => signal(pid, 'SIGSTOP'),
    resume: () => signal(pid, 'SIGCONT'),
  });
}
