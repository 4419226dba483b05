import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  POSTGRES_PASSWORD_FILES,
  PortTakenError,
  freePort,
  isAlive,
  removePrivateDirectory,
  startNats,
  startPostgres,
  stopNatsIn,
  stopPostgresIn,
} from './index.ts';
import { readPostmaster } from './postmaster-file.ts';

const isRoot = process.getuid?.() === 0;
const settings = { fsync: 'off', shared_buffers: '32MB' };

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  let home: string;
  let port: number;
  const start = () => startPostgres({ home, port, settings });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'onepool-postgres-'));
    // A home that only its owner may enter, as below /root.
    await chmod(home, 0o700);
    port = await freePort();
  });
  afterAll(async () => {
    await stopPostgresIn(home);
    await removePrivateDirectory(join(home, 'postgres'));
    await rm(home, { recursive: true });
  });

  it('answers on the loopback interface, with a password only', async () => {
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await query(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const anonymous = server.url.replace(/:[0-9a-f]+@/, ':wrong@');
    await expect(query(anonymous, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    for (const name of POSTGRES_PASSWORD_FILES) expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
  });

  it('has a role for the owner of schemas, and one for apps that may not make or read a thing by itself', async () => {
    const { url, ownerUrl } = await start();
    await query(ownerUrl, 'CREATE TABLE secret AS SELECT 1 AS n');
    const facts =
      'SELECT current_user AS role, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user';
    expect(await query(url, facts)).toEqual([
      { role: 'onepool_app', rolsuper: false, rolcreaterole: false, rolcreatedb: false },
    ]);
    for (const sql of ['SELECT * FROM secret', 'CREATE TABLE mine (n integer)', 'CREATE SCHEMA mine'])
      await expect(query(url, sql)).rejects.toMatchObject({ code: '42501' });
    await query(ownerUrl, 'DROP TABLE secret');
  });

  it('gives the role of apps to a home from before there was one, and follows the password in the home', async () => {
    const { ownerUrl } = await start();
    await query(ownerUrl, 'DROP ROLE onepool_app');
    await rm(join(home, 'postgres-app-password'));
    const first = await start();
    expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await writeFile(join(home, 'postgres-app-password'), 'another\n');
    const second = await start();
    expect(new URL(second.url).password).toBe('another');
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(query(first.url, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('adopts the server that runs with the same command', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
  });

  it('replaces a server that was started otherwise, and keeps its data', async () => {
    const first = await start();
    await query(first.ownerUrl, 'CREATE TABLE kept AS SELECT 7 AS n');
    const other = await startPostgres({ home, port, settings: { ...settings, max_connections: '40' } });
    expect(other).toMatchObject({ adopted: false });
    expect(first.isAlive()).toBe(false);
    expect(await query(other.ownerUrl, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('replaces a server that was killed, past its stale pid file', async () => {
    const first = await start();
    await first.kill();
    await first.exited;
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second.ownerUrl, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('leaves a stranger alone who got the number of a dead server', async () => {
    const server = await start();
    await server.kill();
    const data = await realData();
    const { uid, gid } = await stat(data);
    const stranger = spawn('sleep', ['60'], { uid, gid });
    const file = join(data, 'postmaster.pid');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/^\d+/, String(stranger.pid)));
    await stopPostgresIn(home);
    expect(isAlive(stranger.pid!)).toBe(true);
    await start();
    expect(isAlive(stranger.pid!)).toBe(true);
    expect((await readPostmaster(data))?.pid).not.toBe(stranger.pid);
    stranger.kill();
  });

  async function realData(): Promise<string> {
    const link = await readlink(join(home, 'postgres')).catch(() => undefined);
    return join(link ?? join(home, 'postgres'), 'data');
  }

  (isRoot ? it : it.skip)('puts the data where nobody can reach it when the home is closed to others', async () => {
    const target = await readlink(join(home, 'postgres'));
    expect(target.startsWith('/var/tmp/onepool-0/')).toBe(true);
    expect((await stat(target)).uid).not.toBe(0);
    expect((await stat(target)).mode & 0o777).toBe(0o700);
  });

  (isRoot ? it : it.skip)('sweeps away such data once the home that led to it is gone', async () => {
    const gone = await mkdtemp(join(tmpdir(), 'onepool-gone-'));
    const first = await startPostgres({ home: gone, port: await freePort(), settings });
    const target = await readlink(join(gone, 'postgres'));
    await first.stop();
    await rm(gone, { recursive: true });
    const next = await mkdtemp(join(tmpdir(), 'onepool-next-'));
    const second = await startPostgres({ home: next, port: await freePort(), settings });
    await second.stop();
    await removePrivateDirectory(join(next, 'postgres'));
    await rm(next, { recursive: true });
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says at once that another program has the port', async () => {
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port: taken } = stranger.address() as AddressInfo;
    await expect(startPostgres({ home, port: taken, settings })).rejects.toThrow(PortTakenError);
    stranger.close();
  });

  (isRoot ? it : it.skip)('never runs as root', async () => {
    const { pid } = await start();
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).not.toMatch(/^Uid:\s+0\s/m);
  });

  it('is gone after stop', async () => {
    const server = await start();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('startNats', () => {
  let home: string;
  let port: number;
  const start = () => startNats({ home, port });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'onepool-nats-'));
    await mkdir(home, { recursive: true });
    port = await freePort();
  });
  afterEach(() => stopNatsIn(home));
  afterAll(() => rm(home, { recursive: true }));

  it('adopts the server that runs with the same configuration', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
  });

  it('replaces a server that was configured otherwise', async () => {
    const first = await start();
    port = await freePort();
    const second = await start();
    expect(second).toMatchObject({ adopted: false, url: `nats://127.0.0.1:${port}` });
    expect(first.isAlive()).toBe(false);
  });

  it('replaces a server that was killed, past its stale pid file', async () => {
    const first = await start();
    await first.kill();
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(second.pid).not.toBe(first.pid);
  });

  it('stops a suspended server', async () => {
    const server = await start();
    server.suspend();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });
});
