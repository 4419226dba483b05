/** What every scenario needs: k6, a running system, and a folder of its own. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureRunning } from '@onepool/tools-runtime';
import { findK6 } from './k6/find-k6.ts';
import { writeRunFile } from './k6/run-k6.ts';
import { requireLoopback } from './loopback.ts';

export interface LoadRun {
  /** The program. */
  readonly k6: string;
  readonly folder: string;
  readonly system: { readonly urls: readonly string[]; readonly key: string; readonly natsUrl: string };
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const ATTEMPTS = 6;
/** Of what the runtime prints, only its steps: it ends with addresses and keys, which a log need not keep. */
const isStep = (line: string): boolean => /^[✔✖]/.test(line);

/**
 * Runs `work` against the system, which is started when it does not run and is then stopped at the end.
 *
 * @throws K6NotFound, or an Error that says what to do when the system runs with too few replicas.
 */
export async function withLoadRun<T>(
  { replicas, signal, say }: Pick<LoadRun, 'signal' | 'say'> & { readonly replicas: number },
  work: (run: LoadRun) => Promise<T>,
): Promise<T> {
  const { path: k6 } = await findK6({ onProgress: say });
  signal.throwIfAborted();
  say('looking for a running system, or starting one');
  const running = await ensureRunning({ replicas, onLine: (line) => isStep(line) && say(`system: ${line}`) }).catch(
    (cause: unknown) => {
      const advice = `Stop it, or start it with \`npm start -- --replicas availability=${replicas}\`.`;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(why.includes('processes of availability') ? `${why} ${advice}` : why, { cause });
    },
  );
  const folder = mkdtempSync(join(tmpdir(), 'onepool-load-'));
  try {
    signal.throwIfAborted();
    const { availabilityUrls: urls, natsUrl, apiKeyFile } = running;
    requireLoopback(urls);
    const key = readFileSync(apiKeyFile, 'utf8').trim();
    writeRunFile(folder, 'target.json', { urls, key, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS, attempts: ATTEMPTS });
    return await work({ k6, folder, system: { urls, key, natsUrl }, signal, say });
  } finally {
    await rm(folder, { recursive: true, force: true });
    await running.stop();
  }
}
