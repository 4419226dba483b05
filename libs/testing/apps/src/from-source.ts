/**
 * Loaded before an app, as by `node --import`, it lets the app run from its sources, decorators and their metadata included, as
 * a build would emit them: a spec starts what is written, and not what was last built.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JscConfig, transformSync } from '@swc/core';

const root = join(import.meta.dirname, '../../../..');
const configFile = join(root, '.swcrc');
/** What was made of a source once serves every process until the source or the settings change. */
const kept = join(root, 'node_modules/.cache/onepool/sources');
const settings = readFileSync(configFile, 'utf8');
mkdirSync(kept, { recursive: true });
/** Whoever loads a file anew gives it a query. */
const isSource = /^file:[^?#]*\.ts(?:[?#]|$)/;

registerHooks({
  load(url, context, next) {
    if (!isSource.test(url)) return next(url, context);
    const path = fileURLToPath(url);
    if (dirname(path).includes('/node_modules/')) return next(url, context);
    const code = emitted(path, readFileSync(path, 'utf8'));
    return { format: 'module', source: code, shortCircuit: true };
  },
});

function emitted(path: string, source: string): string {
  const file = join(kept, `${hash('sha256', `${settings}\0${path}\0${source}`)}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const { code } = transformSync(source, {
      filename: path,
      configFile,
      sourceMaps: 'inline',
      // Imports name sources, which the build renames; swc's types do not know the option.
      jsc: { rewriteRelativeImportExtensions: false } as JscConfig,
    });
    // Whole or not at all, whoever else writes it.
    writeFileSync(`${file}.${process.pid}`, code);
    renameSync(`${file}.${process.pid}`, file);
    return code;
  }
}
