import { Command } from 'commander';
import { identityCommands } from './identity/commands.ts';
import { natsUsersCommand } from './nats-users/command.ts';
import { schemaCommand } from './schema/command.ts';
import { statusCommand } from './status/command.ts';
import type { Surroundings } from './surroundings.ts';

/** Every command; another one is another line. */
const COMMANDS: readonly ((surroundings: Surroundings) => Command)[] = [
  statusCommand,
  natsUsersCommand,
  ...identityCommands,
  schemaCommand,
];

/** `npm run onepool -- <command>`: looks at and looks after a system that `npm start` runs. */
export function makeProgram(surroundings: Surroundings): Command {
  const program = new Command('onepool').description(
    'Looks at and looks after the system that `npm start` runs, and the schemas of its apps.',
  );
  for (const make of COMMANDS) program.addCommand(make(surroundings));
  return program;
}
