/** PostgreSQL and nats-server of the benchmark's own, in a home that is removed afterwards. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  freePort,
  isAlive,
  removePrivateDirectory,
  startNats,
  startPostgres,
  stopNatsIn,
  stopPostgresIn,
} from '@onepool/platform-local-servers';

export interface Servers {
  readonly home: string;
  /** Of the role that makes databases and owns the schemas. */
  readonly databaseUrl: string;
  /** Of the role that is measured: the app's. */
  readonly appUrl: string;
  /** The postmaster, when the server is ours. */
  readonly postmaster: number | null;
  /** Starts NATS when it is first needed. */
  natsUrl(): Promise<string>;
  /** Whether NATS has been needed so far. */
  usesNats(): boolean;
  /** False when NATS was given by its address: then no stream there is ours to delete. */
  readonly ownsNats: boolean;
  stop(): Promise<void>;
}

export interface ServerChoice {
  /** Where homes are made: `ONEPOOL_HOME`. */
  readonly base: string;
  readonly databaseUrl: string | undefined;
  /** If another role makes the databases than works in them. */
  readonly databaseOwnerUrl?: string | undefined;
  readonly natsUrl: string | undefined;
}

const PREFIX = 'bench-';

/** Beyond what `npm start` gives a newcomer's machine: as much as PostgreSQL's manual advises for a server of 4 GB. */
const SETTINGS = { shared_buffers: '1GB' };

export async function startServers({ base, databaseUrl, databaseOwnerUrl, natsUrl }: ServerChoice): Promise<Servers> {
  await mkdir(base, { recursive: true });
  await removeLeftovers(base);
  const home = await mkdtemp(join(base, `${PREFIX}${process.pid}-`));
  const postgres =
    databaseUrl === undefined ? await startPostgres({ home, port: await freePort(), settings: SETTINGS }) : null;
  let nats: Promise<string> | undefined;
  const ownNats = async (): Promise<string> => {
    const users = [{ name: 'bench', password: randomBytes(24).toString('base64url') }];
    return (await startNats({ home, port: await freePort(), accounts: [{ name: 'bench', users }] })).url;
  };
  return {
    home,
    databaseUrl: databaseOwnerUrl ?? databaseUrl ?? postgres?.ownerUrl ?? '',
    appUrl: databaseUrl ?? postgres?.url ?? '',
    postmaster: postgres?.pid ?? null,
    natsUrl: () => (nats ??= natsUrl === undefined ? ownNats() : Promise.resolve(natsUrl)),
    usesNats: () => nats !== undefined,
    ownsNats: natsUrl === undefined,
    stop: () => removeHome(home),
  };
}

async function removeHome(home: string): Promise<void> {
  await Promise.all([stopPostgresIn(home), stopNatsIn(home)]);
  await removePrivateDirectory(join(home, 'postgres'));
  await rm(home, { recursive: true, force: true });
}

/** A run that was killed leaves its servers; its number in the name says whether it still runs. */
async function removeLeftovers(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = Number(/^bench-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await removeHome(join(base, name));
  }
}
