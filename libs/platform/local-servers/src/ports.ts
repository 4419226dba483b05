import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PortForbiddenError, PortTakenError } from './local-server.ts';

/** A program that was just killed may hold its port for a moment. */
const RELEASE_MS = 1_000;
const POLL_MS = 25;

/** A port of the loopback interface that was free a moment ago, chosen by the operating system. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the loopback socket has no port');
  return address.port;
}

/** True when nothing listens on this port of the loopback interface, and we may. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await troubleAt(port)) === undefined;
}

/** Why we cannot listen on this port, in the system's word: `EADDRINUSE`, `EACCES`; undefined when we can. */
function troubleAt(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code = 'EADDRINUSE' }: NodeJS.ErrnoException) => resolve(code));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

/**
 * Resolves when the port is free.
 *
 * @throws PortTakenError when it does not become so within a second, PortForbiddenError when it is kept from us.
 */
export async function requireFreePort(port: number): Promise<void> {
  const deadline = Date.now() + RELEASE_MS;
  for (;;) {
    const trouble = await troubleAt(port);
    if (trouble === undefined) return;
    if (trouble === 'EACCES') throw new PortForbiddenError(port);
    if (Date.now() > deadline) throw new PortTakenError(port);
    await delay(POLL_MS);
  }
}
