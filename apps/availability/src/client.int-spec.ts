/** The client of other teams against the real app: the page that they read, and what no small app has. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client, createClient, valueOf } from '@onepool/client';
import { AVAILABILITY } from '@onepool/contracts';
import { TcpProxy } from '@onepool/testing-servers';
import { type AppFixture, createAppFixture } from './testing/app-fixture.ts';
import { putNetwork, receive } from './testing/network.ts';

const workspace = join(import.meta.dirname, '../../..');
let app: AppFixture;
let onepool: Client<typeof AVAILABILITY>;

beforeAll(async () => {
  app = await createAppFixture();
  onepool = createClient(AVAILABILITY, { http: { url: app.origin }, apiKey: app.key });
});
afterAll(async () => {
  await onepool.close();
  await app.close();
});

/** The blocks of a page that are marked so, as one program, and what it says it prints. */
function programOf(page: string): { readonly source: string; readonly printed: readonly string[] } {
  const source = [...page.matchAll(/^```ts run\n([^]*?)^```$/gm)].map(([, text]) => text).join('\n');
  return { source, printed: [...source.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line!) };
}

describe('the README of the client', () => {
  let folder: string;
  let program: ReturnType<typeof programOf>;
  // Below the workspace, where its imports are found.
  beforeAll(async () => {
    await mkdir(join(workspace, '.onepool'), { recursive: true });
    folder = await mkdtemp(join(workspace, '.onepool/readme-'));
    program = programOf(await readFile(join(workspace, 'libs/client/README.md'), 'utf8'));
    await writeFile(join(folder, 'page.ts'), program.source);
    const settings = { extends: '../../tsconfig.base.json', include: ['page.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('has examples that print what they say', async () => {
    const env = { ...process.env, ONEPOOL_URL: app.origin, ONEPOOL_API_KEY: app.key, NATS_URL: app.config.NATS_URL };
    const args = ['--conditions=@onepool/source', join(folder, 'page.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env, NODE_OPTIONS: '' } });
    expect(program.printed.length).toBeGreaterThan(4);
    expect(stdout.trim().split('\n')).toEqual(program.printed);
  });

  it('has examples that the compiler accepts', async () => {
    const compiler = join(workspace, 'node_modules/typescript/bin/tsc');
    const checked = promisify(execFile)(process.execPath, [compiler, '-p', folder]);
    expect(await checked.catch((fault: { stdout: string }) => fault)).toMatchObject({ stdout: '' });
  });
});

describe('a caller with the client', () => {
  beforeAll(async () => {
    await putNetwork(app, ['lamp']);
    await receive(app, 'lamp', { 'wh-1': 5 });
  });
  const holding = (id: string) => ({ id, channel: 'web', lines: [{ sku: 'lamp', quantity: 2 }] });

  it('has one reservation, and its answer, though the connection was lost behind the request', async () => {
    const proxy = await TcpProxy.to(Number(new URL(app.origin).port));
    const behind = createClient(AVAILABILITY, { http: { url: proxy.url(app.origin) }, apiKey: app.key });
    const lost = proxy.cutAfter('toServer', (bytes) => bytes.includes('cart-cut'));
    try {
      const held = valueOf(await behind.hold({ body: holding('cart-cut') }));
      await lost;
      expect([held.version, held.lines[0]?.granted]).toEqual([1, 2]);
      const { rows } = valueOf(await onepool.getStock({ params: { sku: 'lamp' } }));
      expect(rows.reduce((sum, { reserved }) => sum + reserved, 0)).toBe(2);
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('reads what it has written: a version that is not there yet is asked for again', async () => {
    const { version } = valueOf(await onepool.getStock({ params: { sku: 'lamp' } }));
    const reading = onepool.getAtp({ params: { sku: 'lamp' }, query: { channel: 'web', minVersion: version + 1 } });
    await receive(app, 'lamp', { 'wh-2': 1 });
    expect(valueOf(await reading).version).toBeGreaterThan(version);
  });
});
