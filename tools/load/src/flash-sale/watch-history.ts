/** Shows how far a sale is while k6 drives it, by the calls that it has written to the history so far. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Progress } from '@onepool/platform-progress';

export interface HistoryWatch {
  begin(buyers: number): void;
  /** Counts what was written last, and ends the display. */
  end(): void;
}

const LOOK_EVERY_MS = 500;
const HOLD = '{"kind":"hold"';

/** Only what is written from now on counts: a wave adds to the history of the one before. */
export function watchHistory(file: string, progress: Progress): HistoryWatch {
  let position = sizeOf(file);
  let rest = '';
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const written = readFrom(file, position);
    position += written.length;
    const lines = (rest + written).split('\n');
    rest = lines.pop() ?? '';
    const holds = lines.filter((line) => line.startsWith(HOLD)).length;
    if (holds > 0) progress.advance(holds);
  };
  return {
    begin: (buyers) => {
      progress.begin(buyers);
      timer = setInterval(look, LOOK_EVERY_MS);
    },
    end: () => {
      clearInterval(timer);
      look();
      progress.end();
    },
  };
}

function withFile<T>(file: string, absent: T, work: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return absent;
  }
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const sizeOf = (file: string): number => withFile(file, 0, (descriptor) => fstatSync(descriptor).size);

/** One character a byte: lines are only told apart here, and a character may be cut in two. */
function readFrom(file: string, position: number): string {
  return withFile(file, '', (descriptor) => {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - position));
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, position));
  });
}
