import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '@onepool/platform-local-servers';

const RETRY_MS = 20;

/**
 * Runs `work` while no other process runs work under the same path. The lock is a directory, which one process alone
 * can make; the lock of a process that died is broken.
 */
export async function underLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await tryLock(path))) {
    const owner = Number(await readFile(join(path, 'pid'), 'utf8').catch(() => String(process.pid)));
    if (!isAlive(owner)) await rm(path, { recursive: true, force: true });
    await delay(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(join(path, 'pid'), String(process.pid));
  return true;
}
