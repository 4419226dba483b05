/** `npm start`: see README.md. */
import { join } from 'node:path';
import { type App, readApps } from './app-catalogue.ts';
import { UsageError, parseOptions, usageFor } from './options.ts';
import type { RuntimeOptions } from './options.ts';
import { run } from './run.ts';
import { StartError } from './start-error.ts';

const root = join(import.meta.dirname, '../../..');
const USAGE_EXIT = 2;

/** Says in words why it cannot go on, and ends. */
function orUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(USAGE_EXIT);
  }
}

const apps: readonly App[] = orUsage(() => readApps(root));
const options: RuntimeOptions | undefined = orUsage(() => parseOptions(process.argv.slice(2), process.env, root, apps));
if (options === undefined) process.stdout.write(`${usageFor(apps)}\n`);
// Exits at once instead of waiting for what a step that was cut short still holds open.
else process.exit(await run({ options, root, apps }));
