/** `npm start`: see README.md. */
import { join } from 'node:path';
import { APPS } from './app-catalogue.ts';
import { USAGE, UsageError, parseOptions } from './options.ts';
import type { RuntimeOptions } from './options.ts';
import { run } from './run.ts';

const root = join(import.meta.dirname, '../../..');

function readOptions(): RuntimeOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2), process.env, root);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const options = readOptions();
if (options === undefined) process.stdout.write(`${USAGE}\n`);
// Exits at once instead of waiting for what a step that was cut short still holds open.
else process.exit(await run({ options, root, apps: APPS }));
