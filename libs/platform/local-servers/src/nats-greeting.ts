import { connect } from 'node:net';
import type { NatsCredentials } from './nats-accounts.ts';

/** The part we read of the INFO line with which a nats-server greets whoever connects. */
export interface NatsGreeting {
  readonly serverName: string;
  readonly version: string;
  readonly jetstream: boolean;
}

/** Reads `INFO {…}`; undefined when the text is no whole greeting. */
export function parseNatsGreeting(text: string): NatsGreeting | undefined {
  const json = /^INFO (\{.*\})\s*\r?\n/.exec(text)?.[1];
  if (json === undefined) return undefined;
  const info = JSON.parse(json) as { server_name?: string; version?: string; jetstream?: boolean };
  return { serverName: info.server_name ?? '', version: info.version ?? '', jetstream: info.jetstream === true };
}

/** Connects to the port and reads the greeting; undefined when nothing greets within `timeoutMs`. */
export function readNatsGreeting(
  port: number,
  timeoutMs = 1_000,
  host = '127.0.0.1',
): Promise<NatsGreeting | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host });
    const finish = (greeting: NatsGreeting | undefined): void => {
      socket.destroy();
      resolve(greeting);
    };
    socket.setTimeout(timeoutMs, () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const greeting = parseNatsGreeting(text);
      if (greeting) finish(greeting);
    });
  });
}

/** True when the server on this port takes the credentials, false when it refuses them or does not answer in time. */
export function takesCredentials(port: number, credentials: NatsCredentials, timeoutMs = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    const login = { user: credentials.name, pass: credentials.password, verbose: false, pedantic: false, lang: 'node' };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.on('connect', () => socket.write(`CONNECT ${JSON.stringify(login)}\r\nPING\r\n`));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (/^PONG\r$/m.test(text)) finish(true);
      else if (/^-ERR/m.test(text)) finish(false);
    });
  });
}
