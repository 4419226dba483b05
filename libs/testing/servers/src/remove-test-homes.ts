/**
 * Stops the servers below the given directories and removes these. A program of its own, because Jest loads its set-up
 * and tear-down without the export condition that leads to the libraries' sources.
 *
 * Run: `node --conditions=@onepool/source remove-test-homes.ts <directory>…`
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removePrivateDirectory, stopNatsIn, stopPostgresIn } from '@onepool/platform-local-servers';

async function removeServers(home: string): Promise<void> {
  await Promise.all([stopPostgresIn(home), stopNatsIn(home)]);
  await removePrivateDirectory(join(home, 'postgres'));
}

async function removeTestHome(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await Promise.all(names.map((name) => removeServers(join(directory, name))));
  await removePrivateDirectory(directory);
}

await Promise.all(process.argv.slice(2).map(removeTestHome));
