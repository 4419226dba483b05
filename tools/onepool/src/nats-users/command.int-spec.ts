import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { STOCK_STREAM, GUEST_DOMAIN } from '@onepool/contracts';
import { freePort, startNats, startedAt, stopNatsIn } from '@onepool/platform-local-servers';
import { connectNats, ensureStream } from '@onepool/platform-messaging';
import { OwnNats, ownNatsAccounts } from '@onepool/tools-runtime';
import { makeProgram } from '../program.ts';

const NATS_OFFSET = 11;

let home: string;
let printed: string[];
const run = async (...args: string[]): Promise<string> => {
  printed = [];
  await makeProgram({ home, print: (text) => printed.push(text) }).parseAsync(args, { from: 'user' });
  return printed.join('\n');
};
const addressIn = (text: string): string => /nats:\/\/\S+/.exec(text)?.[0] ?? '';
const passwords = (): string[] => {
  const { users } = JSON.parse(readFileSync(join(home, 'nats-users.json'), 'utf8')) as {
    users: { password: string }[];
  };
  return users.map(({ password }) => password);
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'onepool-users-'));
});
afterEach(async () => {
  await stopNatsIn(home);
  rmSync(home, { recursive: true });
});

/** As the runtime leaves it: a server, and a record of it. */
async function startSystem(): Promise<string> {
  const port = await freePort();
  const server = await startNats({ home, port, accounts: ownNatsAccounts(new OwnNats(home).users()) });
  const record = {
    runtime: { pid: process.pid, startedAt: startedAt(process.pid) },
    portBase: port - NATS_OFFSET,
    natsUrl: server.url,
    processes: { nats: { pid: server.pid } },
  };
  writeFileSync(join(home, 'runtime.json'), JSON.stringify(record));
  const operator = await connectNats({ url: server.url, name: 'spec' });
  const manager = await jetstream(operator).jetstreamManager(false);
  await ensureStream(manager, STOCK_STREAM);
  await jetstream(operator).publish('onepool.stock.sku.changed.v1', 'a fact');
  await operator.close();
  return server.url;
}

describe('nats-users', () => {
  it('lists names and rights, and never a password', async () => {
    await run('nats-users', 'add', 'reports', '--consumer', '--facts', 'onepool.stock.sku.>');
    const list = await run('nats-users');
    for (const word of ['operator', 'availability', 'reports', 'onepool.stock.sku.>']) expect(list).toContain(word);
    expect(passwords().filter((password) => list.includes(password))).toEqual([]);
    expect(await run('nats-users', 'list')).toBe(list);
  });

  it('prints a new user’s address, and says when it will work', async () => {
    const text = await run('nats-users', 'add', 'shop', '--caller');
    expect(addressIn(text)).toMatch(/^nats:\/\/shop:[\w-]{32}@127\.0\.0\.1:3011$/);
    expect(text).toContain('from the next `npm start` on');
  });

  it('lets a consumer read facts from a running system at once, and shuts it out when it is removed', async () => {
    const url = addressIn((await startSystem()) && (await run('nats-users', 'add', 'reports', '--consumer')));
    const connection = await connectNats({ url, name: 'reports', giveUpAfterMs: 60_000 });
    const consumer = await jetstream(connection, { domain: GUEST_DOMAIN }).consumers.get(STOCK_STREAM.name, 'reports');
    expect((await consumer.next({ expires: 5_000 }))?.string()).toBe('a fact');
    await run('nats-users', 'remove', 'reports');
    await connection.close();
    await expect(connectNats({ url, name: 'reports', giveUpAfterMs: 5_000 })).rejects.toThrow(/refuses user reports/);
  });

  it('does not keep a user whom the server could not be told of', async () => {
    await startSystem();
    await stopNatsIn(home);
    await expect(run('nats-users', 'add', 'reports', '--consumer')).rejects.toThrow(/No nats-server of ours runs/);
    expect(await run('nats-users')).not.toContain('reports');
  });

  it('keeps listing a user whom the server could not be told to shut out, so that it can be removed again', async () => {
    await startSystem();
    await run('nats-users', 'add', 'reports', '--consumer');
    await stopNatsIn(home);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(run('nats-users', 'remove', 'reports')).rejects.toThrow(/No nats-server of ours runs/);
    }
    expect(await run('nats-users')).toContain('reports');
  });

  it('shuts a user out of a server that outlived its runtime', async () => {
    await startSystem();
    const url = addressIn(await run('nats-users', 'add', 'reports', '--consumer'));
    const file = join(home, 'runtime.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...record, runtime: { pid: process.pid, startedAt: '1' } }));
    await run('nats-users', 'remove', 'reports');
    await expect(connectNats({ url, name: 'reports', giveUpAfterMs: 5_000 })).rejects.toThrow(/refuses user reports/);
  });

  it('asks what a user may do, and keeps the users that the system needs', async () => {
    await expect(run('nats-users', 'add', 'shop')).rejects.toThrow(/--consumer, --caller or both/);
    await expect(run('nats-users', 'remove', 'availability')).rejects.toThrow(/own users/);
  });
});
