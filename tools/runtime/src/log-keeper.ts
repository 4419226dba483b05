import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rotateLog } from './rotate-log.ts';
import type { Report } from './supervised.ts';

const LIMIT_BYTES = 32 * 1024 * 1024;
const LOOK_MS = 2_000;

export interface LogKeeperOptions {
  readonly limitBytes?: number;
  readonly lookMs?: number;
}

/** Looks at every log of a directory now and then, and sets aside those that have grown large. */
export class LogKeeper {
  readonly #directory: string;
  readonly #report: Report;
  readonly #limitBytes: number;
  readonly #timer: NodeJS.Timeout;
  readonly #failing = new Set<string>();

  constructor(
    directory: string,
    report: Report,
    { limitBytes = LIMIT_BYTES, lookMs = LOOK_MS }: LogKeeperOptions = {},
  ) {
    this.#directory = directory;
    this.#report = report;
    this.#limitBytes = limitBytes;
    this.look();
    this.#timer = setInterval(() => this.look(), lookMs).unref();
  }

  /** Never throws: what fails is told once and tried again at the next look. */
  look(): void {
    for (const name of this.#names()) {
      const file = join(this.#directory, name);
      this.#tellOnce(file, () => {
        const rotation = rotateLog(file, this.#limitBytes);
        if (rotation === 'emptied') throw new Error('there was no room to keep its lines, so they are gone');
        return rotation === 'rotated';
      });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#directory).filter((name) => name.endsWith('.log'));
    } catch {
      // Before the first log there is no directory.
      return [];
    }
  }

  #tellOnce(file: string, rotate: () => boolean): void {
    try {
      if (rotate()) this.#failing.delete(file);
    } catch (error) {
      if (!this.#failing.has(file)) this.#report(`${file} cannot be set aside: ${(error as Error).message}`);
      this.#failing.add(file);
    }
  }
}
