/** What specs of feeds send, in few words. */
import type { Feed, FeedQuery, FeedRefusal } from '@onepool/contracts';
import { type Answer, type FeedFormat, StockFeeds, type StockFeedsOptions } from '@onepool/stock-data-access';
import { PARTITION_COUNT, SCHEMA } from '../config.ts';
import { done } from '../engine-specs/asking.ts';
import { CLIENT, type PoolFixture } from '../testing/pool-fixture.ts';

export interface Told {
  readonly sku: string;
  readonly node: string;
  readonly quantity: number;
  readonly [member: string]: unknown;
}

/** A replica's feeds; its worker is started by who wants it to run by itself. */
export const feedsOn = (pool: PoolFixture, options: Partial<StockFeedsOptions> = {}): StockFeeds =>
  new StockFeeds({ url: pool.url, schema: SCHEMA, partitionCount: PARTITION_COUNT, intervalMs: 20, ...options });

export const ndjson = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export async function* bytes(text: string, size = 50_000): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

let sent = 0;

/** Sends rows and does not apply them. By default a partial physical reset of source `wms`, captured now. */
export async function send(
  feeds: StockFeeds,
  rows: readonly (Told | string)[],
  query: Partial<FeedQuery> & { readonly at?: number } = {},
): Promise<Feed> {
  const { at = Date.now(), ...given } = query;
  const text = rows.map((row) => (typeof row === 'string' ? `${row}\n` : `${JSON.stringify(row)}\n`)).join('');
  const defaults = { id: `feed-${sent++}`, source: 'wms', mode: 'reset', measure: 'physical' } as const;
  const received = await feeds.receive({
    actor: CLIENT,
    person: null,
    query: { ...defaults, capturedAt: new Date(at).toISOString(), ...given },
    format: 'ndjson',
    body: bytes(text),
    trace: null,
  });
  return done(received);
}

/** Sends a body as it is, a full count by default, and answers what the sender is told. */
export function upload(
  feeds: StockFeeds,
  body: string | AsyncIterable<Uint8Array>,
  { format = 'csv', ...query }: Partial<FeedQuery> & { readonly format?: FeedFormat } = {},
): Promise<Answer<Feed>> {
  const defaults = { id: `upload-${sent++}`, source: 'wms', mode: 'reset', measure: 'physical' } as const;
  const given = { ...defaults, completeness: 'full', capturedAt: new Date().toISOString(), ...query } as const;
  const content = typeof body === 'string' ? bytes(body) : body;
  return feeds.receive({ actor: CLIENT, person: null, query: given, format, body: content, trace: null });
}

/** Sends rows and applies them; answers the feed when it is done. */
export async function feed(
  feeds: StockFeeds,
  rows: readonly (Told | string)[],
  query: Parameters<typeof send>[2] = {},
) {
  const { id } = await send(feeds, rows, query);
  await feeds.worker.once();
  return done(await feeds.reads.feed(CLIENT, id));
}

export async function refusalsOf(feeds: StockFeeds, id: string): Promise<readonly FeedRefusal[]> {
  const { items } = done(await feeds.reads.refusals(CLIENT, id, 1_000, undefined));
  return items.toSorted((a, b) => a.line - b.line);
}
