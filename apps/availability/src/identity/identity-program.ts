/** The commands `principals`, `keys` and `roles`; their tables are in printed-tables.ts. */
import { readFile } from 'node:fs/promises';
import { APPS } from '@onepool/contracts';
import type { IdentityAdmin } from '@onepool/identity-data-access';
import { ACT_FOR_PEOPLE, ALL_SCOPES, createApiKey, sha256OfApiKey } from '@onepool/platform-auth';
import { OperatorError } from '@onepool/platform-config';
import { readCode } from '@onepool/platform-codes';
import { Command, InvalidArgumentError } from 'commander';
import { keysTable, principalsTable, rolesTable } from './printed-tables.ts';

export interface IdentitySurroundings {
  readonly withAdmin: <T>(work: (admin: IdentityAdmin) => Promise<T>) => Promise<T>;
  readonly print: (text: string) => void;
}

interface Rights {
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly nodes?: readonly string[];
  readonly channels?: readonly string[];
}

type KeyFlags = Omit<Rights, 'roles'> & {
  readonly days?: number;
  readonly endless?: true;
  readonly asPrincipal?: true;
};

const DAY_MS = 86_400_000;
const endOf = (number: number): Date => new Date(Date.now() + number * DAY_MS);
const KNOWN_SCOPES = [...new Set([...APPS.flatMap(({ scopes }) => Object.keys(scopes)), ACT_FOR_PEOPLE, ALL_SCOPES])];

export function identityProgram(surroundings: IdentitySurroundings): Command {
  return new Command('identity')
    .description('principals, that is persons and services, their roles and their API keys')
    .addCommand(principalsCommand(surroundings))
    .addCommand(rolesCommand(surroundings))
    .addCommand(keysCommand(surroundings));
}

function principalsCommand({ withAdmin, print }: IdentitySurroundings): Command {
  const command = new Command('principals').description('persons and services');
  command
    .command('list', { isDefault: true })
    .action(() => withAdmin(async (admin) => print(principalsTable(await admin.principals()))));
  withRights(command.command('add <name>').description('make a service, or a person'))
    .option('--roles <list>', 'roles, by comma', list)
    .option('--person', 'it is a person, not a service')
    .action(async (name: string, { person, ...rights }: Rights & { person?: boolean }) => {
      const kind = person ? 'person' : 'service';
      print(await withAdmin((admin) => admin.addPrincipal({ name, kind, ...full(rights) })));
    });
  withRights(command.command('change <name>').description('change what is named; what is not stays'))
    .option('--roles <list>', 'roles, by comma', list)
    .option('--all-nodes', 'no limit to nodes any more')
    .option('--all-channels', 'no limit to channels any more')
    .action((name: string, { allNodes, allChannels, ...rights }: Rights & { allNodes?: true; allChannels?: true }) =>
      withAdmin((admin) =>
        admin.changePrincipal(name, {
          ...rights,
          ...(allNodes ? { nodes: null } : {}),
          ...(allChannels ? { channels: null } : {}),
        }),
      ),
    );
  command
    .command('disable <name>')
    .description('none of its keys works any more')
    .action((name: string) => withAdmin((admin) => admin.changePrincipal(name, { isDisabled: true })));
  command
    .command('enable <name>')
    .action((name: string) => withAdmin((admin) => admin.changePrincipal(name, { isDisabled: false })));
  command
    .command('erase <id>')
    .description('forget for good what a person is called, and disable it; its id stays')
    .action((id: string) => withAdmin((admin) => admin.erasePerson(id)));
  return command;
}

function rolesCommand({ withAdmin, print }: IdentitySurroundings): Command {
  const command = new Command('roles').description('named sets of scopes');
  command
    .command('list', { isDefault: true })
    .action(() => withAdmin(async (admin) => print(rolesTable(await admin.roles()))));
  command
    .command('put <name>')
    .description('make a role, or give it other scopes')
    .requiredOption('--scopes <list>', `scopes, by comma: ${KNOWN_SCOPES.join(', ')}`, scopeList)
    .action((name: string, { scopes }: { scopes: string[] }) => withAdmin((admin) => admin.putRole(name, scopes)));
  return command;
}

