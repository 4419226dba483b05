import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PortTakenError } from './local-server.ts';

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

/** True when nothing listens on this port of the loopback interface. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Resolves when the port is free; throws `PortTakenError` when it does not become so within a second. */
export async function requireFreePort(port: number): Promise<void> {
  const deadline = Date.now() + RELEASE_MS;
  while (!(await isPortFree(port))) {
    if (Date.now() > deadline) throw new PortTakenError(port);
    await delay(POLL_MS);
  }
}
