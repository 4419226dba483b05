/**
 * Keeps a log from growing without end while others write it.
 *
 * The writers hold the file open and would follow a renamed one for ever, and they outlive us, so nothing can stand
 * between them and the disk. Therefore the log is copied to `<name>.1` and emptied: writers append, so their next line
 * begins the empty file. Known limit: a line written between the last look and the emptying, microseconds, is lost.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;

/** `emptied`: the lines could not be kept, because the disk had no room for the copy. */
export type Rotation = 'small' | 'rotated' | 'emptied';

export interface CopyOptions {
  /** Appends to the copy; a test lets it fail. */
  readonly write?: (file: number, chunk: Uint8Array) => void;
}

/** Sets the log aside as `<name>.1`, in the place of an earlier one, when it is larger than `limitBytes`. */
export function rotateLog(file: string, limitBytes: number, { write = writeAll }: CopyOptions = {}): Rotation {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= limitBytes) return 'small';
  const log = openSync(file, 'r+');
  try {
    const isKept = copy(log, `${file}.1`, write);
    ftruncateSync(log, 0);
    return isKept ? 'rotated' : 'emptied';
  } finally {
    closeSync(log);
  }
}

/** Copies to the end, also what is appended meanwhile. What is left of a copy that fails is removed: it takes room. */
function copy(log: number, aside: string, write: (file: number, chunk: Uint8Array) => void): boolean {
  // Removed first: the room of the older lines is what the newer ones may need.
  rmSync(aside, { force: true });
  let target: number | undefined;
  try {
    target = openSync(aside, 'ax', 0o600);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let position = 0;
    while (position < fstatSync(log).size) {
      const length = readSync(log, chunk, 0, chunk.length, position);
      if (length === 0) break;
      write(target, chunk.subarray(0, length));
      position += length;
    }
    return true;
  } catch {
    rmSync(aside, { force: true });
    return false;
  } finally {
    if (target !== undefined) closeSync(target);
  }
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
}
