import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { OperatorError } from '@onepool/platform-config';
import { openLog, withPrivateFiles } from '@onepool/platform-local-servers';
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

/** A task that ran to its end ended badly; the message ends with what it said of that, and where the rest is. */
export class TaskError extends OperatorError {
  override readonly name = 'TaskError';
}

const LINES_TOLD_MAX = 15;
/** A line that says what went wrong, among many that say how far it came. */
const TELLING = /error|fail|cannot|not found|denied|refused/i;

/** Starts an app in a process group of its own, its output appended to its log; it is recorded as long as it runs. */
export function startChild(command: Command, recorder: RuntimeRecorder, port: number): Started {
  const log = openLog(command.logFile);
  try {
    const child = withPrivateFiles(() => launch(command, log));
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
 * Runs a task to its end in a process group of its own, telling each line it prints and keeping all of them in its log.
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
  const log = openLog(command.logFile);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      keep(log, line);
      onLine(line);
    });
  }
  const [code, killer] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  closeSync(log);
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (code === 0) return;
  const told = lines.filter((line) => TELLING.test(line) && !/^\s+at /.test(line));
  const reasons = (told.length > 0 ? told : lines).slice(-LINES_TOLD_MAX);
  const how = killer ?? `exit ${code}`;
  throw new TaskError(
    [`${command.name} failed (${how}); all it said is in ${command.logFile}.`, ...reasons].join('\n'),
  );
}

/** A disk that is full ends no task. */
function keep(log: number, line: string): void {
  try {
    writeSync(log, `${line}\n`);
  } catch {
    // The line is told to whoever watches.
  }
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
