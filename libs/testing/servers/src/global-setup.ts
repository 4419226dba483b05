import { join } from 'node:path';
import { abandonedTestHomes, makeTestHome, natsServerPath, removeTestHomes } from './test-run.ts';

/** Removes what crashed runs left and makes this run's directory; the specs start servers when they first need them. */
export default function setUp({ rootDir }: { readonly rootDir: string }): void {
  removeTestHomes(rootDir, abandonedTestHomes(rootDir));
  // Programs that specs start load several times as fast when what Node has compiled of them is kept.
  process.env['NODE_COMPILE_CACHE'] ??= join(rootDir, 'node_modules', '.cache', 'node-compile');
  // Jest's workers inherit the environment. `DATABASE_URL` and `NATS_URL` are for running, never for tests.
  process.env['ONEPOOL_TEST_HOME'] = makeTestHome(rootDir, process.pid);
  // Looked for here, because on a fresh machine it is built first, which takes longer than a spec may.
  process.env['NATS_SERVER_BIN'] = natsServerPath(rootDir);
  delete process.env['DATABASE_URL'];
  delete process.env['NATS_URL'];
}
