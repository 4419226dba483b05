import { LocalServerError } from './local-server.ts';
import * as sources from './nats-sources.ts';
import { PINNED_NATS_VERSION } from './nats-version.ts';
import { searchProgram } from './program-search.ts';
import type { FoundProgram, ProgramSource } from './program-search.ts';
import { machineEnvironment } from './search-environment.ts';
import type { SearchEnvironment } from './search-environment.ts';

/** Where nats-server is looked for, in this order; the first that has one wins. */
export const NATS_SOURCES: readonly ProgramSource[] = [
  sources.namedByVariable,
  sources.cached,
  sources.recentOnPath,
  sources.builtByGo,
  sources.officialRelease,
  sources.anyOnPath,
  sources.debianPackage,
];

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
  const found = await searchProgram(NATS_SOURCES, { environment, onProgress: search.onProgress });
  if ('path' in found) return found;
  const advice =
    `Install nats-server ${PINNED_NATS_VERSION} (https://nats.io/download) and put it on PATH, or name it in ` +
    'NATS_SERVER_BIN, or set NATS_URL to use a running server with JetStream.';
  throw new LocalServerError(`No nats-server was found.\n${found.reasons.join('\n')}\n${advice}`);
}
