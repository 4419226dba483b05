import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../../..');

/** Builds what is stale of these projects, and of what they import. */
export async function buildStale(...projects: readonly string[]): Promise<void> {
  await promisify(execFile)(join(root, 'node_modules/.bin/nx'), ['run-many', '-t', 'build', '-p', projects.join()], {
    cwd: root,
    env: { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: '0' },
  });
}
