/** Programs of this workspace as children of the drill: TypeScript as it stands, their output line by line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withoutServers } from '@onepool/testing-servers';

export const ROOT = join(import.meta.dirname, '../../..');

export interface Child {
  readonly pid: number;
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly isRunning: () => boolean;
  /** SIGTERM to this process; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL to this process; resolves when it has ended. */
  kill(): Promise<void>;
}

export interface Program {
  /** Below the workspace's root; `.ts` runs from source, `.js` as it was built. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** How it is broken, and where is noted what has killed it; see testing-failpoints. */
  readonly failpoints?: { readonly plan: string; readonly killed: string } | undefined;
  readonly onLine?: (line: string) => void;
}

const STOP_PATIENCE_MS = 45_000;

/** Every program that was started and has not ended. */
const running = new Set<Child>();

/** Ends whatever was started and still runs, for when the drill is cut short: a runtime ends its servers, if it is let. */
export async function endStarted(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

/** Our own environment without what would point a child at somebody else's system. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = (name: string): boolean => /^(ONEPOOL_|PORT$)/.test(name);
  return Object.fromEntries(Object.entries(withoutServers(process.env)).filter(([name]) => !foreign(name)));
}

/** Starts a program in a process group of its own, so that a Ctrl-C reaches the drill alone, which ends it in order. */
export function startProgram({ entry, args = [], variables = {}, failpoints, onLine }: Program): Child {
  const loader = entry.endsWith('.ts') ? ['--conditions=@onepool/source'] : [];
  const install = failpoints ? [`--import=${join(ROOT, 'libs/testing/failpoints/src/install.ts')}`] : [];
  const told = failpoints && { ONEPOOL_FAILPOINTS: failpoints.plan, ONEPOOL_FAILPOINTS_KILLED: failpoints.killed };
  const child = spawn(process.execPath, [...loader, ...install, join(ROOT, entry), ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...variables, ...told },
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => onLine?.(line));
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${entry} cannot be started.`);
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    // A suspended process hears nothing until it is continued.
    child.kill('SIGCONT');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    await ended;
    clearTimeout(force);
  };
  const started: Child = { pid, ended, isRunning, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
  running.add(started);
  void ended.then(() => running.delete(started));
  return started;
}
