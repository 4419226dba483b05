import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalServerError, PortForbiddenError, PortTakenError } from './local-server.ts';

/** A program that was just killed may hold its port for a moment. */
const RELEASE_MS = 1_000;
const POLL_MS = 25;

/**
 * Below the range from which Linux and macOS take the ports of outgoing connections. A server that stops and starts again on a
 * port of that range may find a stranger's connection on it, or its own client's: one that goes on trying to connect
 * while nobody listens is given that very port in the end, and is then connected to itself.
 */
const SERVER_PORTS = { first: 10_240, count: 20_000 };

/** A port of the loopback interface that was free a moment ago, and that no outgoing connection will be given. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < SERVER_PORTS.count; attempt += 1) {
    const port = SERVER_PORTS.first + randomInt(SERVER_PORTS.count);
    if (await isPortFree(port)) return port;
  }
  throw new LocalServerError('No port of the loopback interface is free for a server.');
}

/** What a runtime listens on, relative to its base: its apps, PostgreSQL, nats-server, further replicas. */
const RUNTIME_OFFSETS = [1, 10, 11, 21, 22];

/** A value for `ONEPOOL_PORT_BASE` that was free a moment ago. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < SERVER_PORTS.count; attempt += 1) {
    const base = await freePort();
    const free = await Promise.all(RUNTIME_OFFSETS.map((offset) => isPortFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new LocalServerError('There are no free ports of the loopback interface for a runtime.');
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
