/** Locks of a home: a file that names the process which holds it. The lock of a dead process is broken. */
import { OperatorError } from '@onepool/platform-config';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  try {
    writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
    // A link appears whole or not at all, and only once.
    while (!tryLink(draft, file)) {
      const holder = breakIfAbandoned(file);
      if (holder === undefined) continue;
      if (!isWaitedFor(holder)) throw alreadyRuns(holder, file);
      if (Date.now() > deadline) throw isBusy(holder, file);
      await delay(POLL_MS);
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

/** The living owner, or undefined when there is none and the lock may be tried again. */
function breakIfAbandoned(file: string): Owner | undefined {
  const found = read(file);
  if (found === undefined) return undefined;
  if (found.owner !== undefined && isRunning(found.owner)) return found.owner;
  const aside = `${file}.${process.pid}.broken`;
  try {
    renameSync(file, aside);
  } catch {
    return undefined;
  }
  // Between reading and renaming another start may have taken the lock: then it is put back.
  if (read(aside)?.text !== found.text) tryLink(aside, file);
  rmSync(aside, { force: true });
  return undefined;
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
