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
  runProgram(root, 'remove-test-homes.ts', directories);
}

/** The nats-server the specs use; empty when there is none, which only the specs that need it should suffer from. */
export function natsServerPath(root: string): string {
  return runProgram(root, 'print-nats-server.ts', []).trim();
}

/** Runs a program of this folder with access to the libraries' sources, and returns what it printed. */
function runProgram(root: string, name: string, parameters: readonly string[]): string {
  const program = join(root, 'libs', 'testing', 'servers', 'src', name);
  const args = ['--conditions=@onepool/source', program, ...parameters];
  const ran = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${name} ${parameters.join(' ')} failed`);
  return ran.stdout;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
