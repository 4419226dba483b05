/**
 * The runtime with a tiny app and empty tasks, as a program of its own that a test can kill.
 *
 * The folder named by `FIXTURE_ROOT` holds the app; `seeds` there counts how often the system was seeded.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions } from './options.ts';
import { run } from './run.ts';

const root = process.env['FIXTURE_ROOT'] ?? '';
const options = parseOptions(process.argv.slice(2), process.env, root);
if (options === undefined) throw new Error('the fixture has no help');

const tasks = {
  buildStale: async () => false,
  migrate: async () => undefined,
  registerApiKey: async () => undefined,
  seed: async () => appendFileSync(join(root, 'seeds'), '.'),
};
process.exit(await run({ options, root, apps: [{ name: 'availability', portOffset: 1, entry: 'app.mjs' }], tasks }));
