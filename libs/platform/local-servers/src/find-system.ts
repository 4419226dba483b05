import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type RuntimeRecord, SystemNotFound, isRunning, readRecord } from './runtime-record.ts';

/** What a caller names by options; each wins over the environment and over the record. */
export interface SystemHints {
  /** Of every replica. */
  readonly urls?: readonly string[] | undefined;
  readonly natsUrl?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface FoundSystem {
  readonly urls: readonly string[];
  readonly natsUrl: string;
  readonly key: string;
  /** What `npm start` runs here, when that is the system that was found. */
  readonly record: RuntimeRecord | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the system is, and a key for it: what the caller names, else what the environment names (`ONEPOOL_PORT_BASE`,
 * `NATS_URL`, `ONEPOOL_API_KEY`), else what `npm start` recorded in `ONEPOOL_HOME` (`.onepool`).
 *
 * @throws SystemNotFound
 * @example const { urls, natsUrl, key } = findSystem({ urls: flags.url }, process.env);
 */
export function findSystem(hints: SystemHints, environment: Environment): FoundSystem {
  const home = resolve(environment['ONEPOOL_HOME'] || '.onepool');
  const recorded = readRecord(join(home, 'runtime.json'));
  const running = recorded !== undefined && isRunning(recorded.runtime) ? recorded : undefined;
  const known = running?.urls['availability'] ?? [];
  const portBase = readPortBase(environment);
  const isElsewhere = portBase !== undefined && portBase !== running?.portBase;
  const named = hints.urls ?? (isElsewhere ? [`http://127.0.0.1:${portBase + 1}`] : undefined);
  const record = named === undefined || named.every((url) => known.includes(url)) ? running : undefined;

  const urls = named ?? known;
  if (urls.length === 0) throw nothingRuns(home, recorded !== undefined);
  const byPort = isElsewhere ? `nats://127.0.0.1:${portBase + 11}` : undefined;
  const natsUrl = hints.natsUrl || environment['NATS_URL'] || record?.natsUrl || byPort;
  if (!natsUrl) throw new SystemNotFound('Nothing says where NATS is: give --nats-url beside --url, or set NATS_URL.');
  const keyFile = record?.apiKeyFile ?? join(home, 'dev-api-key');
  return { urls, natsUrl, key: findKey(hints.keyFile, environment, keyFile), record };
}

function nothingRuns(home: string, hasEnded: boolean): SystemNotFound {
  const why = hasEnded ? 'what it ran has ended' : 'it has no runtime.json';
  return new SystemNotFound(
    `Nothing runs on ${home} (${why}): run \`npm start\` in another terminal and wait for its URLs, or name a system ` +
      'elsewhere with --url, --nats-url and --key-file.',
  );
}

function findKey(keyFile: string | undefined, environment: Environment, recordedFile: string): string {
  const named = environment['ONEPOOL_API_KEY'];
  if (keyFile === undefined && named) return named;
  const path = keyFile ?? recordedFile;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new SystemNotFound(`No API key can be read in ${path}: give --key-file, or set ONEPOOL_API_KEY.`, { cause });
  }
}

function readPortBase(environment: Environment): number | undefined {
  const text = environment['ONEPOOL_PORT_BASE'];
  if (!text) return undefined;
  if (!/^\d{1,5}$/.test(text)) throw new SystemNotFound(`ONEPOOL_PORT_BASE is no port number: ${text}`);
  return Number(text);
}
