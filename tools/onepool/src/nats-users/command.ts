import { GUEST_DOMAIN, STOCK_STREAM } from '@onepool/contracts';
import { NatsUserError, OwnNats, describeRights, type NatsUserRecord } from '@onepool/tools-runtime';
import Table from 'cli-table3';
import { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';

interface AddFlags {
  readonly consumer?: boolean;
  readonly caller?: boolean;
  readonly facts: string;
}

/** Who may log in to the NATS that `npm start` runs. */
export function natsUsersCommand({ home, print }: Surroundings): Command {
  const nats = new OwnNats(home);
  const command = new Command('nats-users').description('users of the NATS that `npm start` runs');

  command
    .command('list', { isDefault: true })
    .description('names, kinds and rights; no passwords')
    .action(() => print(renderUsers(nats.users())));

  command
    .command('add <name>')
    .description('make a user for a service of another team, and print its address once')
    .option('--consumer', 'may read facts, by a durable consumer of the same name')
    .option('--caller', 'may send requests to the apps; an API key is needed besides')
    .option('--facts <subjects>', 'the facts that a consumer reads', STOCK_STREAM.subjects[0])
    .action(async (name: string, { consumer, caller, facts }: AddFlags) => {
      if (!consumer && !caller) throw new NatsUserError('Say what the user may do: --consumer, --caller or both.');
      const added = await nats.add({
        name,
        ...(consumer ? { consumes: facts } : {}),
        ...(caller ? { calls: true } : {}),
      });
      print(renderAdded(added.user, added.url, added.isActive));
    });

  command
    .command('remove <name>')
    .description('shut a user out at once, and forget how far it had read')
    .action(async (name: string) => {
      await nats.remove(name);
      print(`${name} is removed.`);
    });
  return command;
}

function renderUsers(users: readonly NatsUserRecord[]): string {
  const table = new Table({ head: ['name', 'kind', 'may', 'created'], style: { head: [], border: [] } });
  for (const user of users) {
    table.push([user.name, user.kind, describeRights(user), user.createdAt.slice(0, 16).replace('T', ' ')]);
  }
  return table.toString();
}

function renderAdded(user: NatsUserRecord, url: string, isActive: boolean): string {
  const how =
    user.consumes === undefined
      ? []
      : [`JetStream domain ${GUEST_DOMAIN}, stream and durable as in docs/nats-users.md`];
  return [
    `${user.name}: ${describeRights(user)}.`,
    '',
    `  ${url}`,
    '',
    'This address holds the password and is not shown again. Answers arrive below',
    `_INBOX.${user.name}, so give that to your client as its inbox prefix.`,
    ...how.map((line) => `${line}.`),
    ...(isActive ? [] : ['The system does not run; the user can log in from the next `npm start` on.']),
  ].join('\n');
}
