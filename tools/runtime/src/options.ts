import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { App } from './app-catalogue.ts';

export interface RuntimeOptions {
  /** Where everything is kept: `ONEPOOL_HOME`, by default `.onepool` in the workspace. */
  readonly home: string;
  readonly portBase: number;
  /** How many processes of an app run, by its name. */
  readonly replicas: ReadonlyMap<string, number>;
  readonly seed: boolean;
  readonly reset: boolean;
  /** A PostgreSQL to use instead of our own. */
  readonly databaseUrl: string | undefined;
  /** The same PostgreSQL as the role that owns the schemas; the apps' own role does it all where none is named. */
  readonly databaseOwnerUrl: string | undefined;
  /** A NATS to use instead of our own. */
  readonly natsUrl: string | undefined;
  /** How the apps are broken, for tests; see the library testing-failpoints. */
  readonly failpoints: string | undefined;
}

/** The command line or the environment cannot be followed; `message` lists every problem, one a line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Named = Pick<App, 'name'>;

export const usageFor = (
  apps: readonly Named[],
): string => `npm start -- [--replicas app=N]… [--no-seed] [--reset] [--failpoints PLAN]

  --replicas app=N  run N processes of an app (${apps.map(({ name }) => name).join(', ')})
  --no-seed         do not fill an empty system with the demo network
  --reset           throw away everything the runtime keeps, then start
  --failpoints PLAN break the apps on purpose, for tests (libs/testing/failpoints)
  --help            show this

  ONEPOOL_PORT_BASE (3000)  apps from +1, PostgreSQL +10, NATS +11, further replicas from +21
  ONEPOOL_HOME (.onepool)   data, logs and the development API key
  DATABASE_URL, NATS_URL    use these servers and start none
  DATABASE_OWNER_URL        the same database as the role that owns the schemas, for migrations and API keys
  NATS_SERVER_BIN           the nats-server to start`;

const DEFAULT_PORT_BASE = 3_000;
const PORT_BASE_MAX = 65_000;
const REPLICAS_MAX = 16;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the command line and the environment; undefined when help was asked for.
 *
 * @throws UsageError with every problem found.
 */
export function parseOptions(
  args: readonly string[],
  environment: Environment,
  root: string,
  apps: readonly Named[],
): RuntimeOptions | undefined {
  const problems: string[] = [];
  const { values } = readArguments(args, apps);
  if (values.help) return undefined;
  const options: RuntimeOptions = {
    home: homeOf(environment, root),
    portBase: readPortBase(environment['ONEPOOL_PORT_BASE'], problems),
    replicas: readReplicas(values.replicas ?? [], apps, problems),
    seed: !values['no-seed'],
    reset: values.reset ?? false,
    failpoints: values.failpoints,
    databaseUrl: readUrl('DATABASE_URL', ['postgres:', 'postgresql:'], environment, problems),
    databaseOwnerUrl: readUrl('DATABASE_OWNER_URL', ['postgres:', 'postgresql:'], environment, problems),
    natsUrl: readUrl('NATS_URL', ['nats:', 'tls:'], environment, problems),
  };
  if (options.databaseOwnerUrl !== undefined && options.databaseUrl === undefined) {
    problems.push('DATABASE_OWNER_URL needs DATABASE_URL beside it: the same database, for the role of the apps.');
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return options;
}

/** Where the runtime keeps everything: `ONEPOOL_HOME`, by default `.onepool` in the workspace. */
export function homeOf(environment: Environment, root: string): string {
  return resolve(root, environment['ONEPOOL_HOME'] || '.onepool');
}

function readArguments(args: readonly string[], apps: readonly Named[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        replicas: { type: 'string', multiple: true },
        'no-seed': { type: 'boolean' },
        reset: { type: 'boolean' },
        failpoints: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usageFor(apps)}`, { cause: error });
  }
}

function readPortBase(text: string | undefined, problems: string[]): number {
  if (!text) return DEFAULT_PORT_BASE;
  const base = Number(text);
  if (/^\d+$/.test(text) && base >= 1 && base <= PORT_BASE_MAX) return base;
  problems.push(`ONEPOOL_PORT_BASE is ${JSON.stringify(text)}: a whole number from 1 to ${PORT_BASE_MAX} is needed.`);
  return DEFAULT_PORT_BASE;
}

function readReplicas(
  texts: readonly string[],
  apps: readonly Named[],
  problems: string[],
): ReadonlyMap<string, number> {
  const replicas = new Map<string, number>();
  for (const text of texts.flatMap((list) => list.split(','))) {
    const [, app = '', count = ''] = /^([a-z-]+)=(\d+)$/.exec(text) ?? [];
    const number = Number(count);
    if (!apps.some(({ name }) => name === app) || number < 1 || number > REPLICAS_MAX) {
      problems.push(`--replicas ${text}: app=N is needed, N from 1 to ${REPLICAS_MAX}, as availability=2.`);
    } else replicas.set(app, number);
  }
  return replicas;
}

function readUrl(
  name: string,
  protocols: readonly string[],
  environment: Environment,
  problems: string[],
): string | undefined {
  const text = environment[name];
  if (!text) return undefined;
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  // The value is not repeated: it may hold a password.
  problems.push(
    `${name} is not an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  );
  return undefined;
}
