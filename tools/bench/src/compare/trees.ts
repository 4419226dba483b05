/** Checkouts of other revisions, installed and built, below the benchmark's home. */
import { execFile } from 'node:child_process';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../setting/database.ts';

const run = promisify(execFile);
const PROJECTS = '@onepool/availability,@onepool/tools-bench';
const CHILD = 'tools/bench/src/compare/child.ts';
const CHILD_PARTS = [CHILD, 'tools/bench/src/compare/protocol.ts'];

export interface Tree {
  /** What the tables call it. */
  readonly label: string;
  readonly root: string;
}

/** The working tree as it is; `launch.ts` has built it. */
export async function presentTree(): Promise<Tree> {
  const [commit, changes] = await Promise.all([git('rev-parse', '--short', 'HEAD'), git('status', '--porcelain')]);
  return { label: changes === '' ? commit : `${commit} with changes`, root };
}

/**
 * The tree of a revision: a `git worktree` of its own with its own packages and build, kept for the next comparison.
 *
 * @throws when git does not know the revision, or it cannot be installed or built; the message ends with the last words.
 */
export async function treeOf(revision: string, home: string, say: (text: string) => void): Promise<Tree> {
  const commit = await git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`).catch(() => {
    throw new Error(`git knows no revision ${revision}`);
  });
  const directory = join(home, 'bench-trees', commit.slice(0, 12));
  const tree: Tree = { label: commit.slice(0, 7), root: directory };
  const mark = join(directory, 'node_modules', '.onepool-bench-built');
  if (await exists(mark)) return tree;
  await rm(directory, { recursive: true, force: true });
  await mkdir(dirname(directory), { recursive: true });
  say(`checking out ${tree.label}`);
  await git('worktree', 'prune');
  await git('worktree', 'add', '--detach', directory, commit);
  say(`installing the packages of ${tree.label}`);
  await inTree(directory, 'npm', ['ci', '--no-audit', '--no-fund']);
  if (!(await exists(join(directory, CHILD)))) await lendChild(directory);
  say(`building ${tree.label}`);
  const nx = join(directory, 'node_modules/.bin/nx');
  await inTree(directory, nx, ['run-many', '-t', 'build', '-p', PROJECTS]);
  await writeFile(mark, '');
  return tree;
}

/** A revision from before there were comparisons gets the child as it was first written: it speaks to the code of that time. */
async function lendChild(directory: string): Promise<void> {
  await mkdir(join(directory, dirname(CHILD)), { recursive: true });
  const first = await git('log', '--diff-filter=A', '--format=%H', '-1', '--', CHILD);
  for (const part of CHILD_PARTS) await writeFile(join(directory, part), await git('show', `${first}:${part}`));
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', root, ...args]);
  return stdout.trim();
}

/** Without what npm and Nx told this process of the tree that it belongs to. */
async function inTree(directory: string, program: string, args: readonly string[]): Promise<void> {
  const foreign = (name: string): boolean => /^(npm_|NX_|INIT_CWD$)/.test(name);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  try {
    await run(program, [...args], {
      cwd: directory,
      env: { ...env, NX_DAEMON: 'false', FORCE_COLOR: '0' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const words = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${program} ${args.join(' ')} failed in ${directory}:\n${words}`, { cause: error });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
