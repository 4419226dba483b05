import { join } from 'node:path';
import { abandonedTestHomes, makeTestHome, natsServerPath, removeTestHomes, testHomeOf } from './test-run.ts';
import { withoutServers } from './without-servers.ts';

/** Removes what crashed runs left and makes this run's directory; the specs start servers when they first need them. */
export default function setUp({ rootDir }: { readonly rootDir: string }): void {
  removeTestHomes(rootDir, abandonedTestHomes(rootDir));
  // Programs that specs start load several times as fast when what Node has compiled of them is kept.
  process.env['NODE_COMPILE_CACHE'] ??= join(rootDir, 'node_modules', '.cache', 'node-compile');
  // Without its tear-down, a run that is interrupted would leave its servers and their memory to the next one.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      removeTestHomes(rootDir, [testHomeOf(rootDir, process.pid)]);
      process.exit(code);
    });
  }
  // Jest's workers inherit the environment. Servers that it names are for running, never for tests.
  const kept = withoutServers(process.env);
  for (const name of Object.keys(process.env)) if (!(name in kept)) Reflect.deleteProperty(process.env, name);
  process.env['ONEPOOL_TEST_HOME'] = makeTestHome(rootDir, process.pid);
  // Looked for here, because on a fresh machine it is built first, which takes longer than a spec may.
  process.env['NATS_SERVER_BIN'] = natsServerPath(rootDir);
}
