import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  POSTGRES_PASSWORD_FILES,
  removePrivateDirectory,
  stopNatsIn,
  stopPostgresIn,
} from '@onepool/platform-local-servers';

/** Everything the runtime keeps, below one directory. */
export interface HomePaths {
  readonly home: string;
  readonly logs: string;
  readonly apiKeyFile: string;
  /** What runs now, for the next start and for other tools. */
  readonly record: string;
  readonly lock: string;
  /** The users of our NATS, with their passwords. */
  readonly natsUsers: string;
  /** Which databases have been seeded. */
  readonly seeded: string;
  /** Which failpoints have killed an app. */
  readonly killed: string;
}

export function homePaths(home: string): HomePaths {
  return Object.freeze({
    home,
    logs: join(home, 'logs'),
    apiKeyFile: join(home, 'dev-api-key'),
    record: join(home, 'runtime.json'),
    lock: join(home, 'runtime.lock'),
    natsUsers: join(home, 'nats-users.json'),
    seeded: join(home, 'seeded.json'),
    killed: join(home, 'failpoints'),
  });
}

/**
 * Makes the home, and takes from others every right to what is below it and ours, also to what an earlier version made
 * with the ordinary rights. Other people's files in it keep theirs, and so does a home that was there before.
 *
 * @throws what the system says when the home cannot be made.
 */
export function openHome(paths: HomePaths): void {
  // As root our PostgreSQL runs as another user, who must get through to its data.
  mkdirSync(paths.home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  [...oursIn(paths), paths.lock].forEach(closeToOthers);
}

function closeToOthers(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  try {
    if (found?.isFile()) chmodSync(path, 0o600);
    if (!found?.isDirectory()) return;
    chmodSync(path, 0o700);
    readdirSync(path).forEach((name) => closeToOthers(join(path, name)));
  } catch (error) {
    // A server that still runs may remove a file of its own meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** What the runtime keeps, but for PostgreSQL's data, which are its account's alone, and the lock. */
function oursIn({ home, logs, apiKeyFile, record, natsUsers, seeded, killed }: HomePaths): readonly string[] {
  const passwords = POSTGRES_PASSWORD_FILES.map((name) => join(home, name));
  return [join(home, 'nats'), ...passwords, logs, apiKeyFile, record, natsUsers, seeded, killed];
}

/**
 * Throws away what the runtime made below the home, and nothing else: the home may hold other people's files, and a
 * server named by `DATABASE_URL` is not ours.
 */
export async function resetHome(paths: HomePaths): Promise<void> {
  const { home } = paths;
  await Promise.all([stopPostgresIn(home), stopNatsIn(home)]);
  await removePrivateDirectory(join(home, 'postgres'));
  await Promise.all(oursIn(paths).map((path) => rm(path, { recursive: true, force: true })));
}
