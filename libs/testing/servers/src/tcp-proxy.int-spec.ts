import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.ts';

describe('TcpProxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  let received: string;
  let clients: Socket[];

  beforeEach(async () => {
    received = '';
    clients = [];
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        received += bytes.toString();
        socket.write(`echo ${bytes.toString()}`);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    proxy = await TcpProxy.to((server.address() as AddressInfo).port);
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.close();
    server.close();
  });

  async function open(): Promise<Socket> {
    const client = connect(proxy.port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
    return client;
  }

  /** Resolves when the socket is closed, with or without an error. */
  function closed(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  async function ask(client: Socket, text: string): Promise<string> {
    client.write(text);
    const [answer] = (await once(client, 'data')) as [Buffer];
    return answer.toString();
  }

  it('passes data both ways', async () => {
    expect(await ask(await open(), 'a')).toBe('echo a');
  });

  it('delays each direction by the time it was given', async () => {
    const client = await open();
    await ask(client, 'a');
    proxy.delay(50);
    const before = performance.now();
    await ask(client, 'b');
    // Timers are late on a busy machine, but never early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(95);
  });

  it('resets open connections and serves new ones', async () => {
    const client = await open();
    await ask(client, 'a');
    const ended = closed(client);
    proxy.reset();
    await ended;
    expect(await ask(await open(), 'b')).toBe('echo b');
  });

  it('swallows data while the connection stays open', async () => {
    const client = await open();
    await ask(client, 'a');
    proxy.swallow();
    client.write('lost');
    await once(client.setTimeout(100), 'timeout');
    expect(client.closed).toBe(false);
    expect(received).toBe('a');
  });

  it('closes and refuses connections when cut, until healed', async () => {
    const client = await open();
    await ask(client, 'a');
    const ended = closed(client);
    proxy.cut();
    await ended;
    await closed(connect(proxy.port, '127.0.0.1'));
    proxy.heal();
    expect(await ask(await open(), 'b')).toBe('echo b');
  });

  it('delivers the matching data and lets no answer back', async () => {
    const client = await open();
    let answered = '';
    client.on('data', (bytes) => (answered += bytes.toString()));
    const bystander = await open();
    await ask(client, 'BEGIN');
    const cut = proxy.cutAfter('toServer', (bytes) => bytes.includes('COMMIT'));
    const ended = closed(client);
    client.write('COMMIT');
    await Promise.all([cut, ended]);
    expect(await ask(bystander, 'still there')).toBe('echo still there');
    expect(received).toContain('COMMIT');
    expect(answered).toBe('echo BEGIN');
  });
});
