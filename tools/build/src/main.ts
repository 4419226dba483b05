/**
 * Emits one project: every TypeScript source below `src/` that is not a spec becomes JavaScript below `dist/`, with
 * decorator metadata, by SWC. Types are checked apart, by the `typecheck` target.
 *
 * Run in the project's folder: `node <root>/tools/build/src/main.ts`.
 */
import { mkdir, readdir, rm, writeFile, copyFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const source = join(process.cwd(), 'src');
const target = join(process.cwd(), 'dist');
const isSpec = (path: string): boolean => /\.(spec|int-spec)\.ts$/.test(path);

async function emit(path: string): Promise<void> {
  const out = join(target, relative(source, path));
  await mkdir(dirname(out), { recursive: true });
  if (!path.endsWith('.ts')) return copyFile(path, out);
  const script = out.replace(/\.ts$/, '.js');
  const { code, map } = await transformFile(path, { swcrc: true, configFile: join(root, '.swcrc'), sourceMaps: true });
  await writeFile(script, `${code}\n//# sourceMappingURL=${basename(script)}.map\n`);
  if (map) await writeFile(`${script}.map`, map);
}

await rm(target, { recursive: true, force: true });
const entries = await readdir(source, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
await Promise.all(files.filter((path) => !isSpec(path)).map(emit));
