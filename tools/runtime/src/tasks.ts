/** The programs that run once at a start, each to its end: build, migrate, register the key, seed. */
import { join } from 'node:path';
import type { App } from './app-catalogue.ts';
import { runTask } from './child-process.ts';
import type { RuntimeRecorder } from './runtime-record.ts';
import { isBuildStale, rememberBuild } from './stale-build.ts';

export interface TaskContext {
  readonly root: string;
  readonly logs: string;
  readonly recorder: RuntimeRecorder;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Rebuilds the apps and what they import where sources changed; false when nothing had. */
export async function buildStale(
  context: TaskContext,
  apps: readonly { name: string; entry: string }[],
): Promise<boolean> {
  const entries = apps.map(({ entry }) => entry);
  if (!isBuildStale(context.root, entries)) return false;
  const projects = apps.map(({ name }) => `@onepool/${name}`).join(',');
  const nx = join(context.root, 'node_modules', '.bin', 'nx');
  const variables = { NX_DAEMON: 'false', FORCE_COLOR: '0' };
  await run(context, 'build', nx, ['run-many', '-t', 'build', '-p', projects], variables);
  rememberBuild(context.root);
  return true;
}

/** A database, as the role that apps work as and as the one that owns the schemas. */
export interface DatabaseAddresses {
  readonly databaseUrl: string;
  readonly databaseOwnerUrl: string;
}

const variablesOf = ({ databaseUrl, databaseOwnerUrl }: DatabaseAddresses) => ({
  DATABASE_URL: databaseUrl,
  DATABASE_OWNER_URL: databaseOwnerUrl,
});

/** Brings the schemas and rights of the apps up to date, one after the other; several may do so at once. */
export async function migrate(
  context: TaskContext,
  database: DatabaseAddresses,
  apps: readonly Pick<App, 'name' | 'migrate'>[],
): Promise<void> {
  for (const { name, migrate: program } of apps) {
    if (program === undefined) continue;
    await run(context, `migrate-${name}`, process.execPath, [program], variablesOf(database));
  }
}

/** Makes the development key known; it may already be. */
export async function registerApiKey(
  context: TaskContext,
  database: DatabaseAddresses,
  keyFile: string,
): Promise<void> {
  const program = 'apps/availability/dist/identity.js';
  const args = [program, 'keys', 'add', 'dev', '--scopes', 'all', '--key-file', keyFile];
  await run(context, 'api-key', process.execPath, args, variablesOf(database));
}

/** Fills an app with what it is to have in the demo network, over its own API. */
export async function seed(
  context: TaskContext,
  { name, seed: program }: Pick<App, 'name' | 'seed'>,
  url: string,
  keyFile: string,
): Promise<void> {
  if (program === undefined) return;
  const args = ['--conditions=@onepool/source', program, '--url', url, '--key-file', keyFile];
  await run(context, `seed-${name}`, process.execPath, args);
}

function run(
  { root, logs, recorder, signal, onLine }: TaskContext,
  name: string,
  path: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const logFile = join(logs, `${name}.log`);
  return runTask({ name, path, args, cwd: root, variables, logFile }, recorder, signal, onLine);
}
