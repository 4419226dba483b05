import { machineEnvironment, searchProgram } from '@onepool/platform-local-servers';
import type { FoundProgram, ProgramSearch, ProgramSource } from '@onepool/platform-local-servers';
import * as sources from './k6-sources.ts';

/**
 * Where k6 is looked for, in this order; the first that has one wins. The official release is not among them: no checksum
 * of it could be verified, and what cannot be verified is not run. The npm package named k6 is an empty placeholder.
 */
export const K6_SOURCES: readonly ProgramSource[] = [
  sources.namedByK6Bin,
  sources.onPath,
  sources.cached,
  sources.builtByGo,
];

/** The sources that have one at once or not at all. */
export const QUICK_K6_SOURCES = K6_SOURCES.filter(({ announcement }) => announcement === undefined);

/** k6 cannot be had; the message gives each source's reason and what to do. */
export class K6NotFound extends Error {
  override readonly name = 'K6NotFound';
}

/**
 * Finds k6, building it into the cache when there is none but a Go toolchain.
 *
 * @throws K6NotFound
 */
export async function findK6(
  search: Partial<ProgramSearch> = {},
  from: readonly ProgramSource[] = K6_SOURCES,
): Promise<FoundProgram> {
  const { environment = machineEnvironment(), onProgress = () => undefined } = search;
  const pulse = new Pulse(onProgress);
  const found = await searchProgram(from, { environment, onProgress: (message) => pulse.say(message) }).finally(() =>
    pulse.stop(),
  );
  if ('path' in found) return found;
  const advice =
    `Install k6 ${sources.PINNED_K6_VERSION} (https://grafana.com/docs/k6) and put it on PATH, or name it in K6_BIN, ` +
    'or install Go (https://go.dev/dl), with which it is built once.';
  throw new K6NotFound(`No k6 was found.\n${found.reasons.join('\n')}\n${advice}`);
}

const SAY_EVERY_MS = 10_000;

/** A long step says now and then that it still goes on. */
class Pulse {
  readonly #onProgress: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onProgress: (message: string) => void) {
    this.#onProgress = onProgress;
  }

  say(message: string): void {
    this.stop();
    this.#onProgress(message);
    let seconds = 0;
    this.#timer = setInterval(() => {
      seconds += SAY_EVERY_MS / 1_000;
      this.#onProgress(`${seconds} s so far: ${message}`);
    }, SAY_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
