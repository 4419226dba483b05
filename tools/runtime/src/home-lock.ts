/** One runtime per home: a file that names the process which holds it. The lock of a dead process is broken. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive, startedAt } from '@onepool/platform-local-servers';

/** Another runtime works on this home. */
export class HomeLockedError extends Error {
  override readonly name = 'HomeLockedError';
}

interface Owner {
  readonly pid: number;
  readonly startedAt: string | undefined;
}

/**
 * Takes the lock and returns what gives it back.
 *
 * @throws HomeLockedError when a living process holds it.
 */
export function lockHome(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, startedAt: startedAt(process.pid) });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    // A link appears whole or not at all, and only once.
    while (!tryLink(draft, file)) breakIfAbandoned(file);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true });
  };
}

function breakIfAbandoned(file: string): void {
  const found = read(file);
  if (found === undefined) return;
  const owner = parse(found);
  if (owner !== undefined && isAlive(owner.pid) && startedAt(owner.pid) === owner.startedAt) {
    throw new HomeLockedError(
      `Onepool already runs on ${dirname(file)} (process ${owner.pid}). Stop it there, or set ONEPOOL_HOME and ` +
        'ONEPOOL_PORT_BASE to run another beside it.',
    );
  }
  const aside = `${file}.${process.pid}.broken`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  // Between reading and renaming another start may have taken the lock: then it is put back.
  if (read(aside) !== found) tryLink(aside, file);
  rmSync(aside, { force: true });
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

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}
