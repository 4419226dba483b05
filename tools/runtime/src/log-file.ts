import { closeSync, openSync, readSync, statSync } from 'node:fs';

const READ_BYTES = 64 * 1024;

/** The last lines of a log, for an error message. */
export function lastLines(file: string, count = 15): string {
  let log: number | undefined;
  try {
    log = openSync(file, 'r');
    const size = statSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, READ_BYTES));
    readSync(log, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  } finally {
    if (log !== undefined) closeSync(log);
  }
}
