import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Opens a log for appending, readable by its owner only, in a directory of the same kind. Where it cannot be opened, as
 * on a full disk, what would be logged is thrown away: a server that runs is worth more than its log.
 */
export function openLog(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return openSync(file, 'a', 0o600);
  } catch {
    return openSync('/dev/null', 'a');
  }
}

/** Starts a process whose files only its owner can read, unless it says otherwise of one. */
export function withPrivateFiles<Child>(start: () => Child): Child {
  const usual = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(usual);
  }
}
