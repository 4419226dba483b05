import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@onepool/platform-config';
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { MigrationFolder } from './migration-folder.ts';
import { describeApps } from './describe-apps.ts';

const root = join(import.meta.dirname, '../../../..');

/** Migrations of the libraries, and the schemas that they add up to. `within` is the root of the repository. */
export function schemaCommand({ print }: Surroundings, within = root): Command {
  const command = new Command('schema').description('migrations of the libraries, and the schemas that they make');
  const folders = (): readonly MigrationFolder[] => MigrationFolder.all(within);
  const demand = (faults: readonly string[]): void => {
    if (faults.length > 0) throw new OperatorError(faults.join('\n'));
  };

  command
    .command('check', { isDefault: true })
    .description('tells which migrations are not what their lists of checksums say')
    .action(() => {
      demand(folders().flatMap((folder) => folder.faults()));
      print('Every migration is what its list says.');
    });

  command
    .command('write')
    .description('lists the checksums of migrations that are not frozen, and writes each app’s schema.sql')
    .option('--lists', 'only the lists')
    .action(async ({ lists }: { lists?: boolean }) => {
      demand(folders().flatMap((folder) => folder.refusals()));
      for (const folder of folders()) folder.write();
      if (lists) return;
      for (const { file, sql } of await describeApps(within)) {
        writeFileSync(join(within, file), sql);
        print(file);
      }
    });

  command
    .command('freeze')
    .description('freezes every migration, as a release does: from then on a change is a new file')
    .action(() => {
      demand(folders().flatMap((folder) => folder.faults()));
      for (const folder of folders()) folder.write(true);
      print('Every migration is frozen.');
    });
  return command;
}
