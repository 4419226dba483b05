import { endGroup } from './process-group.ts';
import { isRunning } from './runtime-record.ts';
import type { RuntimeRecord } from './runtime-record.ts';

/**
 * Ends the apps and tasks that a runtime which was killed left running. Its servers are not touched: starting them
 * adopts them. A process is only ended when it started at the recorded time.
 *
 * @returns the names of what was ended.
 */
export async function endLeftovers(record: RuntimeRecord | undefined): Promise<readonly string[]> {
  const left = Object.entries(record?.processes ?? {}).filter(
    ([, recorded]) => recorded.kind !== 'server' && isRunning(recorded),
  );
  await Promise.all(left.map(([, { pid }]) => endGroup(pid)));
  return left.map(([name]) => name);
}
