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
  });
}

/**
 * Throws away what the runtime made below the home, and nothing else: the home may hold other people's files, and a
 * server named by `DATABASE_URL` is not ours.
 */
export async function resetHome(paths: HomePaths): Promise<void> {
  const { home } = paths;
  await Promise.all([stopPostgresIn(home), stopNatsIn(home)]);
  await removePrivateDirectory(join(home, 'postgres'));
  const passwords = POSTGRES_PASSWORD_FILES.map((name) => join(home, name));
  const ours = [join(home, 'nats'), ...passwords, paths.logs, paths.apiKeyFile, paths.record];
  await Promise.all([...ours, paths.natsUsers, paths.seeded].map((path) => rm(path, { recursive: true, force: true })));
}
