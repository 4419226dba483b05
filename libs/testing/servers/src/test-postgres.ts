import { freePort, startPostgres } from '@onepool/platform-local-servers';
import type { LocalPostgres } from '@onepool/platform-local-servers';
import { FAST_SETTINGS } from './shared-postgres.ts';
import { ownHome } from './test-home.ts';

export interface TestPostgresOptions {
  /** True keeps the durable defaults (every commit is synced); false, the default, does not sync. */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface TestPostgres {
  /** Of the empty database `onepool`, for the role that apps work as and for its owner; see `TestDatabase`. */
  readonly url: string;
  readonly ownerUrl: string;
  readonly port: number;
  readonly logFile: string;
  stop(): Promise<void>;
  /** SIGKILL of the postmaster; its back ends end by themselves. */
  kill(): Promise<void>;
  /** Ends the server if it runs and starts it on the same port and data. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT of the postmaster: no new connection is answered; open ones go on. */
  suspend(): void;
  resume(): void;
}

/** A PostgreSQL of the caller's own, for tests that kill, stop or suspend it. */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const home = await ownHome('postgres');
  const port = await freePort();
  const settings = { ...(options.durable ? {} : FAST_SETTINGS), ...options.settings };
  const start = (): Promise<LocalPostgres> => startPostgres({ home, port, settings });
  let server = await start();
  return {
    url: server.url,
    ownerUrl: server.ownerUrl,
    port,
    logFile: server.logFile,
    stop: () => server.stop(),
    kill: () => server.kill(),
    suspend: () => server.suspend(),
    resume: () => server.resume(),
    async restart() {
      if (server.isAlive()) await server.stop();
      server = await start();
    },
  };
}
