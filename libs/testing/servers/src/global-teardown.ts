import { removeTestHomes, testHomeOf } from './test-run.ts';

/** Stops the run's servers and removes its directory. */
export default function tearDown({ rootDir }: { readonly rootDir: string }): void {
  removeTestHomes(rootDir, [testHomeOf(rootDir, process.pid)]);
}
