/**
 * The directory of one Jest run, `.onepool/test-<pid of Jest>`: every server of the run lives below it, so that the
 * run's end, or the next run after a crash, finds and removes all of them.
 */
import { chmod, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/** Set by the global set-up for the specs' processes. */
export const TEST_HOME_VARIABLE = 'ONEPOOL_TEST_HOME';

/** The run's directory. @throws when the specs run without the workspace's Jest configuration. */
export function testHome(): string {
  const home = process.env[TEST_HOME_VARIABLE];
  if (!home) throw new Error(`${TEST_HOME_VARIABLE} is not set: run the specs with the workspace's jest.config.js.`);
  return home;
}

/** A new home for a server that belongs to one spec alone. */
export async function ownHome(kind: string): Promise<string> {
  await mkdir(testHome(), { recursive: true });
  const home = await mkdtemp(join(testHome(), `${kind}-`));
  // PostgreSQL, which runs as another user where we are root, passes through; else its data would lie elsewhere.
  await chmod(home, 0o711);
  return home;
}
