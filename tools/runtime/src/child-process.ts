import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openLog } from './log-file.ts';
import { endGroup } from './process-group.ts';
import type { RecordedProcess, RuntimeRecorder } from './runtime-record.ts';
import type { Started } from './supervised.ts';

export interface Command {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** On top of our own environment; undefined takes one out. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
}

/** A task that ran to its end ended badly; the message ends with its last words. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
}

const LAST_LINES = 15;

/** Starts an app in a process group of its own, its output appended to its log; it is recorded as long as it runs. */
export function startChild(command: Command, recorder: RuntimeRecorder, port: number): Started {
  const log = openLog(command.logFile);
  try {
    const child = launch(command, log);
    const { pid, exited } = record(child, command, recorder, { kind: 'app', port, logFile: command.logFile });
    return {
      pid,
      exited,
      stop: async () => {
        await endGroup(pid);
        await exited;
      },
    };
  } finally {
    closeSync(log);
  }
}

/**
 * Runs a task to its end in a process group of its own, telling each line it prints.
 *
 * @throws TaskError when it exits with another code than 0, also because `signal` ended it.
 */
export async function runTask(
  command: Command,
  recorder: RuntimeRecorder,
  signal: AbortSignal,
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  signal.throwIfAborted();
  const child = launch(command, 'pipe');
  const { pid } = record(child, command, recorder, { kind: 'task' });
  const end = (): void => void endGroup(pid);
  signal.addEventListener('abort', end);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (lines.push(line) > LAST_LINES) lines.shift();
      onLine(line);
    });
  }
  const [code, killer] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (code !== 0) throw new TaskError([`${command.name} failed (${killer ?? `exit ${code}`}).`, ...lines].join('\n'));
}

function launch(command: Command, output: number | 'pipe'): ChildProcess {
  return spawn(command.path, command.args, {
    cwd: command.cwd,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...command.variables },
  });
}

function record(
  child: ChildProcess,
  command: Command,
  recorder: RuntimeRecorder,
  facts: Pick<RecordedProcess, 'kind' | 'port' | 'logFile'>,
): { readonly pid: number; readonly exited: Promise<void> } {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const { pid } = child;
  if (pid === undefined) throw new TaskError(`${command.name} cannot be started: ${command.path} does not run.`);
  recorder.add(command.name, pid, facts);
  return { pid, exited: ended.then(() => recorder.remove(command.name, pid)) };
}
