/**
 * Whether what the apps run, the `dist` folders, still belongs to the sources. Nx knows too, but takes seconds to say
 * so: therefore a fingerprint of every file's path, size and time is kept, and Nx is only asked when it differs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { dirname, join } from 'node:path';

const TREES = ['apps', 'libs', 'tools/build'];
const SHARED_FILES = ['package-lock.json', 'tsconfig.base.json', '.swcrc'];
const IGNORED = /^(node_modules|\.nx|coverage)$|\.(spec|int-spec)\.ts$|\.md$/;

/** A value that changes when any source or built file does. */
export function buildFingerprint(root: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  SHARED_FILES.forEach((name) => visit(join(root, name)));
  TREES.forEach((tree) => filesBelow(join(root, tree)).forEach(visit));
  return hash.digest('hex');
}

/** True unless `rememberBuild` saw exactly these files and every app's program is among them. */
export function isBuildStale(root: string, entries: readonly string[]): boolean {
  const isBuilt = (entry: string): boolean => statSync(join(root, entry), { throwIfNoEntry: false }) !== undefined;
  return !entries.every(isBuilt) || remembered(root) !== buildFingerprint(root);
}

/** Notes that the sources and the built files as they are now belong together. */
export function rememberBuild(root: string): void {
  const file = memory(root);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, buildFingerprint(root));
  } catch {
    // Who may not write here asks Nx each time, which is slower and as right.
  }
}

function memory(root: string): string {
  return join(root, 'node_modules', '.cache', 'onepool', 'build-fingerprint');
}

function remembered(root: string): string | undefined {
  try {
    return readFileSync(memory(root), 'utf8');
  } catch {
    return undefined;
  }
}

function filesBelow(directory: string): string[] {
  const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);
  const entries = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !IGNORED.test(name));
  return entries.sort(byName).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
