/**
 * How large the chunks of a feed are, and whether it waits between them. Others want the SKUs that a chunk locks, and the
 * machine that it runs on: while commands come in, chunks are short, and each is followed by a pause as long.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface PaceOptions {
  /** Rows of every chunk; unless given they adapt to the time that a chunk takes. */
  readonly rowsPerChunk: number | undefined;
  readonly rowsMax: number;
  /** Whether commands have come in of late. */
  readonly isBusy: () => boolean;
  /** Waits for so many milliseconds; a timer unless given. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

const ROWS = { first: 4_000, min: 500 } as const;
const TARGET_MS = { alone: 40, busy: 12 } as const;

export class Pace {
  /** Rows of the next chunk, about. */
  rows: number;
  #tookMs = 0;

  readonly #options: PaceOptions;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.rows = options.rowsPerChunk ?? Math.min(ROWS.first, options.rowsMax);
  }

  /** Twice as many rows, or half, whenever a chunk took far less or more than its target. */
  settled(tookMs: number): void {
    const { rowsPerChunk, rowsMax, isBusy } = this.#options;
    this.#tookMs = tookMs;
    const target = isBusy() ? TARGET_MS.busy : TARGET_MS.alone;
    const rows = Math.max(this.rows, ROWS.min);
    if (tookMs < target / 2) this.rows = Math.min(rowsMax, rows * 2);
    else this.rows = tookMs > target * 1.5 ? Math.max(ROWS.min, rows >> 1) : Math.min(rowsMax, rows);
    if (rowsPerChunk !== undefined) this.rows = rowsPerChunk;
  }

  /** A chunk was refused for one of its rows: closer to it. False if it is found. */
  narrow(): boolean {
    if (this.rows === 1) return false;
    this.rows = Math.max(1, this.rows >> 2);
    return true;
  }

  /** While commands come in, a chunk is not sent before the one before has ended and the pause after it. */
  get isBusy(): boolean {
    return this.#options.isBusy();
  }

  /** As long as the chunk before, if commands come in. */
  async pause(): Promise<void> {
    const { wait = delay } = this.#options;
    if (this.isBusy) await wait(this.#tookMs);
  }
}
