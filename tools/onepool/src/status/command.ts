import { join } from 'node:path';
import { exitCodeOf, readStatus, renderStatus } from '@onepool/tools-runtime';
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';

const root = join(import.meta.dirname, '../../../..');

/** `onepool status`: how the system on this home is. Its exit code is 0 when all is well, 1 when not, 3 when nothing runs. */
export function statusCommand({ home, print }: Surroundings): Command {
  return new Command('status')
    .description(
      'Lists processes, ports, versions, health and the relay; exit code 0: healthy, 1: not, 3: nothing runs.',
    )
    .option('--json', 'as one JSON document')
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(home, root);
      print(json ? JSON.stringify(status, undefined, 2) : renderStatus(status));
      process.exitCode = exitCodeOf(status);
    });
}
