import { randomBytes } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findNatsServer, freePort, startNats } from '@onepool/platform-local-servers';
import type { LocalServer, FoundProgram } from '@onepool/platform-local-servers';
import { ownHome } from './test-home.ts';

export interface TestNatsOptions {
  /** How often JetStream syncs to disk, in nats-server's notation. */
  readonly syncInterval?: string;
}

export interface TestNats {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Ends the server if it runs and starts it on the same port; `wipe` makes it forget every stream. */
  restart(options?: { readonly wipe?: boolean }): Promise<void>;
  /** Restarts the server; what it returns does so again, and the server then has forgotten all that came in between. */
  checkpoint(): Promise<() => Promise<void>>;
  /** SIGSTOP and SIGCONT. */
  suspend(): void;
  resume(): void;
}

let program: Promise<FoundProgram> | undefined;

/** A nats-server of the caller's own, JetStream on, on a free port, with a store of its own. */
export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const found = (program ??= findNatsServer());
  const home = await ownHome('nats');
  const port = await freePort();
  const start = async (): Promise<LocalServer> => startNats({ home, port, ...options, program: await found });
  let server = await start();
  const store = join(home, 'nats', 'jetstream');
  /** Ends the server if it runs, does something to its files, and starts it again. */
  const around = async (work: () => Promise<void>): Promise<void> => {
    if (server.isAlive()) await server.stop();
    await work();
    server = await start();
  };
  const forget = (): Promise<void> => rm(store, { recursive: true, force: true });
  return {
    url: server.url,
    port,
    stop: () => server.stop(),
    kill: () => server.kill(),
    suspend: () => server.suspend(),
    resume: () => server.resume(),
    restart: ({ wipe = false } = {}) => around(async () => (wipe ? forget() : undefined)),
    async checkpoint() {
      const copy = join(home, `copy-${randomBytes(4).toString('hex')}`);
      await around(() => cp(store, copy, { recursive: true }));
      return () =>
        around(async () => {
          await forget();
          await cp(copy, store, { recursive: true });
        });
    },
  };
}
