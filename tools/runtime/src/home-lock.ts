/** Locks of a home: a file that names the process which holds it. The lock of a dead process is broken. */
import { OperatorError } from '@onepool/platform-config';
import { linkSync, mkdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeWhole } from './kept-file.ts';
import { identify, isRunning } from './runtime-record.ts';
import type { ProcessIdentity } from './runtime-record.ts';

/** Another process works on this home. */
export class HomeLockedError extends OperatorError {
  override readonly name = 'HomeLockedError';
}

export interface HomeLock {
  /** Tells a start that waits for the home that it will be free soon. */
  announceStop(): void;
  release(): void;
}

interface Owner extends ProcessIdentity {
  /** Who started the owner; the owner stops by itself when that one is gone. */
  readonly launcher?: ProcessIdentity | undefined;
  readonly stopping: boolean;
}

const WAIT_MAX_MS = 60_000;
const POLL_MS = 100;
/** Breaking a lock takes a few calls to the file system. */
const BREAK_MAX_MS = 3_000;

/**
 * Takes the lock of the home's one runtime, in a directory that exists. While its owner is about to end it is waited for.
 *
 * @throws HomeLockedError when a living process holds it and means to go on.
 */
export function lockHome(file: string, launcher: ProcessIdentity | undefined): Promise<HomeLock> {
  return takeLock(file, launcher, isEnding);
}

/**
 * Does `work` while no other process does any under the same lock; one that is at it is waited for.
 *
 * @throws HomeLockedError when that takes it longer than a minute.
 */
export async function underLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(file, undefined, () => true);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function takeLock(
  file: string,
  launcher: ProcessIdentity | undefined,
  isWaitedFor: (holder: Owner) => boolean,
): Promise<HomeLock> {
  const owner: Owner = { ...identify(process.pid), launcher, stopping: false };
  const draft = `${file}.${process.pid}`;
  const deadline = Date.now() + WAIT_MAX_MS;
  let guardedSince: number | undefined;
  try {
    writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
    // A link appears whole or not at all, and only once.
    while (!tryLink(draft, file)) {
      const holder = livingOwner(read(file));
      if (holder !== undefined) {
        if (!isWaitedFor(holder)) throw alreadyRuns(holder, file);
        if (Date.now() > deadline) throw isBusy(holder, file);
        await delay(POLL_MS);
      } else if (breakAbandoned(file)) {
        guardedSince = undefined;
      } else {
        guardedSince ??= Date.now();
        if (Date.now() > guardedSince + BREAK_MAX_MS) throw wasLeft(guardOf(file));
        await delay(POLL_MS);
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const isMine = (): boolean => read(file)?.owner?.pid === process.pid;
  return {
    announceStop: () => {
      if (isMine()) tryTo(() => writeWhole(file, JSON.stringify({ ...owner, stopping: true })));
    },
    release: () => {
      if (isMine()) tryTo(() => rmSync(file, { force: true }));
    },
  };
}

/** A stop goes on without its announcement, and the lock of a process that is gone is broken by the next start. */
function tryTo(change: () => void): void {
  try {
    change();
  } catch {
    // Nothing depends on it.
  }
}

function isEnding({ launcher, stopping }: Owner): boolean {
  return stopping || (launcher !== undefined && !isRunning(launcher));
}

function isBusy({ pid }: Owner, file: string): HomeLockedError {
  return new HomeLockedError(`Process ${pid} has held ${file} for a minute: let it end, or end it, and try again.`);
}

function alreadyRuns({ pid }: Owner, file: string): HomeLockedError {
  return new HomeLockedError(
    `Onepool already runs on ${dirname(file)} (process ${pid}). Stop it there, or set ONEPOOL_HOME and ` +
      'ONEPOOL_PORT_BASE to run another beside it.',
  );
}

/**
 * Removes the lock of a dead process; false while another does. Only who holds the guard removes another's lock: what it
 * then finds dead is still there when it is removed, and is never the lock of somebody who was faster.
 */
function breakAbandoned(file: string): boolean {
  const guard = guardOf(file);
  try {
    mkdirSync(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    if (livingOwner(read(file)) === undefined) rmSync(file, { force: true });
  } finally {
    rmdirSync(guard);
  }
  return true;
}

const guardOf = (file: string): string => `${file}.breaking`;

function livingOwner(found: ReturnType<typeof read>): Owner | undefined {
  return found?.owner !== undefined && isRunning(found.owner) ? found.owner : undefined;
}

function wasLeft(guard: string): HomeLockedError {
  return new HomeLockedError(
    `${guard} was left by a start that was killed while it broke a dead lock. Remove it and try again.`,
  );
}

function tryLink(existing: string, file: string): boolean {
  try {
    linkSync(existing, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): { readonly text: string; readonly owner: Owner | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return { text, owner: JSON.parse(text) as Owner };
  } catch {
    return { text, owner: undefined };
  }
}
