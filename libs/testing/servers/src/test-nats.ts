import { rm } from 'node:fs/promises';
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
  return {
    url: server.url,
    port,
    stop: () => server.stop(),
    kill: () => server.kill(),
    suspend: () => server.suspend(),
    resume: () => server.resume(),
    async restart({ wipe = false } = {}) {
      if (server.isAlive()) await server.stop();
      if (wipe) await rm(join(home, 'nats', 'jetstream'), { recursive: true, force: true });
      server = await start();
    },
  };
}
