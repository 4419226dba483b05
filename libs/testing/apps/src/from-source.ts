/**
 * Loaded before an app, as by `node --import`, it lets the app run from its sources, decorators and their metadata included, as
 * a build would emit them: a spec starts what is written, and not what was last built.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JscConfig, transformSync } from '@swc/core';

const root = join(import.meta.dirname, '../../../..');
const configFile = join(root, '.swcrc');

registerHooks({
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    const path = fileURLToPath(url);
    if (dirname(path).includes('/node_modules/')) return next(url, context);
    const { code } = transformSync(readFileSync(path, 'utf8'), {
      filename: path,
      configFile,
      sourceMaps: 'inline',
      // Imports name sources, which the build renames; swc's types do not know the option.
      jsc: { rewriteRelativeImportExtensions: false } as JscConfig,
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
