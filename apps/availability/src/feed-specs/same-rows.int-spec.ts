/** Lines of a count that speak of one SKU and node. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feed, FeedQuery } from '@onepool/contracts';
import type { StockFeeds } from '@onepool/stock-data-access';
import { done, readsOf, receipt, record } from '../engine-specs/asking.ts';
import { CLIENT, type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { feedsOn, refusalsOf, upload } from './feeding.ts';

let pool: PoolFixture;
let feeds: StockFeeds;
beforeAll(async () => {
  pool = await createPoolFixture(1, 4);
  feeds = feedsOn(pool);
});
afterAll(async () => {
  await feeds.close();
  await pool.close();
});

/** Each count is newer than the one before, and than the receipts. */
let capturedAt = Date.now() - 1_000_000;
beforeEach(async () => {
  const engine = pool.engine();
  for (const sku of ['sku1', 'sku2', 'sku3', 'sku4'])
    done(
      await record(engine, `r-${capturedAt}-${sku}`, [receipt(sku, 'n1', 50)], {
        occurredAt: new Date(capturedAt + 1).toISOString(),
      }),
    );
});
afterEach(() => {
  capturedAt += 10_000;
});

async function count(lines: readonly string[], query: Partial<FeedQuery> = {}, columns = 'sku,node,quantity') {
  const body = [columns, ...lines, ''].join('\n');
  const time = new Date(capturedAt + 5_000).toISOString();
  const { id } = done(await upload(feeds, body, { capturedAt: time, ...query }));
  await feeds.worker.once();
  const told: Feed = done(await feeds.reads.feed(CLIENT, id));
  const refused = (await refusalsOf(feeds, id)).map(({ line, code, message }) => `${line} ${code}: ${message}`);
  return { ...told, refused };
}
const onHand = async (sku: string) =>
  (await readsOf(pool.engine()).stock(sku)).rows.find(({ node }) => node === 'n1')?.onHand;
const OTHERS = ['sku2,n1,2', 'sku3,n1,3', 'sku4,n1,4'];

describe('lines of one row in a reset', () => {
  it.each(['full', 'partial'] as const)(
    'that tell different quantities are all refused, each naming another, and a %s count leaves the row alone',
    async (completeness) => {
      const was = await onHand('sku1');
      const told = await count(['sku1,n1,5', ...OTHERS, 'sku1,n1,7', 'sku1,n1,5'], { completeness });
      expect(told.refused).toEqual([
        '2 row.conflict: line 6 tells another quantity of the same row',
        '6 row.conflict: line 2 tells another quantity of the same row',
        '7 row.conflict: line 6 tells another quantity of the same row',
      ]);
      expect(told).toMatchObject({ state: 'done', rows: { received: 6, staged: 3, absent: 0, refused: 3 } });
      expect([await onHand('sku1'), await onHand('sku2')]).toEqual([was, 2]);
    },
  );

  it('that tell the same quantity count once', async () => {
    const told = await count(['sku1,n1,5', ...OTHERS, 'sku1,n1,5']);
    expect(told.refused).toEqual(['6 row.duplicate: already in line 2']);
    expect(told).toMatchObject({ state: 'done', rows: { staged: 4, absent: 0, refused: 1 } });
    expect(await onHand('sku1')).toBe(5);
  });

  it('of which none can be read are refused once each, and leave the row alone', async () => {
    const was = await onHand('sku1');
    const told = await count(['sku1,n1,x', ...OTHERS, 'sku1,n1,y']);
    expect(told).toMatchObject({ state: 'done', rows: { staged: 3, absent: 0, refused: 2 } });
    expect(await onHand('sku1')).toBe(was);
  });

  it('are added up where the sender asks for it', async () => {
    const told = await count(['sku1,n1,5', ...OTHERS, 'sku1,n1,7', 'sku1,n1,5'], { duplicates: 'sum' });
    expect(told.refused).toEqual([]);
    expect(told).toMatchObject({ state: 'done', rows: { received: 6, staged: 4, refused: 0 } });
    expect(await onHand('sku1')).toBe(17);
  });

  it.each(['full', 'partial'] as const)(
    'have no sum where one of them cannot be read, or where it is too large: %s',
    async (completeness) => {
      const was = [await onHand('sku1'), await onHand('sku2')];
      const lines = ['sku1,n1,5', 'sku1,n1,x', 'sku2,n1,1000000000', 'sku2,n1,1', 'sku3,n1,3', 'sku4,n1,4'];
      const told = await count(lines, { duplicates: 'sum', completeness });
      expect(told.refused).toEqual([
        '2 row.conflict: line 3 of the same row is refused, so they have no sum',
        expect.stringContaining('3 quantity.invalid'),
        '4 quantity.invalid: the lines of this row add up to more than 1000000000',
        '5 quantity.invalid: the lines of this row add up to more than 1000000000',
      ]);
      expect(told).toMatchObject({ state: 'done', rows: { staged: 2, absent: 0, refused: 4 } });
      expect([await onHand('sku1'), await onHand('sku2')]).toEqual(was);
    },
  );

  it('whose record another row has told are refused, and not absent', async () => {
    const was = await onHand('sku2');
    const lines = ['sku1,n1,5,r1', 'sku2,n1,6,r1', 'sku3,n1,3,r3', 'sku3,n1,3,r3', 'sku4,n1,4,'];
    const told = await count(lines, {}, 'sku,node,quantity,recordId');
    expect(told.refused).toEqual(['3 record.duplicate: already in line 2', '5 record.duplicate: already in line 4']);
    expect(told).toMatchObject({ state: 'done', rows: { staged: 3, absent: 0, refused: 2 } });
    expect([await onHand('sku1'), await onHand('sku2'), await onHand('sku3')]).toEqual([5, was, 3]);
  });

  it('all count in a delta', async () => {
    const was = (await onHand('sku1')) ?? 0;
    const told = await count(['sku1,n1,5', 'sku1,n1,7', 'sku1,n1,5'], { mode: 'delta', completeness: 'partial' });
    expect(told).toMatchObject({ state: 'done', rows: { applied: 3, refused: 0 } });
    expect(await onHand('sku1')).toBe(was + 17);
  });
});
