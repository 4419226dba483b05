import { renameSync, writeFileSync } from 'node:fs';
import type { Report } from './supervised.ts';

export interface KeptFileOptions {
  /** Told once when writing begins to fail, and once when it works again. */
  readonly report: Report;
  readonly retryMs?: number;
  /** How a file is written; a test lets it fail. */
  readonly write?: (file: string, content: string) => void;
}

const RETRY_MS = 2_000;

/**
 * A small file of the runtime that shall always hold the newest content. A write that fails, because the disk is full or
 * the right to write was taken away, ends nothing: it is told once and tried again until it succeeds.
 */
export class KeptFile {
  readonly #file: string;
  readonly #report: Report;
  readonly #retryMs: number;
  readonly #write: (file: string, content: string) => void;
  #content = '';
  #retry: NodeJS.Timeout | undefined;

  constructor(file: string, { report, retryMs = RETRY_MS, write = writeWhole }: KeptFileOptions) {
    this.#file = file;
    this.#report = report;
    this.#retryMs = retryMs;
    this.#write = write;
  }

  /** Writes the first content, without which a start cannot go on. @throws what the system says. */
  create(content: string): void {
    this.#content = content;
    this.#write(this.#file, content);
  }

  /** Makes this the file's content, now if that can be, otherwise as soon as it can. */
  put(content: string): void {
    this.#content = content;
    const failing = this.#retry !== undefined;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      this.#write(this.#file, content);
      if (failing) this.#report(`${this.#file} can be written again`);
    } catch (error) {
      if (!failing) this.#report(`${this.#file} cannot be written, which is tried again: ${(error as Error).message}`);
      // What waits to be written keeps no process alive.
      this.#retry = setTimeout(() => this.put(this.#content), this.#retryMs).unref();
    }
  }
}

/** A kill finds the old file or the new one, never a part, and only its owner may read it. */
export function writeWhole(file: string, content: string): void {
  const draft = `${file}.draft`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, file);
}
