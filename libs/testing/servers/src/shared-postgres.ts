/**
 * The one PostgreSQL that the specs of a run share. The first spec that asks starts it and the others adopt it, so a run
 * of pure specs never pays for it. It does not sync to disk: no test survives a power cut anyway. Fault tests that are
 * about durability start their own.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LocalPostgres, freePort, startPostgres } from '@onepool/platform-local-servers';
import { underLock } from './directory-lock.ts';
import { testHome } from './test-home.ts';

export const FAST_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  // Commits keep the path they have in production, up to the sync.
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: '400',
  max_wal_size: '256MB',
  // Specs log in some thousands of times, and a password that is made for them needs no guard against guessing.
  scram_iterations: '1',
};

let started: Promise<LocalPostgres> | undefined;

/** The shared server; its addresses are those of its database `onepool`. */
export function sharedPostgres(): Promise<LocalPostgres> {
  started ??= start();
  return started;
}

async function start(): Promise<LocalPostgres> {
  const home = join(testHome(), 'shared');
  await mkdir(home, { recursive: true });
  return underLock(join(testHome(), 'shared.lock'), async () => {
    const portFile = join(home, 'port');
    const port = Number(await readFile(portFile, 'utf8').catch(() => undefined)) || (await freePort());
    await writeFile(portFile, String(port));
    return startPostgres({ home, port, settings: FAST_SETTINGS });
  });
}
