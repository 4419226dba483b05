/** Runs one scenario of `load-tests/` in a folder of its own, to which it writes its history and summary. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const LOAD_TESTS = join(import.meta.dirname, '../../../../load-tests');
/** Inside the run's folder. */
export const HISTORY_FILE = 'history.ndjson';
export const SUMMARY_FILE = 'summary.json';

export interface K6Run {
  /** The program. */
  readonly k6: string;
  /** A file of `load-tests/`. */
  readonly scenario: string;
  /** Folder that only this run uses; what the scenario reads is already there. */
  readonly folder: string;
  readonly onLine: (line: string) => void;
  /** Ends the run early, as Ctrl-C does. */
  readonly signal: AbortSignal;
}

/** Some threshold was crossed; the run itself is whole. */
export const K6_THRESHOLDS_CROSSED = 99;

/** Writes what the scenario reads. The folder is ours alone, and so is the file, as it may hold a key. */
export function writeRunFile(folder: string, name: string, content: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 });
}

/** Resolves with k6's exit code. k6 talks to the target only: no usage report, no control port, no extensions. */
export async function runK6({ k6, scenario, folder, onLine, signal }: K6Run): Promise<number> {
  const quiet = ['--quiet', '--no-color', '--no-usage-report', '--address=', '--log-format=raw'];
  const places = ['--console-output', join(folder, HISTORY_FILE), '--env', `RUN=${folder}`];
  // What a person's shell has set for k6 must not change what is measured, or send it elsewhere.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('K6_'));
  const child = spawn(k6, ['run', ...quiet, ...places, join(LOAD_TESTS, scenario)], {
    cwd: folder,
    env: { ...Object.fromEntries(own), K6_AUTO_EXTENSION_RESOLUTION: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: a Ctrl-C reaches us, and we end it in order.
    detached: true,
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    if (code === null) throw new Error(`k6 was ended by ${killedBy}`);
    return code;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
