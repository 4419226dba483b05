/** An app out of the template, in a copy of the workspace: as long as it says, whole, and killed where it hurts. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/transport-node';
import { connectNats, keyOf } from '@onepool/platform-messaging';
import { withClient } from '@onepool/platform-postgres';
import { TestApp, makeApiKey, migrateApps } from '@onepool/testing-apps';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import { addApp } from './new-app.ts';
import { type WorkspaceCopy, copyWorkspace } from './workspace-copy.ts';

const WORKSPACE = join(import.meta.dirname, '../../..');
const LINES_MAX = 120;
const PUT_NOTE = 'onepool.rpc.notices.note.put.v1';

interface Note {
  readonly id: string;
  readonly text: string;
  readonly checked: boolean;
  readonly stockChanges: number;
}
interface Fact {
  readonly key: string;
  readonly data: { readonly fromVersion: number; readonly toVersion: number };
}

let workspace: WorkspaceCopy;
let files: readonly string[];
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let caller: NatsConnection;
const apps: TestApp[] = [];
let availability: TestApp;
let authorization: string;

beforeAll(async () => {
  workspace = copyWorkspace(WORKSPACE);
  files = addApp(workspace.root, 'notices');
  [database, nats] = await Promise.all([createTestDatabase(), createTestNatsAccount()]);
  await migrateApps(['availability', 'notices'], database, workspace.root);
  const scopes = ['notices:write', 'catalog:write', 'stock:write'];
  authorization = `Bearer ${await makeApiKey(database, { service: 'spec', scopes }, workspace.root)}`;
  caller = await connectNats({ url: nats.url, name: 'spec' });
  availability = await start('availability');
  await put(`${availability.url}/v1/skus`, { skus: [{ sku: 'mug' }] });
  await put(`${availability.url}/v1/nodes`, { nodes: [{ node: 'berlin', type: 'store' }] });
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.end('SIGKILL')));
  await caller.close();
  await Promise.all([database.drop(), nats.stop()]);
  workspace.remove();
});

async function start(app: string, failpoints?: string): Promise<TestApp> {
  const started = await TestApp.start({
    app,
    databaseUrl: database.url,
    natsUrl: nats.url,
    root: workspace.root,
    ...(failpoints !== undefined && { failpoints }),
  });
  apps.push(started);
  return started;
}

async function send<T>(method: string, url: string, body: unknown): Promise<T> {
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const value: unknown = await answer.json();
  expect([answer.ok, value]).toEqual([true, expect.anything()]);
  return value as T;
}
const put = <T>(url: string, body: unknown): Promise<T> => send<T>('PUT', url, body);
const putNote = (app: TestApp, id: string): Promise<Note> =>
  put<Note>(`${app.url}/v1/notices/${id}`, { sku: 'mug', text: 'Chipped.' });

async function eventually<T>(look: () => Promise<T>, isThere: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const savedOf = (id: string): Promise<readonly object[]> =>
  withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<object>('SELECT * FROM notices.note WHERE id = $1', [id]);
    return rows;
  });

/** Facts of the app about a note, as the stream has them. */
async function factsOf(id: string): Promise<readonly Fact[]> {
  const consumer = await jetstream(caller).consumers.get('ONEPOOL_NOTICES');
  const { num_pending: pending } = await consumer.info();
  const facts: Fact[] = [];
  if (pending === 0) return facts;
  for await (const message of await consumer.fetch({ max_messages: pending })) {
    facts.push({ key: keyOf(message.headers?.get('ce-partitionkey') ?? ''), data: message.json() });
  }
  return facts.filter(({ key }) => key === `note/${id}`);
}