function keysCommand({ withAdmin, print }: IdentitySurroundings): Command {
  const command = new Command('keys').description('API keys; one is shown when it is made, and never again');
  command
    .command('list', { isDefault: true })
    .action(() => withAdmin(async (admin) => print(keysTable(await admin.keys()))));
  withRights(command.command('add <principal>').description('make a key; a service that does not exist is made too'))
    .option('--days <n>', 'it ends after so many days', days)
    .option('--key-file <path>', 'take the key in the file; repeating it changes nothing')
    .option('--json', 'print key, id and principal as JSON')
    .action(async (name: string, flags: Rights & { days?: number; keyFile?: string; json?: true }) => {
      const { key, sha256 } = flags.keyFile === undefined ? createApiKey() : await readKey(flags.keyFile);
      const expiresAt = flags.days === undefined ? null : endOf(flags.days);
      const made = await withAdmin((admin) => addKey(admin, name, { ...flags, sha256, expiresAt }));
      if (flags.json) print(JSON.stringify({ key, ...made }));
      else print(flags.keyFile === undefined ? key : `${made.id} of ${name}`);
    });
  withRights(command.command('change <id>').description('change what is named; what is not stays'))
    .option('--days <n>', 'it ends after so many days from now', days)
    .option('--endless', 'it never ends')
    .option('--as-principal', 'it may again all that its principal may')
    .action((id: string, { days: number, endless, asPrincipal, ...rights }: KeyFlags) =>
      withAdmin((admin) =>
        admin.changeKey(id, {
          ...(asPrincipal ? { scopes: null, nodes: null, channels: null } : {}),
          ...rights,
          ...(number === undefined ? {} : { expiresAt: endOf(number) }),
          ...(endless ? { expiresAt: null } : {}),
        }),
      ),
    );
  command
    .command('revoke <id>')
    .description('a key stops within a second, everywhere')
    .action((id: string) => withAdmin((admin) => admin.revokeKey(id)));
  return command;
}

type AddedKey = Rights & { readonly sha256: string; readonly expiresAt: Date | null };

/** Rights go to a service that is made with its key, and else narrow the key. */
async function addKey(admin: IdentityAdmin, name: string, { sha256, expiresAt, ...rights }: AddedKey) {
  const known = await admin.find(name);
  const principal = known ?? (await admin.addPrincipal({ name, kind: 'service', ...full(rights) }));
  const { scopes = null, nodes = null, channels = null } = known ? rights : {};
  return { id: await admin.addKey(principal, { sha256, scopes, nodes, channels, expiresAt }), principal };
}

async function readKey(path: string): Promise<{ readonly key: string; readonly sha256: string }> {
  const key = (await readFile(path, 'utf8')).trim();
  if (!/^opk_[A-Za-z0-9_-]{16,128}$/.test(key))
    throw new OperatorError(`${path} holds no API key, which begins with opk_.`);
  return { key, sha256: sha256OfApiKey(key) };
}

const withRights = (command: Command): Command =>
  command
    .option('--scopes <list>', `scopes, by comma: ${KNOWN_SCOPES.join(', ')}`, scopeList)
    .option('--nodes <list>', 'only node work at these nodes, by comma', codeList)
    .option('--channels <list>', 'only selling in these channels, by comma', codeList);

const full = ({ scopes = [], roles = [], nodes, channels }: Rights) => ({
  scopes,
  roles,
  nodes: nodes ?? null,
  channels: channels ?? null,
});

const list = (text: string): string[] => text.split(',').map((part) => part.trim());
/** As the catalogue spells them; what is no code names nothing, and stays as it is. */
const codeList = (text: string): string[] => list(text).map((part) => readCode(part) ?? part);

function scopeList(text: string): string[] {
  const scopes = list(text);
  const unknown = scopes.filter((scope) => !KNOWN_SCOPES.includes(scope));
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`unknown: ${unknown.join(', ')}; there are ${KNOWN_SCOPES.join(', ')}`);
  }
  return scopes;
}

function days(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new OperatorError(`--days takes a number from 1 to 9999, and not ${text}.`);
  return Number(text);
}
