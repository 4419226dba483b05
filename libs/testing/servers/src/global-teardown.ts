import { readdirSync, rmSync } from 'node:fs';
import { removeTestHomes, testHomeOf } from './test-run.ts';

/** Stops the run's servers and removes its directory. */
export default function tearDown({ rootDir }: { readonly rootDir: string }): void {
  const home = testHomeOf(rootDir, process.pid);
  if (readdirSync(home).length > 0) removeTestHomes(rootDir, [home]);
  else rmSync(home, { recursive: true, force: true });
}
