/** Full counts that wait for somebody to approve them, and dry runs. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feed, FeedQuery } from '@onepool/contracts';
import type { StockEngine, StockFeeds } from '@onepool/stock-data-access';
import { codeOf, done, readsOf, receipt, record } from '../engine-specs/asking.ts';
import { brokenLaws } from '../engine-specs/laws.ts';
import { CLIENT, type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { feedsOn, refusalsOf, upload } from './feeding.ts';

const SKUS = numbered('sku', 60);
const MINUTE = 60_000;
let pool: PoolFixture;
let engine: StockEngine;
let feeds: StockFeeds;
let now: number;
beforeEach(async () => {
  pool = await createPoolFixture(2, SKUS.length);
  engine = pool.engine();
  feeds = feedsOn(pool);
  now = Date.now();
  const receipts = SKUS.map((sku) => receipt(sku, 'n1', 5));
  done(await record(engine, 'r', receipts, { occurredAt: new Date(now - 60 * MINUTE).toISOString() }));
});
afterEach(async () => {
  expect(await brokenLaws(pool.dataSource)).toEqual([]);
  await feeds.close();
  await pool.close();
});

const rows = (skus: readonly string[], quantity = 5): string[] => skus.map((sku) => `${sku},n1,${quantity}`);
const but = (count: number): string[] => SKUS.slice(0, SKUS.length - count);
const read = async (id: string): Promise<Feed> => done(await feeds.reads.feed(CLIENT, id));
async function count(
  lines: readonly string[],
  { minutes = 30, ...query }: Partial<FeedQuery> & { minutes?: number } = {},
) {
  const capturedAt = new Date(now - minutes * MINUTE).toISOString();
  const { id } = done(await upload(feeds, ['sku,node,quantity', ...lines, ''].join('\n'), { capturedAt, ...query }));
  await feeds.worker.once();
  return read(id);
}
const decide = (id: string, verdict: 'approved' | 'rejected', person = 'prn_zoe') =>
  feeds.approvals.decide({ owner: CLIENT, id, verdict, actor: 'console', person });
const onHand = async (sku: string) => (await readsOf(engine).stock(sku)).rows.find(({ node }) => node === 'n1')?.onHand;
const stages = async (): Promise<number> => {
  const found: unknown[] = await pool.dataSource.query(
    `SELECT FROM pg_class WHERE relname LIKE 'feed\\_stage\\_%' AND relkind = 'r'`,
  );
  return found.length;
};
const last = 'sku60';

describe('a full count', () => {
  it('stays full with lines that name nothing or what nobody knows: every other absent row counts 0', async () => {
    const told = await count([...rows(but(3)), ',', '"",,1', 'nobody,n1,7']);
    expect(told).toMatchObject({ state: 'done', absentRows: 'zeroed', waitsFor: [], rows: { absent: 3, applied: 3 } });
    expect(await onHand(last)).toBe(0);
  });

  it.each<[string, readonly string[], Partial<FeedQuery>, object]>([
    [
      'it would zero more than a fifth',
      rows(but(13)),
      {},
      { waitsFor: ['zeroes_many'], outlook: { wouldZero: 13, nonZero: 60 } },
    ],
    [
      'it tells more than a fifth to be 0',
      [...rows(but(13)), ...rows(SKUS.slice(-13), 0)],
      {},
      { waitsFor: ['zeroes_many'], outlook: { wouldZero: 13, wouldZeroAbsent: 0, wouldChange: 13 } },
    ],
    ['it would zero more than its sender wants', rows(but(1)), { maxZeroedPercent: 1 }, { waitsFor: ['zeroes_many'] }],
    [
      'it names as many unknown SKUs as it would zero',
      [...rows(but(1)), 'renamed,n1,5'],
      {},
      { waitsFor: ['unknown_skus'], outlook: { wouldZero: 1, unknownSkus: 1 } },
    ],
    ['a line has an open quote', [...rows(but(1)), '"sku60,n1,5'], {}, { waitsFor: ['unreadable_lines'] }],
    ['a line has too few cells', [...rows(but(1)), 'sku60,n1'], {}, { waitsFor: ['unreadable_lines'] }],
    ['a line is too long', [...rows(but(1)), `sku60,n1,${'5'.repeat(70_000)}`], {}, { waitsFor: ['unreadable_lines'] }],
  ])('waits where %s', async (_why, lines, query, expected) => {
    const told = await count(lines, query);
    expect(told).toMatchObject({ ...expected, state: 'waiting', absentRows: 'untouched', finishedAt: null });
    await feeds.worker.once();
    expect([await onHand(last), await stages()]).toEqual([5, 1]);
  });

  it('does not wait for unreadable lines where no row with units is absent', async () => {
    expect(await count([...rows(SKUS), '"sku60,n1,5'])).toMatchObject({ state: 'done', rows: { refused: 1 } });
  });

  it('of which no row can be counted fails, and zeroes nothing', async () => {
    const told = await count(['nobody,n1,5', 'sku1,n1,x'], { node: 'n1' });
    expect(told).toMatchObject({ state: 'failed', failure: expect.stringContaining('without a single row') });
    expect([await onHand(last), await stages()]).toEqual([5, 0]);
  });

  it('waits as the app is set, and never for its share at 100 per cent', async () => {
    await feeds.close();
    feeds = feedsOn(pool, { guard: { zeroedPercent: 100, minRows: 1 } });
    expect(await count(rows(but(59)))).toMatchObject({ state: 'done', rows: { absent: 59 } });
  });
});

describe('a waiting count', () => {
  it('is applied once it is approved, as of its capture time, and says who approved it', async () => {
    const { id } = await count(rows(but(20)));
    done(
      await record(engine, 'late', [receipt(last, 'n1', 2)], { occurredAt: new Date(now - 10 * MINUTE).toISOString() }),
    );
    const approved = done(await decide(id, 'approved'));
    expect(approved).toMatchObject({
      state: 'applying',
      decision: { verdict: 'approved', by: 'console', person: 'prn_zoe' },
    });
    expect(done(await decide(id, 'approved', 'prn_other')).decision).toEqual(approved.decision);
    await feeds.worker.once();
    expect(done(await decide(id, 'approved')).decision).toEqual(approved.decision);
    expect(codeOf(await decide(id, 'rejected'))).toBe('feed.not_waiting');
    expect(await read(id)).toMatchObject({ state: 'done', absentRows: 'zeroed', rows: { absent: 20, applied: 20 } });
    expect([await onHand(last), await stages()]).toEqual([2, 0]);
  });

  it('that is rejected changes nothing, for good', async () => {
    const { id } = await count(rows(but(20)));
    const rejected = done(await decide(id, 'rejected'));
    expect(rejected).toMatchObject({ state: 'rejected', absentRows: 'untouched', decision: { verdict: 'rejected' } });
    expect(done(await decide(id, 'rejected', 'prn_other'))).toEqual(rejected);
    expect(codeOf(await decide(id, 'approved'))).toBe('feed.not_waiting');
    await feeds.worker.once();
    expect([await onHand(last), await stages()]).toEqual([5, 0]);
    expect(codeOf(await decide('unheard-of', 'approved'))).toBe('feed.unknown');
  });

  it('is replaced by a newer full count of its source and nodes, and by nothing else', async () => {
    const { id } = await count(rows(but(20)));
    await count(rows(SKUS), { minutes: 29, source: 'erp' });
    await count(rows(SKUS), { minutes: 29, completeness: 'partial' });
    await count(
      SKUS.map((sku) => `${sku},n2,5`),
      { minutes: 29 },
    );
    await count(rows(SKUS), { minutes: 29, dryRun: true });
    await count(rows(SKUS), { minutes: 31 });
    expect(await read(id)).toMatchObject({ state: 'waiting' });
    const newer = await count(rows(but(21)), { minutes: 28 });
    expect([(await read(id)).state, newer.state, await stages()]).toEqual(['replaced', 'waiting', 1]);
    expect(codeOf(await decide(id, 'approved'))).toBe('feed.not_waiting');
    expect(await count(rows(SKUS, 4), { minutes: 27, node: 'n1' })).toMatchObject({ state: 'done' });
    expect([(await read(newer.id)).state, await stages()]).toEqual(['replaced', 0]);
  });

  it('is listed until somebody decides, to its owner and to those who may approve', async () => {
    const { id } = await count(rows(but(20)));
    const other = await count(rows(but(1)), { source: 'erp', maxZeroedPercent: 0 });
    await count(rows(SKUS), { source: 'pos' });
    const list = async (more: object) => {
      const page = {
        actor: CLIENT,
        state: 'waiting',
        isApprover: false,
        nodes: 'all',
        limit: 10,
        cursor: undefined,
      } as const;
      const { items, nextCursor } = await feeds.reads.feeds({ ...page, ...more });
      return [items.map((one) => one.id), nextCursor] as const;
    };
    expect(await list({})).toEqual([[id, other.id], null]);
    const [first, cursor] = await list({ limit: 1, actor: 'console', isApprover: true });
    expect([first, await list({ limit: 1, cursor })]).toEqual([[id], [[other.id], expect.any(String)]]);
    expect(await list({ actor: 'console' })).toEqual([[], null]);
    expect(await list({ nodes: new Set(['n1']) })).toEqual([[], null]);
    done(await decide(id, 'rejected'));
    expect(await list({})).toEqual([[other.id], null]);
  });
});

describe('a dry run', () => {
  it('says what a count would do, applies nothing and leaves no stage', async () => {
    const lines = [...rows(but(20)), 'sku1,n2,7', 'nobody,n1,1', 'sku2,n1,x'].map((line) =>
      line === 'sku3,n1,5' ? 'sku3,n1,6' : line,
    );
    const told = await count(lines, { dryRun: true });
    expect(told).toMatchObject({
      state: 'dry_run',
      absentRows: 'untouched',
      waitsFor: ['zeroes_many'],
      outlook: { wouldChange: 22, wouldZero: 20, wouldZeroAbsent: 20, nonZero: 60, unknownSkus: 1 },
      rows: { refused: 2, applied: 0 },
    });
    expect(await refusalsOf(feeds, told.id)).toHaveLength(2);
    expect([await onHand(last), await onHand('sku3'), await stages()]).toEqual([5, 5, 0]);
    const { applied } = (await count(lines)).rows;
    expect(applied).toBe(0);
  });

  it('of a delta counts its rows', async () => {
    const told = await count(['sku1,n1,5', 'sku1,n1,-5'], { dryRun: true, mode: 'delta', completeness: 'partial' });
    expect(told).toMatchObject({ state: 'dry_run', outlook: { wouldChange: 2, wouldZero: 0, wouldZeroAbsent: 0 } });
    expect(await onHand('sku1')).toBe(5);
  });
});
