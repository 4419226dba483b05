/** The workspace's projects as their package.json files state them: what the lint rules and Nx's targets rest on. */
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Project {
  /** Folder below the workspace's root, for example `libs/stock/domain`. */
  readonly folder: string;
  readonly tags: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: unknown;
}

interface PackageJson {
  readonly nx?: { readonly tags?: readonly string[] };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
  readonly workspaces?: readonly string[];
}

const readPackage = async (folder: string): Promise<PackageJson> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageJson;

/** Folders that a workspace pattern names; its only wildcard stands for one whole folder name. */
async function expand(root: string, pattern: string): Promise<string[]> {
  let folders = [''];
  for (const part of pattern.split('/')) {
    const next = folders.map(async (folder) => {
      if (part !== '*') return [join(folder, part)];
      const entries = await readdir(join(root, folder), { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
    });
    folders = (await Promise.all(next)).flat();
  }
  return folders.filter((folder) => existsSync(join(root, folder, 'package.json')));
}

/** Every project of the workspace below `root`, in the order of its folders. */
export async function readProjects(root: string): Promise<Project[]> {
  const { workspaces = [] } = await readPackage(root);
  const folders = (await Promise.all(workspaces.map((pattern) => expand(root, pattern)))).flat();
  return Promise.all(
    [...new Set(folders)].sort().map(async (folder) => {
      const { nx, scripts = {}, exports } = await readPackage(join(root, folder));
      return { folder, tags: nx?.tags ?? [], scripts, exports };
    }),
  );
}

/**
 * The two tags that a folder stands for, so that a misplaced or mistagged project is seen.
 *
 * `libs/stock/domain` → `['scope:stock', 'type:domain']`; an unknown place answers an empty list.
 */
export function tagsOfFolder(folder: string): readonly string[] {
  const [top, second, third] = folder.split('/');
  if (top === 'apps') return [`scope:${second}`, 'type:app'];
  if (folder === 'tools/bench') return ['scope:bench', 'type:app'];
  if (top === 'tools') return ['scope:tools', 'type:app'];
  if (top !== 'libs') return [];
  if (second === 'client' || second === 'contracts') return ['scope:shared', `type:${second}`];
  if (second === 'money' || second === 'result') return ['scope:shared', 'type:domain'];
  if (folder === 'libs/platform/app') return ['scope:shared', 'type:kit'];
  if (second === 'platform' || second === 'testing') return ['scope:shared', `type:${second}`];
  return third ? [`scope:${second}`, `type:${third}`] : [];
}
