/**
 * The runtime with a tiny app and empty tasks, as a program of its own that a test can kill.
 *
 * The folder named by `FIXTURE_ROOT` holds the app; `seeds` there counts how often the system was seeded.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runTask } from './child-process.ts';
import { parseOptions } from './options.ts';
import { run } from './run.ts';
import type { TaskContext } from './tasks.ts';

const root = process.env['FIXTURE_ROOT'] ?? '';
const apps = [{ name: 'availability', portOffset: 1, entry: 'app.mjs' }];
const options = parseOptions(process.argv.slice(2), process.env, root, apps);
if (options === undefined) throw new Error('the fixture has no help');

const tasks = {
  buildStale: async (context: TaskContext) => {
    if (!process.env['FIXTURE_BUILD_FAILS']) return false;
    const program = `console.error('src/main.ts:7 error: missing bracket'); for (let i = 0; i < 50; i++) console.log('a summary'); process.exit(2)`;
    const command = {
      name: 'build',
      path: process.execPath,
      args: ['-e', program],
      cwd: root,
      logFile: join(context.logs, 'build.log'),
    };
    await runTask(command, context.recorder, context.signal);
    return true;
  },
  // Long enough to be interrupted, when asked for.
  migrate: (context: TaskContext) =>
    process.env['FIXTURE_SLOW'] ? delay(60_000, undefined, { signal: context.signal }) : Promise.resolve(),
  registerApiKey: async () => undefined,
  seed: async () => appendFileSync(join(root, 'seeds'), '.'),
};
const logs = process.env['FIXTURE_CHATTY'] ? { limitBytes: 4_096, lookMs: 20 } : {};
process.exit(await run({ options, root, apps, tasks, logs, postgresSettings: { fsync: 'off' } }));
