/** The processes that are kept running, each as a way to start it again. */
import { findNatsServer, startNats, startPostgres } from '@onepool/platform-local-servers';
import type { FoundProgram, LocalPostgres, LocalServer } from '@onepool/platform-local-servers';
import { FAILPOINTS_VARIABLE, FOR_TESTS } from '@onepool/platform-failpoints';
import { join } from 'node:path';
import type { Instance } from './app-catalogue.ts';
import { startChild } from './child-process.ts';
import type { HomePaths } from './home.ts';
import { ensureNatsUsers } from './nats/nats-users.ts';
import { natsAccounts } from './nats/permissions.ts';
import type { RuntimeRecorder } from './runtime-record.ts';
import type { Service } from './supervised.ts';

/** A server of our own; its addresses do not change over restarts. */
export interface ServerService<Server extends LocalServer = LocalServer> extends Service {
  /** Known after the first start. */
  server(): Server;
}

export function postgresService(
  home: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  recorder: RuntimeRecorder,
): ServerService<LocalPostgres> {
  return serverService('postgres', recorder, () => startPostgres({ home, port, settings }));
}

export interface NatsVoice {
  readonly onProgress: (message: string) => void;
  /** Told which program is started. */
  readonly onFound: (program: FoundProgram) => void;
}

/** Its accounts are read at each start, since users may have been added meanwhile; `url()` is the operator's. */
export function natsService(
  { home, natsUsers }: HomePaths,
  port: number,
  recorder: RuntimeRecorder,
  { onProgress, onFound }: NatsVoice,
): ServerService {
  return serverService('nats', recorder, async () => {
    const program = await findNatsServer({ onProgress });
    onFound(program);
    return startNats({ home, port, program, accounts: natsAccounts(ensureNatsUsers(natsUsers)) });
  });
}

function serverService<Server extends LocalServer>(
  name: string,
  recorder: RuntimeRecorder,
  startServer: () => Promise<Server>,
): ServerService<Server> {
  let latest: Server | undefined;
  return {
    name,
    server: () => {
      if (latest === undefined) throw new Error(`Broken invariant: ${name} has not been started`);
      return latest;
    },
    start: async () => {
      const server = await startServer();
      latest = server;
      recorder.add(name, server.pid, { kind: 'server', port: server.port, logFile: server.logFile });
      void server.exited.then(() => recorder.remove(name, server.pid));
      return server;
    },
  };
}

/** Not imported, but loaded by the apps, before all else and only for tests. */
const FAILPOINTS_INSTALLER = 'libs/testing/failpoints/src/install.ts';

export interface AppSurroundings {
  readonly root: string;
  readonly logs: string;
  readonly databaseUrl: string;
  /** Where NATS is for an app, and who it is there. */
  readonly natsVariablesOf: (app: string) => Readonly<Record<string, string>>;
  /** How the apps are broken, for tests, and where is noted what has killed one. */
  readonly failpoints: { readonly plan: string; readonly killed: string } | undefined;
}

/** One process of an app, told all it needs by its environment. */
export function appService(instance: Instance, surroundings: AppSurroundings, recorder: RuntimeRecorder): Service {
  const { root, logs, databaseUrl, natsVariablesOf, failpoints } = surroundings;
  const install = `--import=${join(root, FAILPOINTS_INSTALLER)}`;
  const command = {
    name: instance.name,
    path: process.execPath,
    args: failpoints === undefined ? instance.args : [install, ...instance.args, FOR_TESTS],
    cwd: root,
    logFile: join(logs, `${instance.name}.log`),
    variables: {
      PORT: String(instance.port),
      DATABASE_URL: databaseUrl,
      // The owner is none of its business.
      DATABASE_OWNER_URL: undefined,
      ...natsVariablesOf(instance.app),
      ONEPOOL_INSTANCE: instance.name,
      LOG_LEVEL: process.env['LOG_LEVEL'] || 'info',
      ...(failpoints && { [FAILPOINTS_VARIABLE]: failpoints.plan, ONEPOOL_FAILPOINTS_KILLED: failpoints.killed }),
    },
  };
  return { name: instance.name, start: async () => startChild(command, recorder, instance.port) };
}
