/**
 * Collects the lines of one turn of the event loop and writes them at its end in one piece. A process that answers a
 * thousand requests in a turn otherwise spends more on writing about them than on answering. What ends in good order, or
 * of an exception, loses nothing; `kill -9` loses the lines of the turn under way.
 */
import type { DestinationStream } from 'pino';

const LENGTH_MAX = 65_536;

export class TurnStream implements DestinationStream {
  readonly #destination: DestinationStream;
  #lines = '';
  #isDue = false;

  constructor(destination: DestinationStream) {
    this.#destination = destination;
    process.on('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= LENGTH_MAX) return this.flushSync();
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.flushSync();
    });
  }

  /** For `logger.flush(…)`. */
  flush(done?: (error?: Error) => void): void {
    this.flushSync();
    done?.();
  }

  /** Writes what has been collected now; pino calls it after a fatal line. */
  flushSync(): void {
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#destination.write(lines);
  }
}
