import { LocalServerError } from './local-server.ts';
import { machineEnvironment } from './nats-environment.ts';
import type { NatsEnvironment } from './nats-environment.ts';
import * as sources from './nats-sources.ts';
import type { NatsProgram, NatsSource } from './nats-sources.ts';
import { PINNED_NATS_VERSION } from './nats-version.ts';

/** Where nats-server is looked for, in this order; the first that has one wins. */
export const NATS_SOURCES: readonly NatsSource[] = [
  sources.namedByVariable,
  sources.cached,
  sources.recentOnPath,
  sources.builtByGo,
  sources.officialRelease,
  sources.anyOnPath,
  sources.debianPackage,
];

export interface NatsSearch {
  readonly environment?: NatsEnvironment;
  /** Told before a step that may take long. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Finds a nats-server, installing one into the cache when none is there.
 *
 * @throws LocalServerError when no source has one: the message gives each source's reason and what to do.
 */
export async function findNatsServer(search: NatsSearch = {}): Promise<NatsProgram> {
  const environment = search.environment ?? machineEnvironment();
  const reasons: string[] = [];
  for (const source of NATS_SOURCES) {
    if (source.announcement) search.onProgress?.(source.announcement);
    const found = await source.find(environment);
    if ('path' in found) return found;
    reasons.push(`  ${source.name}: ${found.miss}`);
    if (source.final?.(environment)) break;
  }
  const advice =
    `Install nats-server ${PINNED_NATS_VERSION} (https://nats.io/download) and put it on PATH, or name it in ` +
    'NATS_SERVER_BIN, or set NATS_URL to use a running server with JetStream.';
  throw new LocalServerError(`No nats-server was found.\n${reasons.join('\n')}\n${advice}`);
}
