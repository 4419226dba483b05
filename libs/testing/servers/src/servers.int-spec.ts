import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import { createTestDatabase, createTestNatsAccount, startTestNats, startTestPostgres } from './index.ts';
import type { TestDatabase, TestNats, TestPostgres } from './index.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  let databases: TestDatabase[] = [];
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  it('gives each caller an empty database of its own', async () => {
    databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await query(databases[0]!.ownerUrl, 'CREATE TABLE stock (sku text)');
    const sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    expect(await query(databases[0]!.ownerUrl, sql)).toEqual([{ tablename: 'stock' }]);
    expect(await query(databases[1]!.ownerUrl, sql)).toEqual([]);
  });

  it('fills a template once, however many ask at once, and gives each a copy of its own, rights included', async () => {
    const filled: string[] = [];
    const fill = async ({ url, ownerUrl }: Pick<TestDatabase, 'url' | 'ownerUrl'>): Promise<void> => {
      filled.push(ownerUrl);
      await query(ownerUrl, `CREATE TABLE shelf AS SELECT 1 AS n; GRANT SELECT ON shelf TO ${new URL(url).username}`);
    };
    const copies = await Promise.all([0, 1, 2].map(() => createTestDatabase({ name: 'servers_spec', fill })));
    databases.push(...copies, await createTestDatabase({ name: 'servers_spec', fill }));
    expect(filled).toHaveLength(1);
    await query(copies[0]!.ownerUrl, 'DELETE FROM shelf');
    expect(await query(copies[1]!.url, 'SELECT n FROM shelf')).toEqual([{ n: 1 }]);
  });

  it('fills a template anew when that failed', async () => {
    const broken = createTestDatabase({ name: 'broken_spec', fill: () => Promise.reject(new Error('half way')) });
    await expect(broken).rejects.toThrow('half way');
    const mended = await createTestDatabase({
      name: 'broken_spec',
      fill: ({ ownerUrl }) => query(ownerUrl, 'CREATE TABLE shelf ()'),
    });
    databases.push(mended);
    expect(await query(mended.ownerUrl, 'SELECT count(*)::int AS n FROM shelf')).toEqual([{ n: 0 }]);
  });

  it('drops a database twice without complaint', async () => {
    await databases[1]!.drop();
    await databases[1]!.drop();
    await expect(query(databases[1]!.ownerUrl, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('a PostgreSQL of a test of its own', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres({ durable: true });
  });
  afterAll(() => server.stop());

  it('keeps committed rows and its port over SIGKILL', async () => {
    await query(server.ownerUrl, 'CREATE TABLE kept AS SELECT 1 AS n');
    await server.kill();
    await expect(query(server.ownerUrl, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.restart();
    expect(await query(server.ownerUrl, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(await query(server.ownerUrl, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });
});

describe('accounts on the nats-server of the run', () => {
  const connectTo = (url: string): Promise<NatsConnection> => {
    const { host, username, password } = new URL(url);
    return connect({ servers: host, user: username, pass: password });
  };
  const streamsOf = async (connection: NatsConnection): Promise<number> =>
    (await (await jetstreamManager(connection)).getAccountInfo()).streams;

  it('see nothing of one another', async () => {
    const urls = [(await createTestNatsAccount()).url, (await createTestNatsAccount()).url];
    const [mine, theirs] = await Promise.all(urls.map(connectTo));
    await (await jetstreamManager(mine!)).streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    expect(await Promise.all([mine!, theirs!].map(streamsOf))).toEqual([1, 0]);
    await Promise.all([mine!.close(), theirs!.close()]);
  });

  it('are as many as are asked for, and new ones disturb no connection', async () => {
    const connection = await connectTo((await createTestNatsAccount()).url);
    const disconnected: unknown[] = [];
    void (async () => {
      for await (const status of connection.status()) disconnected.push(status);
    })();
    const urls: string[] = [];
    for (let count = 0; count < 50; count += 1) urls.push((await createTestNatsAccount()).url);
    expect(new Set(urls).size).toBe(50);
    const last = await connectTo(urls.at(-1)!);
    expect(await streamsOf(last)).toBe(0);
    await connection.flush();
    expect(disconnected).toEqual([]);
    await Promise.all([connection.close(), last.close()]);
  });
});

describe('a nats-server of a test of its own', () => {
  let server: TestNats;
  beforeAll(async () => {
    server = await startTestNats();
  });
  afterAll(() => server.stop());

  async function streams(): Promise<number> {
    const connection = await connect({ servers: server.url });
    const info = await (await jetstreamManager(connection)).getAccountInfo();
    await connection.close();
    return info.streams;
  }

  it('forgets what came after a checkpoint, and nothing else', async () => {
    const add = async (name: string): Promise<void> => {
      const connection = await connect({ servers: server.url });
      await (await jetstreamManager(connection)).streams.add({ name, subjects: [`${name}.>`] });
      await connection.close();
    };
    await add('BEFORE');
    const rollBack = await server.checkpoint();
    await add('AFTER');
    expect(await streams()).toBe(2);
    await rollBack();
    expect(await streams()).toBe(1);
    await server.restart({ wipe: true });
  });

  it('keeps its streams over a restart and forgets them when wiped', async () => {
    const connection = await connect({ servers: server.url });
    await (await jetstreamManager(connection)).streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    await connection.close();
    await server.kill();
    await server.restart();
    expect(await streams()).toBe(1);
    await server.restart({ wipe: true });
    expect(await streams()).toBe(0);
  });
});