/** Connections that the pools of an app may open at most, which it does not exceed. */
async function connectionsOf({ url }: TestApp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const pools = [...text.matchAll(/^onepool_postgres_connections_max\{pool="[^"]+"\} (\d+)$/gm)];
  return pools.reduce((sum, [, connections]) => sum + Number(connections), 0);
}

/** Sessions that there are now. */
const sessions = (): Promise<number> =>
  withClient(database.ownerUrl, async (client) => {
    const text = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    return (await client.query<{ n: number }>(text)).rows[0]?.n ?? Number.NaN;
  });

describe('an app out of the template', () => {
  it(`takes no more than ${LINES_MAX} lines, contract and tables included`, () => {
    const written = files.filter((path) => /^(apps|libs\/contracts\/src)\/notices\/.*\.(ts|sql)$/.test(path));
    execFileSync(
      join(WORKSPACE, 'node_modules/.bin/prettier'),
      ['--write', ...written.filter((path) => path.endsWith('.ts'))],
      {
        cwd: workspace.root,
      },
    );
    const lines = written.flatMap((path) => readFileSync(join(workspace.root, path), 'utf8').split('\n'));
    expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(LINES_MAX);
  });

  it('serves an operation over HTTP and NATS, saves, tells a fact, takes in those of stock, and runs a task', async () => {
    const app = await start('notices');
    expect(await putNote(app, 'n1')).toEqual({
      id: 'n1',
      sku: 'mug',
      text: 'Chipped.',
      checked: false,
      stockChanges: 0,
    });
    const headers = natsHeaders();
    headers.set('authorization', authorization);
    const payload = JSON.stringify({ id: 'n1', sku: 'mug', text: 'Glued.' });
    const reply = await caller.request(PUT_NOTE, payload, { headers, timeout: 60_000 });
    expect(reply.json()).toMatchObject({ id: 'n1', text: 'Glued.' });
    const movements = [{ type: 'receipt', sku: 'mug', node: 'berlin', quantity: 2 }];
    await send('POST', `${availability.url}/v1/movements`, { id: 'm1', source: 'wms', movements });
    const note = await eventually(
      () => putNote(app, 'n1'),
      ({ checked, stockChanges }) => checked && stockChanges > 0,
    );
    expect(note.stockChanges).toBe(1);
    expect(
      await eventually(
        () => factsOf('n1'),
        ({ length }) => length > 0,
      ),
    ).toEqual([{ key: 'note/n1', data: { id: 'n1', sku: 'mug', fromVersion: 0, toVersion: 1 } }]);
    await app.end();
  });

  it('that is killed before its commit has saved nothing and told nothing', async () => {
    const app = await start('notices', 'notices.put.before_commit=kill@1');
    await expect(putNote(app, 'n2')).rejects.toThrow();
    await app.ended();
    const again = await start('notices');
    expect((await savedOf('n2')).length).toBe(0);
    await putNote(again, 'n2');
    expect(
      await eventually(
        () => factsOf('n2'),
        ({ length }) => length > 0,
      ),
    ).toMatchObject([{ data: { toVersion: 1 } }]);
    await again.end();
  });

  it('that is killed between save and fact tells the fact once it is back, once, and does its task', async () => {
    const app = await start('notices', 'notices.put.after_commit=kill@1');
    await expect(putNote(app, 'n3')).rejects.toThrow();
    await app.ended();
    expect((await savedOf('n3')).length).toBe(1);
    const again = await start('notices');
    expect(
      await eventually(
        () => factsOf('n3'),
        ({ length }) => length > 0,
      ),
    ).toMatchObject([{ data: { toVersion: 1 } }]);
    await eventually(
      () => putNote(again, 'n3'),
      ({ checked }) => checked,
    );
    expect((await factsOf('n3')).length).toBe(1);
    await again.end();
  });

  it('with three others and availability needs fewer than 110 connections, and fewer than 380 with four replicas of each', async () => {
    const names = ['notices', 'labels', 'prices', 'visits'];
    for (const name of names.slice(1)) addApp(workspace.root, name);
    await migrateApps(names.slice(1), database, workspace.root);
    const others = await Promise.all(names.map((name) => start(name)));
    const most = await Promise.all([availability, ...others].map(connectionsOf));
    const sum = most.reduce((total, one) => total + one, 0);
    expect(Math.min(...most)).toBeGreaterThan(5);
    expect(sum).toBeLessThan(110);
    expect(4 * sum).toBeLessThan(380);
    expect(await sessions()).toBeLessThanOrEqual(sum);
    await Promise.all(others.map((app) => app.end()));
  });
});
