/**
 * What the operating system knows of a process we may have started in an earlier life.
 *
 * A number alone proves nothing: numbers are reused. So whoever wants to adopt or stop a process compares its command
 * line, which names our own data directory, with the one we would have used.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

/** True when the process exists and has not ended; a zombie nobody has reaped yet counts as ended. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return processState(pid) !== 'Z';
}

/** The arguments the process was started with, or undefined when there is no such process. */
export function commandLine(pid: number): readonly string[] | undefined {
  if (process.platform === 'linux') {
    const raw = readProcFile(pid, 'cmdline');
    return raw === undefined || raw === '' ? undefined : raw.replace(/\0$/, '').split('\0');
  }
  const listed = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return listed.status === 0 ? listed.stdout.trim().split(' ') : undefined;
}

/** True when the living process `pid` was started with exactly this command. */
export function runsCommand(pid: number, command: readonly string[]): boolean {
  return isAlive(pid) && commandLine(pid)?.join(' ') === command.join(' ');
}

/**
 * A value that differs between two processes that bore the same number one after the other (start time in clock ticks
 * since boot on Linux, a date elsewhere), or undefined when there is no such process.
 */
export function startedAt(pid: number): string | undefined {
  if (process.platform === 'linux') return statFields(pid)?.[19];
  const listed = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return listed.status === 0 ? listed.stdout.trim() : undefined;
}

/** Resolves true as soon as the process has ended, false when it still runs after `timeoutMs`. */
export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Sends a signal and ignores that the process may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  // 0 and negative numbers mean whole groups of processes, ours among them.
  assert(Number.isInteger(pid) && pid > 1, `no process has the number ${pid}`);
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function processState(pid: number): string | undefined {
  return process.platform === 'linux' ? statFields(pid)?.[0] : undefined;
}

/** The fields of `/proc/<pid>/stat` after the command's name, which may itself hold blanks and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  const raw = readProcFile(pid, 'stat');
  return raw?.slice(raw.lastIndexOf(')') + 2).split(' ');
}

function readProcFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
