/**
 * `principals`, `keys` and `roles` of the system that `npm start` runs. They are the app's own program, told where its
 * database is: nobody but the owner of its schema makes a key.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@onepool/platform-config';
import { isRunning, readRecord } from '@onepool/platform-local-servers';
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';

const root = join(import.meta.dirname, '../../../..');
/** As it is built: `npm start` has done so, and so has `npm run build`. */
const PROGRAM = 'apps/availability/dist/identity.js';

const DESCRIPTIONS = {
  principals: 'persons and services that may call: list, add, change, disable, enable, erase',
  keys: 'their API keys: list, add, change, revoke',
  roles: 'named sets of scopes: list, put',
} as const;

export const identityCommands = (Object.keys(DESCRIPTIONS) as (keyof typeof DESCRIPTIONS)[]).map(
  (name) =>
    ({ home }: Surroundings): Command =>
      new Command(name)
        .description(DESCRIPTIONS[name])
        .helpOption(false)
        .allowUnknownOption()
        .argument('[words...]')
        .action((_words: string[], _flags: unknown, { args }: Command) => runProgram([name, ...args], addresses(home))),
);

async function runProgram(args: readonly string[], variables: NodeJS.ProcessEnv): Promise<void> {
  if (!existsSync(join(root, PROGRAM))) throw new OperatorError(`${PROGRAM} is not there: run \`npm run build\`.`);
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

/** The database that the environment names, else that of the system that runs. */
function addresses(home: string): NodeJS.ProcessEnv {
  if (process.env['DATABASE_URL']) return {};
  const record = readRecord(join(home, 'runtime.json'));
  const isUp = record !== undefined && isRunning(record.runtime);
  const { databaseUrl, databaseOwnerUrl = databaseUrl } = isUp ? record : {};
  if (databaseUrl === undefined) {
    throw new OperatorError(
      `Nothing runs on ${home}: run \`npm start\` in another terminal, or name the database with DATABASE_URL and DATABASE_OWNER_URL.`,
    );
  }
  return { DATABASE_URL: databaseUrl, DATABASE_OWNER_URL: databaseOwnerUrl };
}
