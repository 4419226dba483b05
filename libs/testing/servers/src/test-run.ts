/** What Jest's set-up and tear-down share. Node's own modules only: see `remove-test-homes.ts`. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file system in memory, which Linux has. */
const MEMORY = '/dev/shm';
/** Several times what a run needs at most. */
const ROOM_BYTES = 4 * 1024 ** 3;

/** Below the workspace, named after the Jest process. */
export function testHomeOf(root: string, pid: number): string {
  return join(root, '.onepool', `test-${pid}`);
}

/**
 * Makes the run's directory and returns its real place. That is in memory where there is room, and `testHomeOf` is a link to
 * it: specs make and remove a hundred databases of four hundred files each, which costs ext4 ten times as much time.
 */
export function makeTestHome(root: string, pid: number): string {
  const home = testHomeOf(root, pid);
  mkdirSync(dirname(home), { recursive: true });
  const inMemory = join(MEMORY, `onepool-test-${pid}`);
  if (!hasRoom() || !isMade(inMemory)) {
    mkdirSync(home);
    return home;
  }
  symlinkSync(inMemory, home);
  return inMemory;
}

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return Math.min(bavail * bsize, process.availableMemory()) > ROOM_BYTES;
}

function isMade(directory: string): boolean {
  try {
    // PostgreSQL, which runs as another user where we are root, passes through.
    mkdirSync(directory, { mode: 0o711 });
    return true;
  } catch {
    return false;
  }
}

/** The directories of runs whose Jest process is gone. */
export function abandonedTestHomes(root: string): string[] {
  return [...abandonedBelow(join(root, '.onepool'), 'test-'), ...abandonedBelow(MEMORY, 'onepool-test-')];
}

function abandonedBelow(parent: string, prefix: string): string[] {
  if (!existsSync(parent)) return [];
  const pidOf = (name: string): number => (name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN);
  return readdirSync(parent)
    .filter((name) => Number.isInteger(pidOf(name)) && !exists(pidOf(name)))
    .map((name) => join(parent, name))
    .filter((path) => lstatSync(path).uid === process.getuid?.());
}

/** Stops every server below the directories and removes them. */
export function removeTestHomes(root: string, directories: readonly string[]): void {
  const used = directories.filter((directory) => existsSync(directory) && readdirSync(directory).length > 0);
  if (used.length > 0) runProgram(root, 'remove-test-homes.ts', used);
  // What is left was never used: an empty directory, or a link that leads to one or to none.
  for (const directory of directories) {
    const target = lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() ? [readlinkSync(directory)] : [];
    for (const path of [...target, directory]) rmSync(path, { recursive: true, force: true });
  }
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
