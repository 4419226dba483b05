/** What of a body is taken, and what is refused whole. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feed } from '@onepool/contracts';
import type { StockFeeds } from '@onepool/stock-data-access';
import { codeOf, done, readsOf } from '../engine-specs/asking.ts';
import { CLIENT, type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { bytes, feedsOn, upload } from './feeding.ts';

const HEADER = 'sku,node,quantity\n';
let pool: PoolFixture;
let feeds: StockFeeds;
let id: string;
let made = 0;
beforeAll(async () => {
  pool = await createPoolFixture(2, 4);
});
beforeEach(async () => {
  feeds = feedsOn(pool, { limits: { rowsMax: 50, emptyLinesMax: 5, bytesWithoutRowMax: 2_000 } });
  id = `body-${made++}`;
  // As if it had been there long before any count.
  for (const sku of ['sku1', 'sku2']) await pool.receive(sku, 'n1', 5);
});
afterEach(async () => {
  expect(await stages()).toEqual([]);
  await feeds.close();
});
afterAll(() => pool.close());

const stages = (): Promise<unknown> =>
  pool.dataSource.query(`SELECT relname FROM pg_class WHERE relname LIKE 'feed\\_stage\\_%' AND relkind = 'r'`);
const read = async (): Promise<Feed> => done(await feeds.reads.feed(CLIENT, id));
const onHand = async (sku: string) =>
  (await readsOf(pool.engine()).stock(sku)).rows.find(({ node }) => node === 'n1')?.onHand;
const capturedAt = '2026-11-20T05:00:00.000Z';

describe('a body is refused whole, leaves its reason and no stage, and may be sent again mended', () => {
  it.each<[string, string, Parameters<typeof upload>[2], string, string]>([
    ['empty', '', {}, 'feed.incomplete', 'without a single row'],
    ['of a header only', HEADER, {}, 'feed.incomplete', 'without a single row'],
    ['of a header and empty lines', `${HEADER},,\n\n`, {}, 'feed.incomplete', 'without a single row'],
    ['cut within a row', `${HEADER}sku1,n1,5\nsku2,n`, {}, 'feed.incomplete', 'within its last line'],
    ['cut before a quantity', `${HEADER}sku1,n1,5\nsku2,n1,`, {}, 'feed.incomplete', 'within its last line'],
    ['cut within quotes', `${HEADER}sku1,n1,5\n"sku2`, {}, 'feed.incomplete', 'within its last line'],
    [
      'cut within JSON',
      '{"sku":"sku1","node":"n1","quantity":5}\n{"sku":"sku2","node":"n1","qua',
      { format: 'ndjson' },
      'feed.incomplete',
      'within its last line',
    ],
    ['with columns that no feed has', 'sku,amount\nsku1,5\n', {}, 'feed.header_invalid', 'unknown columns'],
    ['of too many rows', HEADER + 'sku1,n1,5\n'.repeat(51), {}, 'feed.too_large', 'more than 50 rows'],
    ['of too many empty lines', `${HEADER}sku1,n1,5\n${'\n'.repeat(6)}`, {}, 'feed.too_large', '5 empty lines'],
    ['of blanks without end', HEADER + ' '.repeat(3_000), {}, 'feed.too_large', '2000 bytes without a row'],
    ['of fewer rows than expected', `${HEADER}sku1,n1,5\n`, { expectedRows: 2 }, 'feed.rows_differ', '1 rows'],
    ['of more rows than expected', `${HEADER}sku1,n1,5\nx\n`, { expectedRows: 1 }, 'feed.rows_differ', '2 rows'],
  ])('%s', async (_what, body, query, code, reason) => {
    const given = { ...query, id, capturedAt };
    expect(codeOf(await upload(feeds, body, given))).toBe(code);
    expect(await read()).toMatchObject({
      state: 'failed',
      failure: expect.stringContaining(reason),
      absentRows: 'untouched',
    });
    await feeds.worker.once();
    expect(await onHand('sku2')).toBeGreaterThan(0);
    const { expectedRows: _expected, ...mended } = given;
    const good = mended.format === 'ndjson' ? '{"sku":"sku3","node":"n2","quantity":5}' : `${HEADER}sku3,n2,5`;
    expect(done(await upload(feeds, good, mended))).toMatchObject({ state: 'applying', failure: null });
    await feeds.worker.once();
    expect(await read()).toMatchObject({ state: 'done', rows: { received: 1 } });
  });

  it('that is no gzip, or ends early', async () => {
    const broken = Object.assign(new Error('unexpected end of file'), { code: 'Z_BUF_ERROR' });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* bytes(`${HEADER}sku1,n1,5\n`);
      throw broken;
    }
    await expect(upload(feeds, body(), { id })).rejects.toBe(broken);
    expect(await read()).toMatchObject({ state: 'failed', failure: expect.stringContaining('decompressed') });
  });
});

describe('a last line without its line feed', () => {
  it.each([
    ['counts where it is a whole row', `${HEADER}sku3,n2,5`, {}],
    ['and of an unknown SKU is refused alone', `${HEADER}sku3,n2,5\nnothing,n2,5`, {}],
    ['of a partial count is refused alone', `${HEADER}sku3,n2,5\nsku4,n`, { completeness: 'partial' }],
  ] as const)('%s', async (_what, body, query) => {
    done(await upload(feeds, body, { ...query, id }));
    await feeds.worker.once();
    expect(await read()).toMatchObject({ state: 'done', rows: { staged: 1 } });
  });
});

describe('an id that was used', () => {
  const given = () => ({ id, capturedAt, completeness: 'partial' }) as const;
  beforeEach(async () => void done(await upload(feeds, `${HEADER}sku3,n2,5\n`, given())));

  it.each(['while it waits to be applied', 'when it is done'])(
    'answers with the state to the same body %s',
    async (when) => {
      if (when === 'when it is done') await feeds.worker.once();
      expect(done(await upload(feeds, `${HEADER}sku3,n2,5\n`, given())).rows.received).toBe(1);
      await feeds.worker.once();
      expect(await read()).toMatchObject({ state: 'done' });
    },
  );

  it.each([`${HEADER}sku3,n2,6\n`, '', HEADER, `${HEADER}sku3,n2,5\nsku4,n2,5\n`])(
    'is a mismatch with another body, which is not lost without a word: %j',
    async (body) => {
      expect(codeOf(await upload(feeds, body, given()))).toBe('idempotency.mismatch');
      await feeds.worker.once();
      expect(await read()).toMatchObject({ state: 'done', rows: { received: 1 } });
    },
  );

  it('reads no more of another body than the first had', async () => {
    let pieces = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield await Promise.resolve(Buffer.from(`piece ${(pieces += 1)}\n`));
    }
    expect(codeOf(await upload(feeds, endless(), given()))).toBe('idempotency.mismatch');
    expect(pieces).toBe(4);
    await feeds.worker.once();
  });
});
