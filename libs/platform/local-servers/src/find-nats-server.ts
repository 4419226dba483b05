import { join } from 'node:path';
import { LocalServerError } from './local-server.ts';
import * as sources from './nats-sources.ts';
import { PINNED_NATS_VERSION, PREFERRED_NATS_VERSION, isAtLeast } from './nats-version.ts';
import { searchProgram } from './program-search.ts';
import type { FoundProgram, ProgramSource } from './program-search.ts';
import { cacheDirectory, machineEnvironment } from './search-environment.ts';
import type { SearchEnvironment } from './search-environment.ts';

/**
 * Where nats-server is looked for, in this order; the first that has one wins. The recent ones come first, the fastest
 * of them before the slower: nothing to fetch, 6 MB, 4 MB and apt, a build. No npm package carries the program: those of
 * that name run a download or a build when they are installed.
 */
export const NATS_SOURCES: readonly ProgramSource[] = [
  sources.namedByVariable,
  sources.cached,
  sources.recentOnPath,
  sources.officialRelease,
  sources.recentDebianPackage,
  sources.builtByGo,
  sources.anyOnPath,
  sources.debianPackage,
];

const PROGRAM = 'nats-server';

export interface NatsSearch {
  readonly environment?: SearchEnvironment;
  /** Told before a step that may take long. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Finds a nats-server, installing one into the cache when none is there.
 *
 * @throws LocalServerError when no source has one: the message gives each source's reason and what to do.
 */
export async function findNatsServer(search: NatsSearch = {}): Promise<FoundProgram> {
  const environment = search.environment ?? machineEnvironment();
  const found = await searchProgram(NATS_SOURCES, { environment, onProgress: search.onProgress, program: PROGRAM });
  if ('path' in found) return found;
  const advice =
    `Install nats-server ${PINNED_NATS_VERSION} (https://nats.io/download) and put it on PATH, or name it in ` +
    'NATS_SERVER_BIN, or set NATS_URL to use a running server with JetStream.';
  throw new LocalServerError(`No nats-server was found.\n${found.reasons.join('\n')}\n${advice}`);
}

/** What to tell of a program that is older than we would like; undefined when it is not. */
export function natsWarning({ path, version }: FoundProgram): string | undefined {
  if (isAtLeast(version, PREFERRED_NATS_VERSION)) return undefined;
  const memory = join(cacheDirectory(machineEnvironment()), `${PROGRAM}-misses.json`);
  return (
    `nats-server ${version} (${path}) is older than ${PREFERRED_NATS_VERSION}; it works. For a newer one put it on PATH, ` +
    `name it in NATS_SERVER_BIN, or remove ${memory}: then all ways to get one are tried again.`
  );
}
