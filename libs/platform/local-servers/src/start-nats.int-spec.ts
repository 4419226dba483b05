import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { freePort, natsUrlFor, startNats, stopNatsIn } from './index.ts';
import type { NatsAccount, NatsUser } from './index.ts';

const anna: NatsUser = { name: 'anna', password: 'p"a\\ss $word:@/' };
const reader: NatsUser = {
  name: 'reader',
  password: 'r',
  permissions: { publish: { allow: [] }, subscribe: { allow: ['news.>', 'work crew'] } },
};
const pool: NatsAccount = { name: 'pool', users: [anna, reader] };
const other: NatsAccount = { name: 'other', users: [{ name: 'olaf', password: 'o' }] };

describe('accounts of a nats-server of our own', () => {
  let home: string;
  let port: number;
  const connections: NatsConnection[] = [];
  const start = (...accounts: NatsAccount[]) => startNats({ home, port, accounts });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'onepool-accounts-'));
    port = await freePort();
  });
  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
    await stopNatsIn(home);
  });
  afterAll(() => rm(home, { recursive: true }));

  async function connectAs(user: { name: string; password: string }): Promise<NatsConnection> {
    const { name, password } = user;
    const connection = await connect({ servers: `127.0.0.1:${port}`, user: name, pass: password, reconnect: false });
    connections.push(connection);
    return connection;
  }
  const refusalOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'allowed',
      (error: Error) => error.message,
    );

  it('lets nobody in without a password', async () => {
    await start(pool);
    await expect(connect({ servers: `127.0.0.1:${port}`, reconnect: false })).rejects.toThrow(/Authorization/);
    await expect(connectAs({ ...anna, password: 'guess' })).rejects.toThrow(/Authorization/);
  });

  it('puts the first user into the address, whatever the password is made of', async () => {
    const server = await start(pool);
    expect(server.url).toBe(natsUrlFor(`nats://127.0.0.1:${port}`, anna));
    const { username, password } = new URL(server.url);
    const user = { name: decodeURIComponent(username), password: decodeURIComponent(password) };
    expect(user).toEqual(anna);
    expect((await connectAs(user)).isClosed()).toBe(false);
  });

  it('keeps the passwords where only their owner can read them', async () => {
    await start(pool);
    for (const name of ['accounts.conf', 'nats.conf']) {
      expect((await stat(join(home, 'nats', name))).mode & 0o777).toBe(0o600);
    }
    expect(await readFile(join(home, 'nats', 'nats.conf'), 'utf8')).not.toContain(JSON.stringify(reader.password));
  });

  it('holds a user to what is allowed: nothing where nothing is, and a queue only by its name', async () => {
    await start(pool);
    const connection = await connectAs(reader);
    const subscribe = async (subject: string, queue?: string): Promise<string> => {
      let outcome = 'allowed';
      const callback = (error: Error | null): void => void (outcome = error?.message ?? outcome);
      connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue });
      // The server answers in order, so a refusal is here before the pong.
      await connection.flush();
      return outcome;
    };
    expect(await subscribe('news.today')).toBe('allowed');
    expect(await subscribe('work', 'crew')).toBe('allowed');
    expect(await subscribe('work', 'gang')).toMatch(/Permissions Violation/i);
    expect(await subscribe('work')).toMatch(/Permissions Violation/i);
    expect(await subscribe('secrets')).toMatch(/Permissions Violation/i);
    expect(await refusalOf(connection.request('news.today', '', { timeout: 2_000 }))).not.toBe('allowed');
  });

  it('keeps subjects and streams of accounts apart', async () => {
    await start(pool, other);
    const [mine, theirs] = await Promise.all([connectAs(anna), connectAs(other.users[0]!)]);
    await (await jetstreamManager(mine)).streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    const manager = await jetstreamManager(theirs);
    expect((await manager.getAccountInfo()).streams).toBe(0);
    theirs.publish('facts.forged', 'x');
    await theirs.flush();
    expect((await (await jetstreamManager(mine)).streams.info('FACTS')).state.messages).toBe(0);
  });

  it('takes new users over while it runs, and drops no connection that is still allowed', async () => {
    const first = await start(pool);
    const connection = await connectAs(anna);
    const second = await start(pool, other);
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
    await connectAs(other.users[0]!);
    await connection.flush();
    const manager = await jetstreamManager(connections.at(-1)!);
    expect((await manager.streams.add({ name: 'THEIRS', subjects: ['x'] })).config.name).toBe('THEIRS');
  });

  it('shuts out a user who is no longer there', async () => {
    await start(pool, other);
    const connection = await connectAs(other.users[0]!);
    await start(pool);
    await connection.closed();
    await expect(connectAs(other.users[0]!)).rejects.toThrow(/Authorization/);
  });

  it('adopts a server whose accounts are as they were', async () => {
    const first = await start(pool);
    expect(await start(pool)).toMatchObject({ adopted: true, pid: first.pid });
  });

  it('takes over what was written for a server that never heard of it', async () => {
    const first = await start(pool);
    first.suspend();
    // As when we died between the file and the signal.
    const second = await start(pool, other);
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
    await connectAs(other.users[0]!);
  });

  it('refuses names that the server would read otherwise', async () => {
    await expect(start({ name: 'a b', users: [] })).rejects.toThrow(/no name for an account/);
    await expect(start(pool, { name: 'twice', users: [anna] })).rejects.toThrow(/name of its own/);
    await expect(start({ name: 'x', users: [{ name: 'x', password: '$2a$hash' }] })).rejects.toThrow(/begin with \$2/);
    await expect(start({ name: 'x', users: [{ name: 'é', password: 'x' }] })).rejects.toThrow(/no plain text/);
  });
});
