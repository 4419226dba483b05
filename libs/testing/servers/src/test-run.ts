/** What Jest's set-up and tear-down share. Node's own modules only: see `remove-test-homes.ts`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Below the workspace, named after the Jest process. */
export function testHomeOf(root: string, pid: number): string {
  return join(root, '.onepool', `test-${pid}`);
}

/** The directories of runs whose Jest process is gone. */
export function abandonedTestHomes(root: string): string[] {
  const parent = join(root, '.onepool');
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => /^test-\d+$/.test(name) && !exists(Number(name.slice('test-'.length))))
    .map((name) => join(parent, name));
}

/** Stops every server below the directories and removes them. */
export function removeTestHomes(root: string, directories: readonly string[]): void {
  if (directories.length === 0) return;
  const program = join(root, 'libs', 'testing', 'servers', 'src', 'remove-test-homes.ts');
  const args = ['--import', 'tsx', '--conditions=@onepool/source', program, ...directories];
  const ran = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (ran.status !== 0) throw new Error(`the servers below ${directories.join(', ')} could not be removed`);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
