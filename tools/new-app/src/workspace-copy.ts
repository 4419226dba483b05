/** A copy of the workspace in which a spec may make apps: sources of its own, the packages of this one. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const COPIED = [
  'apps',
  'libs',
  'tools',
  'package.json',
  'tsconfig.base.json',
  'tsconfig.lint.json',
  '.swcrc',
  '.prettierrc.json',
  'eslint.config.js',
];
const LEFT_OUT = ['node_modules', 'dist', '.nx'];

export interface WorkspaceCopy {
  readonly root: string;
  remove(): void;
}

export function copyWorkspace(from: string): WorkspaceCopy {
  const root = mkdtempSync(join(tmpdir(), 'onepool-workspace-'));
  for (const name of COPIED) {
    cpSync(join(from, name), join(root, name), {
      recursive: true,
      filter: (path) => !LEFT_OUT.includes(basename(path)),
    });
  }
  const [packages, linked] = [join(from, 'node_modules'), join(root, 'node_modules')];
  mkdirSync(join(linked, '@onepool'), { recursive: true });
  for (const name of readdirSync(packages)) {
    if (name !== '@onepool' && name !== '.cache') symlinkSync(join(packages, name), join(linked, name));
  }
  // These lead into the workspace by relative paths, and so into the copy.
  for (const name of readdirSync(join(packages, '@onepool'))) {
    symlinkSync(readlinkSync(join(packages, '@onepool', name)), join(linked, '@onepool', name));
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
