/** Checkouts of other revisions, installed and built, below the benchmark's home. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../setting/database.ts';
import type { CompareGroup } from './protocol.ts';

const run = promisify(execFile);
const PROJECTS = '@onepool/availability,@onepool/tools-bench';
const PROTOCOL = 'tools/bench/src/compare/protocol.ts';
/** The child, with what it uses that a tree may lack. All else that it uses is the tree's own. */
const CHILD_PARTS = [
  PROTOCOL,
  'tools/bench/src/compare/child.ts',
  'tools/bench/src/compare/grounds',
  'tools/bench/src/feeds',
  'tools/bench/src/measuring/working-set.ts',
];

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
 * The tree of a revision: a `git worktree` of its own with its own packages and build, kept for the next comparison. It has
 * a child that knows these groups.
 *
 * @throws when git does not know the revision, or it cannot be installed or built; the message ends with the last words.
 */
export async function treeOf(
  revision: string,
  groups: readonly CompareGroup[],
  home: string,
  say: (text: string) => void,
): Promise<Tree> {
  const commit = await git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`).catch(() => {
    throw new Error(`git knows no revision ${revision}`);
  });
  const directory = join(home, 'bench-trees', commit.slice(0, 12));
  const tree: Tree = { label: commit.slice(0, 7), root: directory };
  const installed = join(directory, 'node_modules', '.onepool-bench-installed');
  const built = join(directory, 'node_modules', '.onepool-bench-built');
  if (!(await exists(installed)) && !(await exists(built))) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(dirname(directory), { recursive: true });
    say(`checking out ${tree.label}`);
    await git('worktree', 'prune');
    await git('worktree', 'add', '--detach', directory, commit);
    say(`installing the packages of ${tree.label}`);
    await inTree(directory, 'npm', ['ci', '--no-audit', '--no-fund']);
    await writeFile(installed, '');
  }
  const protocol = await readFile(join(directory, PROTOCOL), 'utf8').catch(() => '');
  if (!knowsAll(protocol, groups)) {
    await rm(built, { force: true });
    await lendChild(directory, groups);
  }
  if (await exists(built)) return tree;
  say(`building ${tree.label}`);
  const nx = join(directory, 'node_modules/.bin/nx');
  await inTree(directory, nx, ['run-many', '-t', 'build', '-p', PROJECTS]);
  await writeFile(built, '');
  return tree;
}

/** Whether the child that speaks this protocol knows the groups. */
export const knowsAll = (protocol: string, groups: readonly CompareGroup[]): boolean =>
  groups.every((group) => new RegExp(`^  ${group}: \\[`, 'm').test(protocol));

/**
 * A revision whose own child does not know the groups, or that has none, gets the first one that did: of all children that
 * know them it speaks to code that is nearest to the revision's. Until that is committed it is the working tree's.
 */
async function lendChild(directory: string, groups: readonly CompareGroup[]): Promise<void> {
  for (const commit of await linesOf('log', '--reverse', '--format=%H', '--', PROTOCOL)) {
    const protocol = await git('show', `${commit}:${PROTOCOL}`).catch(() => '');
    if (!knowsAll(protocol, groups)) continue;
    for (const file of await linesOf('ls-tree', '-r', '--name-only', '--full-tree', commit, '--', ...CHILD_PARTS)) {
      await mkdir(join(directory, dirname(file)), { recursive: true });
      await writeFile(join(directory, file), await git('show', `${commit}:${file}`));
    }
    return;
  }
  for (const part of CHILD_PARTS) await cp(join(root, part), join(directory, part), { recursive: true });
}

async function linesOf(...args: readonly string[]): Promise<readonly string[]> {
  return (await git(...args)).split('\n').filter((line) => line !== '');
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
