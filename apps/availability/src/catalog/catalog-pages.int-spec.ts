/** Lists and snapshots of the catalogue, over HTTP and NATS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { CATALOG_SCOPE, PAGE_BYTES_MAX, type Sku, type SnapshotPage, factStream } from '@onepool/contracts';
import { parsePosition } from '@onepool/platform-messaging';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { problemOf } from '../testing/answer.ts';

/** Three bytes a letter in UTF-8, and one escape each in JSON. */
const title = (letter: string): string => letter.repeat(200);
const SKUS = Array.from({ length: 1_500 }, (_, index) => ({
  sku: `${String(index).padStart(4, '0')}-${'語'.repeat(200)}`,
  title: title(index % 2 === 0 ? '茶' : '"'),
  category: title('茶'),
}));

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  for (let from = 0; from < SKUS.length; from += 300) {
    // A busy machine may say that it is one; then it is asked again.
    await eventually(async () => {
      const { status } = await app.http('putSkus', { body: { skus: SKUS.slice(from, from + 300) } });
      return status === 200 || undefined;
    });
  }
  await app.http('putNodes', { body: { nodes: ['n1', 'n2', 'n3'].map((node) => ({ node, type: 'store' })) } });
  await app.http('putChannels', { body: { channels: [{ channel: 'web', type: 'web', nodes: ['n1'] }] } });
  const rule = (node: string, quantity: number) => ({ scope: 'node', channel: 'web', node, quantity });
  await app.http('putThresholds', { body: { thresholds: ['n1', 'n2', 'n3'].map((node) => rule(node, 2)) } });
  await app.http('putThresholds', { body: { thresholds: [rule('n2', 0)] } });
});
afterAll(() => app.close());

type Paged = 'listSkus' | 'snapshotSkus' | 'snapshotThresholds';

async function pagesOf<P>(edge: 'http' | 'rpc', id: Paged, limit: number): Promise<P[]> {
  const pages: P[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { status, body } = await app[edge](id, { query: { limit, ...(cursor === undefined ? {} : { cursor }) } });
    expect(status).toBe(200);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(PAGE_BYTES_MAX);
    pages.push(body as P);
    cursor = (body as { nextCursor: string | null }).nextCursor;
  }
  return pages;
}

describe.each(['http', 'rpc'] as const)('a page over %s', (edge) => {
  it('ends early where its rows would take more than 512 kB, and the pages together have every row once', async () => {
    const lists = await pagesOf<{ items: Sku[] }>(edge, 'listSkus', 1_000);
    expect(lists.length).toBeGreaterThan(2);
    expect(lists.flatMap(({ items }) => items)).toEqual(SKUS);
    const snapshots = await pagesOf<SnapshotPage<Sku>>(edge, 'snapshotSkus', 1_000);
    expect(snapshots.length).toBeGreaterThan(2);
    const items = snapshots.flatMap((page) => page.items);
    expect(items).toEqual(SKUS.map((value) => ({ key: value.sku, version: 1, value })));
  });

  it('has as many rows as were asked for where they fit', async () => {
    const pages = await pagesOf<{ items: Sku[] }>(edge, 'listSkus', 125);
    expect(pages.map(({ items }) => items.length)).toEqual(Array.from({ length: 12 }, () => 125));
  });

  it('of a snapshot tells versions, and of what was removed that it is gone', async () => {
    const pages = await pagesOf<SnapshotPage<object>>(edge, 'snapshotThresholds', 2);
    const rule = (node: string) => ({ scope: 'node', channel: 'web', node, quantity: 2 });
    expect(pages.flatMap(({ items }) => items)).toEqual([
      { key: 'node/web/n1/', version: 1, value: rule('n1') },
      { key: 'node/web/n2/', version: 2, value: null },
      { key: 'node/web/n3/', version: 1, value: rule('n3') },
    ]);
  });

  it('of a snapshot says where the stream is', async () => {
    const manager = await jetstreamManager(app.caller, { checkAPI: false });
    await eventually(async () => {
      const { state } = await manager.streams.info(factStream(CATALOG_SCOPE).name);
      const { body } = await app[edge]('snapshotNodes');
      expect(parsePosition((body as SnapshotPage<object>).position)).toEqual({ epoch: 1, sequence: state.last_seq });
      return state.messages >= SKUS.length || undefined;
    });
  });

  it('of a snapshot is refused to a key that is limited to nodes or channels', async () => {
    const key = await app.makeKey('limited', ['catalog:read'], { nodes: ['n1'] });
    for (const id of ['snapshotSkus', 'snapshotNodes', 'snapshotChannels', 'snapshotThresholds'] as const) {
      expect(problemOf(await app[edge](id, { key }))).toMatchObject({ status: 403, code: 'auth.forbidden' });
    }
    expect((await app[edge]('listNodes', { key })).status).toBe(200);
  });
});
