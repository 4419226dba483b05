/**
 * Directories for a server that runs as `nobody` because we are root, who it must not run as.
 *
 * `ONEPOOL_HOME` may lie below a directory that only root may enter. The kernel is asked, as that user, rather than
 * the mode bits interpreted: access lists and mount options count too. Where the way is barred the directory is made
 * below `/var/tmp/onepool-<uid>` and linked from its proper place.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  realpath,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalServerError } from './local-server.ts';
import type { Account } from './server-process.ts';

/** The account PostgreSQL runs under: `nobody` when we are root, undefined (ourselves) otherwise. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (option: string): number => {
    const asked = spawnSync('id', [option, 'nobody'], { encoding: 'utf8' });
    return asked.status === 0 ? Number(asked.stdout) : 65_534;
  };
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** True when `account` can enter the directory, or execute the file, at `path`. */
export function canReach(path: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', path], { cwd: '/', ...account }).status === 0;
}

/**
 * Makes `path` a directory that belongs to `account` alone and that it can reach, and returns its real place: `path`
 * itself, or where the link now at `path` points.
 */
export async function privateDirectory(path: string, account: Account | undefined): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  if (target !== undefined && !existsSync(target)) await rm(path);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (account === undefined) return realpath(path);
  await chown(path, account.uid, account.gid);
  const real = await realpath(path);
  if (canReach(real, account)) return real;
  const shared = await sharedDirectory();
  await sweep(shared);
  const elsewhere = join(shared, createHash('sha256').update(path).digest('hex').slice(0, 16));
  await mkdir(elsewhere, { recursive: true, mode: 0o700 });
  await chown(elsewhere, account.uid, account.gid);
  // Only an empty directory gives way to the link: data that became unreachable is not ours to throw away.
  await rmdir(path).catch((cause: unknown) => {
    throw new LocalServerError(`${path} holds data that user ${account.uid} can no longer reach.`, { cause });
  });
  await symlink(elsewhere, path);
  await writeFile(`${elsewhere}${OWNER}`, path);
  return elsewhere;
}

/** Beside each directory a file names the link that leads to it: when that is gone, so is the reason for it. */
const OWNER = '.link';

async function sweep(shared: string): Promise<void> {
  const owners = (await readdir(shared)).filter((name) => name.endsWith(OWNER));
  for (const name of owners) {
    const directory = join(shared, name.slice(0, -OWNER.length));
    const link = await readFile(join(shared, name), 'utf8').catch(() => '');
    if ((await readlink(link).catch(() => undefined)) === directory) continue;
    await rm(directory, { recursive: true, force: true });
    await rm(join(shared, name), { force: true });
  }
}

/** Removes what `privateDirectory` made, wherever it lies. */
export async function removePrivateDirectory(path: string): Promise<void> {
  const target = await readlink(path).catch(() => undefined);
  if (target !== undefined) {
    await rm(target, { recursive: true, force: true });
    await rm(`${target}${OWNER}`, { force: true });
  }
  await rm(path, { recursive: true, force: true });
}

/** A directory of ours that everyone may enter; refused when somebody else made it first. */
export async function sharedDirectory(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const path = join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), `onepool-${uid}`);
  await mkdir(path, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new LocalServerError(
      `${path} belongs to somebody else; remove it, or move ONEPOOL_HOME to an open directory.`,
    );
  }
  return path;
}
