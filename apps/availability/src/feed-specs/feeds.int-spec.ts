import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROWS_COUNTED, RowsCounted } from '@onepool/contracts';
import { factKey, partitionOf } from '@onepool/platform-messaging';
import { compileSchema } from '@onepool/platform-problem';
import { type StockEngine, type StockFeeds } from '@onepool/stock-data-access';
import {
  codeOf,
  done,
  type SpecReads,
  act,
  hold,
  move,
  readsOf,
  receipt,
  record,
  sale,
  shift,
  until,
} from '../engine-specs/asking.ts';
import { brokenLaws } from '../engine-specs/laws.ts';
import { PARTITION_COUNT } from '../config.ts';
import { CLIENT, type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { feed, feedsOn, refusalsOf, send } from './feeding.ts';

const MINUTE = 60_000;
let pool: PoolFixture;
let engine: StockEngine;
let feeds: StockFeeds;
let reads: SpecReads;
/** Now, in milliseconds; feeds are captured relative to it. */
let now: number;
beforeEach(async () => {
  pool = await createPoolFixture(3, 4);
  engine = pool.engine();
  feeds = feedsOn(pool);
  reads = readsOf(engine);
  now = Date.now();
});
afterEach(async () => {
  expect(await brokenLaws(pool.dataSource)).toEqual([]);
  expect(await reads.verifyLedger(undefined)).toMatchObject({ balanced: true });
  await feeds.close();
  await pool.close();
});

const at = (minutes: number): string => new Date(now + minutes * MINUTE).toISOString();
const row = async (sku: string, node: string) => (await reads.stock(sku)).rows.find((one) => one.node === node);
const told = (sku: string, node: string, quantity: number, more: object = {}) => ({ sku, node, quantity, ...more });
const before = (minutes: number) => ({ at: now - minutes * MINUTE });

/** What feeds have told to have been counted. */
const counted = async (): Promise<readonly RowsCounted[]> => {
  const facts = await pool.dataSource.query<{ data: RowsCounted; key: string; event_id: string; partition: number }[]>(
    `SELECT data, key, event_id, partition FROM outbox WHERE subject = '${ROWS_COUNTED}' ORDER BY key, id`,
  );
  const { check } = compileSchema(RowsCounted);
  expect(new Set(facts.map(({ event_id }) => event_id)).size).toBe(facts.length);
  for (const { data, key, partition } of facts) {
    expect(check(data)).toEqual([]);
    expect(key).toBe(factKey('count', data.source, data.node));
    expect(partition).toBe(partitionOf(key, PARTITION_COUNT));
  }
  return facts.map(({ data }) => data);
};

describe('what was counted', () => {
  it('is told by node, also where the number was right, and once', async () => {
    await pool.receive('sku1', 'n1', 5);
    const rows = [
      ...[told('sku1', 'n1', 5), told('sku2', 'n1', 3), told('none', 'n1', 3)],
      ...[told('sku2', 'n2', 0), told('sku1', 'n2', 1, { capturedAt: at(-7) })],
    ];
    await feed(feeds, rows, { at: now - MINUTE, id: 'f' });
    await feed(feeds, rows, { at: now - MINUTE, id: 'f' });
    const same = { source: 'wms', measure: 'physical' };
    expect(await counted()).toEqual([
      { ...same, node: 'n1', capturedAt: at(-1), recordedAt: expect.any(String), skus: ['sku1', 'sku2'] },
      { ...same, node: 'n2', capturedAt: at(-7), recordedAt: expect.any(String), skus: ['sku1', 'sku2'] },
    ]);
  });

  it('leaves out rows that a newer count has overtaken, and what other nodes have', async () => {
    await feed(feeds, [told('sku1', 'n1', 5)], before(1));
    await feed(feeds, [told('sku1', 'n1', 4), told('sku2', 'n1', 4), told('sku3', 'n2', 4)], before(2));
    expect((await counted()).map(({ node, skus }) => [node, skus])).toEqual([
      ['n1', ['sku1']],
      ['n1', ['sku2']],
      ['n2', ['sku3']],
    ]);
  });

  it('names what a full count counts as nothing, of its node and measure', async () => {
    await pool.receive('sku4', 'n1', 5);
    const query = { completeness: 'full', node: 'n1', measure: 'availability', at: Date.now() } as const;
    await feed(feeds, [told('sku1', 'n1', 5), told('sku2', 'n1', 1), told('sku3', 'n1', 1)], query);
    expect(await counted()).toMatchObject([{ measure: 'availability', skus: ['sku1', 'sku2', 'sku3', 'sku4'] }]);
  });

  it('is told in several facts where there is too much for one', async () => {
    const long = numbered(`${'x'.repeat(240)}-`, 1_900);
    await pool.catalog.putSkus(long.map((sku) => ({ sku })));
    await feed(
      feeds,
      long.map((sku) => told(sku, 'n1', 1)),
    );
    const facts = await counted();
    expect(facts.flatMap(({ skus }) => skus).toSorted()).toEqual(long.toSorted());
    expect(facts.length).toBeGreaterThan(1);
    for (const fact of facts) expect(Buffer.byteLength(JSON.stringify(fact))).toBeLessThan(512 * 1_024);
  });

  it('of changes is nothing', async () => {
    await feed(feeds, [told('sku1', 'n1', 5)], { mode: 'delta' });
    expect(await counted()).toEqual([]);
  });
});

describe('a physical reset', () => {
  it('makes the book what was counted, and says how many rows changed', async () => {
    await pool.receive('sku1', 'n1', 5);
    // The receipt is recorded now; the count comes after it.
    const outcome = await feed(feeds, [told('sku1', 'n1', 8), told('sku2', 'n1', 3), told('sku3', 'n2', 0)], {
      at: Date.now(),
    });
    expect(outcome).toMatchObject({
      state: 'done',
      percentage: 100,
      rows: { received: 3, staged: 3, unchanged: 1, applied: 2, refused: 0 },
    });
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 8, available: 8 });
    expect(await row('sku2', 'n1')).toMatchObject({ onHand: 3 });
  });

  it('has seen an event that was told before, though by its own clock it was still to come', async () => {
    done(await record(engine, 'r', [receipt('sku1', 'n1', 5)], { occurredAt: at(4) }));
    await feed(feeds, [told('sku1', 'n1', 5)], { at: Date.now() });
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 5 });
  });

  it('finds what happened since then in the months since then: nothing is recorded before it has happened', async () => {
    await expect(
      pool.dataSource.query(
        `INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key)
         VALUES (1, 0, 1, 1, 1, now() + interval '1 ms', now(), 1, 0, 2, 'receipt', 0)`,
      ),
    ).rejects.toThrow('violates check constraint');
  });

  it('keeps what happened after it was captured, and what was promised (magento/inventory#2725)', async () => {
    await record(engine, 'r', [receipt('sku1', 'n1', 10)], { occurredAt: at(-60) });
    await record(engine, 's', [sale('sku1', 'n1', 2)], { occurredAt: at(-10) });
    done(await hold(engine, 'h', [['sku1', 3]]));
    await feed(feeds, [told('sku1', 'n1', 20)], before(30));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 18, available: 15, reserved: 3 });
  });

  it('has seen what a node refused, and what came back to it, however late that is told', async () => {
    await feed(feeds, [told('sku1', 'n1', 5)], before(30));
    done(await hold(engine, 'o', [['sku1', 2]]));
    done(await act(engine, 'o', 'confirm', {}));
    const from = { node: 'n1' };
    done(await move(engine, 'o', 2, [{ sku: 'sku1', quantity: 2, from, to: { node: 'n1', fulfilment: 'f' } }]));
    const one = { fulfilment: 'f', quantity: 1, occurredAt: at(-40) };
    done(await act(engine, 'o', 'reject', { ...one, effect: 'quantity' }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 5, committed: 1, available: 4 });
    done(await act(engine, 'o', 'fulfil', {}));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 4, committed: 0, available: 4 });
    done(await act(engine, 'o', 'unfulfil', { lines: [{ fulfilment: 'f', quantity: 1 }], occurredAt: at(-40) }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 4, committed: 1, available: 3 });
  });

  it('leaves an event alone that was already in it, however late it is told (IBM: adjustments that straddle a snapshot)', async () => {
    await feed(feeds, [told('sku1', 'n1', 20), told('sku1', 'n2', 4)], before(30));
    for (const [id, movement] of [
      ['s', sale('sku1', 'n1', 2)],
      ['r', receipt('sku1', 'n1', 7)],
      ['t', { type: 'transfer', sku: 'sku1', node: 'n1', toNode: 'n3', quantity: 1 }],
    ] as const)
      done(await record(engine, id, [movement], { occurredAt: at(-40) }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 20, available: 20 });
    // n3 was not counted, so the arriving leg is news there.
    expect(await row('sku1', 'n3')).toMatchObject({ onHand: 1 });
    done(
      await record(engine, 'd', [{ type: 'damage', sku: 'sku1', node: 'n1', quantity: 3 }], { occurredAt: at(-40) }),
    );
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 20, available: 17, damaged: 3 });
    done(await record(engine, 's2', [sale('sku1', 'n1', 2)], { occurredAt: at(-20) }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 18, available: 15, damaged: 3 });
  });

  it('says of an event that was already in it who counted and when, and keeps a note of it', async () => {
    const { capturedAt } = await feed(feeds, [told('sku1', 'n1', 20)], { ...before(30), source: 'erp' });
    const transfer = { type: 'transfer', sku: 'sku1', node: 'n1', toNode: 'n3', quantity: 1 } as const;
    const movements = [{ ...sale('sku1', 'n1', 2), sourceEventId: 'receipt-7' }, transfer];
    const answer = done(await record(engine, 's', movements, { occurredAt: at(-40), source: 'pos' }));
    const count = { node: 'n1', countedAt: capturedAt, countedBy: 'erp' };
    // n3 was not counted, so the arriving leg is news there.
    expect(answer.late).toEqual([
      { line: 1, quantity: -2, ...count },
      { line: 2, quantity: -1, ...count },
    ]);
    expect(done(await record(engine, 's', movements, { occurredAt: at(-40), source: 'pos' }))).toEqual(answer);
    const notes: unknown = await pool.dataSource.query(
      `SELECT kind, quantity::int, source.name AS source, source_event_id AS event, counted_by
         FROM late_note JOIN source USING (source_key) ORDER BY kind`,
    );
    expect(notes).toEqual([
      { kind: 'sale', quantity: -2, source: 'pos', event: 'receipt-7', counted_by: 'erp' },
      { kind: 'transfer', quantity: -1, source: 'pos', event: 's', counted_by: 'erp' },
    ]);
  });

  it.each([
    ['the feed says so', (seconds: number) => [{}, { at: Date.now() + seconds * 1_000 }] as const],
    [
      'its row says so',
      (seconds: number) => [{ capturedAt: new Date(Date.now() + seconds * 1_000).toISOString() }, {}] as const,
    ],
  ])(
    'whose clock is ahead by seconds or minutes swallows nothing that happens after it, where %s',
    async (_, ahead) => {
      for (const [index, seconds] of [2, 240].entries()) {
        const sku = `sku${index + 1}`;
        const [members, query] = ahead(seconds);
        await feed(feeds, [told(sku, 'n1', 10, members)], query);
        done(await record(engine, `s${index}`, [sale(sku, 'n1', 3)]));
        expect(await row(sku, 'n1')).toMatchObject({ onHand: 7 });
        done(await record(engine, `r${index}`, [receipt(sku, 'n1', 20)]));
        expect(await row(sku, 'n1')).toMatchObject({ onHand: 27 });
        done(await hold(engine, `h${index}`, [[sku, 2]]));
        done(await act(engine, `h${index}`, 'confirm', {}));
        done(await act(engine, `h${index}`, 'fulfil', {}));
        expect(await row(sku, 'n1')).toMatchObject({ onHand: 25, available: 25 });
      }
    },
  );

  it('of now is not spoilt by a sale before it whose clock was ahead (of 10, 4 were sold, and 6 counted)', async () => {
    done(await record(engine, 'r', [receipt('sku1', 'n1', 10)]));
    const ahead = new Date(Date.now() + 240_000).toISOString();
    done(await record(engine, 's', [sale('sku1', 'n1', 4)], { occurredAt: ahead }));
    await feed(feeds, [told('sku1', 'n1', 6)], {});
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 6 });
  });

  it('an unchanged row is a count too: a sale before it, told after it, takes nothing', async () => {
    await record(engine, 'r', [receipt('sku1', 'n1', 5)], { occurredAt: at(-60) });
    expect(await feed(feeds, [told('sku1', 'n1', 5)], before(30))).toMatchObject({
      rows: { unchanged: 1, applied: 0 },
    });
    done(await record(engine, 's', [sale('sku1', 'n1', 2)], { occurredAt: at(-31) }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 5 });
  });

  it('a shipment before it, told after it, ends the promise and leaves the book', async () => {
    await record(engine, 'r', [receipt('sku1', 'n1', 5)], { occurredAt: at(-60) });
    done(await hold(engine, 'h', [['sku1', 2]]));
    done(await act(engine, 'h', 'confirm', {}));
    await feed(feeds, [told('sku1', 'n1', 3)], before(30));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 3, available: 1, committed: 2 });
    done(await act(engine, 'h', 'fulfil', { occurredAt: at(-40) }));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 3, available: 3, committed: 0 });
  });

  it('that finds fewer units than are promised leaves a shortfall, which is moved to another node', async () => {
    await record(engine, 'r', [receipt('sku1', 'n1', 5)], { occurredAt: at(-60) });
    done(await hold(engine, 'h', [['sku1', 4]]));
    await feed(feeds, [told('sku1', 'n1', 1)], before(30));
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 1, reserved: 4, shortfall: 3 });
    await feed(feeds, [told('sku1', 'n2', 6)], before(30));
    const tasks: unknown[] = await pool.dataSource.query('SELECT sku_key FROM sku_task');
    expect(tasks).toHaveLength(1);
  });

  it('older than the last one of its source is refused row by row, of another source too', async () => {
    await feed(feeds, [told('sku1', 'n1', 5)], before(10));
    const older = await feed(feeds, [told('sku1', 'n1', 9), told('sku2', 'n1', 9)], before(20));
    expect(await refusalsOf(feeds, older.id)).toMatchObject([{ line: 1, code: 'feed.stale' }]);
    expect(older.rows).toMatchObject({ applied: 1, refused: 1 });
    const other = await feed(feeds, [told('sku1', 'n1', 9)], { ...before(20), source: 'erp' });
    expect(await refusalsOf(feeds, other.id)).toMatchObject([{ line: 1, code: 'feed.superseded' }]);
    const newer = await feed(feeds, [told('sku1', 'n1', 9)], { ...before(5), source: 'erp' });
    expect(newer.rows).toMatchObject({ applied: 1, refused: 0 });
  });

  it('nets what was overdrawn, since a count cannot be negative', async () => {
    await record(engine, 's', [sale('sku1', 'n1', 4)], { occurredAt: at(-60) });
    expect(await row('sku1', 'n1')).toMatchObject({ overdrawn: 4 });
    await feed(feeds, [told('sku1', 'n1', 0)], before(30));
    expect(await row('sku1', 'n1')).toMatchObject({ overdrawn: 0, onHand: 0 });
  });
});

describe('a full reset', () => {
  it('counts what it does not name 0 at its nodes, and nowhere else', async () => {
    for (const [sku, node] of [
      ['sku1', 'n1'],
      ['sku2', 'n1'],
      ['sku1', 'n2'],
    ] as const)
      done(await record(engine, `${sku}${node}`, [receipt(sku, node, 5)], { occurredAt: at(-60) }));
    const outcome = await feed(feeds, [told('sku1', 'n1', 5)], { ...before(30), completeness: 'full' });
    expect(outcome).toMatchObject({ absentRows: 'zeroed', rows: { absent: 1, applied: 1, unchanged: 1 } });
    expect(await row('sku2', 'n1')).toMatchObject({ onHand: 0 });
    expect(await row('sku1', 'n2')).toMatchObject({ onHand: 5 });
  });

  it('never takes a refused row for an absent one', async () => {
    for (const sku of ['sku1', 'sku2', 'sku3'])
      done(await record(engine, sku, [receipt(sku, 'n1', 5)], { occurredAt: at(-60) }));
    const full = { ...before(30), completeness: 'full' } as const;
    await feed(feeds, [told('sku1', 'n1', 5), told('sku2', 'n1', -3)], full);
    expect(await row('sku2', 'n1')).toMatchObject({ onHand: 5 });
    expect(await row('sku3', 'n1')).toMatchObject({ onHand: 0 });
  });
});

describe('an availability reset', () => {
  const confirmed = async (id: string, quantity: number): Promise<void> => {
    done(await hold(engine, id, [['sku1', quantity]], { nodes: ['n1'] }));
    done(await act(engine, id, 'confirm', {}));
  };
  /** Units of a fulfilment, of which its node need not know yet. */
  const pinned = async (id: string, quantity: number): Promise<void> => {
    await confirmed(id, quantity);
    const pin = { ...shift('sku1', 'n1', 'n1', quantity), to: { node: 'n1', fulfilment: `ful-${id}` } };
    done(await move(engine, id, 2, [pin]));
  };
  const acknowledged = async (id: string, quantity: number): Promise<void> => {
    await pinned(id, quantity);
    done(await act(engine, id, 'acknowledge', { fulfilment: `ful-${id}`, stage: 'accepted', quantity }));
  };
  const availability = { measure: 'availability' } as const;
  beforeEach(async () => void done(await record(engine, 'r', [receipt('sku1', 'n1', 10)], { occurredAt: at(-60) })));

  it('deducts only the promises that the node did not know of', async () => {
    await acknowledged('known', 3);
    await confirmed('unknown', 2);
    await feed(feeds, [told('sku1', 'n1', 7)], { ...availability, at: Date.now() });
    // The node has 7 left of 10 after ours of 3; of these 7, 2 are promised.
    expect(await row('sku1', 'n1')).toMatchObject({ available: 5, committed: 5, onHand: 10 });
  });

  it('deducts units of a fulfilment that is not submitted to its node yet', async () => {
    done(await record(engine, 'more', [receipt('sku1', 'n1', 90)], { occurredAt: at(-60) }));
    await pinned('unsubmitted', 10);
    await feed(feeds, [told('sku1', 'n1', 100)], { ...availability, at: Date.now() });
    expect(await row('sku1', 'n1')).toMatchObject({ available: 90, committed: 10, onHand: 100 });
    expect((await reads.atpOfOne({ channel: 'web', skus: ['sku1'] })).atp).toBe(90);
  });

  it('holds for what the node learnt later, and for what shipped or was cancelled since', async () => {
    await acknowledged('known', 3);
    await acknowledged('gone', 1);
    const captured = Date.now();
    await acknowledged('later', 2);
    done(await act(engine, 'known', 'fulfil', {}));
    done(await act(engine, 'gone', 'cancel', {}));
    await feed(feeds, [told('sku1', 'n1', 6)], { ...availability, at: captured });
    // 6 told; 2 promised since, and 1 given back that the node had set aside.
    expect(await row('sku1', 'n1')).toMatchObject({ available: 5, committed: 2, onHand: 7 });
  });

  it('and a late shipment of units that the node had set aside takes nothing from what is available', async () => {
    await acknowledged('known', 3);
    const shipped = new Date(Date.now() + 1).toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await feed(feeds, [told('sku1', 'n1', 7)], { ...availability, at: Date.now() });
    done(await act(engine, 'known', 'fulfil', { occurredAt: shipped }));
    expect(await row('sku1', 'n1')).toMatchObject({ available: 7, committed: 0, onHand: 7 });
  });
});

describe('an availability below 0', () => {
  const availability = { measure: 'availability' } as const;
  const open = async () =>
    (await reads.exceptions({ limit: 10, cursor: undefined }))?.items.map(({ code, sku, node, quantity, closedAt }) => [
      ...[code, sku, node, quantity],
      closedAt !== null,
    ]);

  it('counts as 0, is told and is an exception until a count without it; promises stay as they are', async () => {
    await record(engine, 'r', [receipt('sku1', 'n1', 10), receipt('sku2', 'n1', 4)], { occurredAt: at(-60) });
    done(await hold(engine, 'h', [['sku1', 3]], { nodes: ['n1'] }));
    const outcome = await feed(feeds, [told('sku1', 'n1', -2), told('sku2', 'n1', 3), told('nobody', 'n1', -1)], {
      ...availability,
      at: Date.now(),
    });
    expect(outcome).toMatchObject({ state: 'done', rows: { received: 3, staged: 2, applied: 2, refused: 1 } });
    expect(await refusalsOf(feeds, outcome.id)).toEqual([
      { line: 1, code: 'quantity.negative', message: 'an availability of -2 counts as 0' },
      expect.objectContaining({ line: 3, code: 'sku.unknown' }),
    ]);
    expect(await row('sku1', 'n1')).toMatchObject({ available: 0, reserved: 3 });
    expect(await open()).toEqual([['feed.negative_availability', 'sku1', 'n1', 2, false]]);
    await feed(feeds, [told('sku1', 'n1', -5)], { ...availability, at: Date.now() });
    await feed(feeds, [told('sku1', 'n1', 4)], { ...availability, ...before(1) });
    await feed(feeds, [told('sku1', 'n1', 9)], { at: Date.now() });
    expect(await open()).toEqual([['feed.negative_availability', 'sku1', 'n1', 5, false]]);
    await feed(feeds, [told('sku1', 'n1', 0)], { ...availability, at: Date.now() });
    expect(await open()).toEqual([['feed.negative_availability', 'sku1', 'n1', 0, true]]);
    await feed(feeds, [told('sku1', 'n1', 0)], { ...availability, at: Date.now() });
    expect(
      await pool.dataSource.query(
        `SELECT key, data->>'code' AS code, data->>'subject' AS subject FROM outbox WHERE subject = 'onepool.stock.exception.closed.v1'`,
      ),
    ).toEqual([{ key: 'sku/sku1', code: 'feed.negative_availability', subject: 'stock/sku1/n1' }]);
  });

  it('ends its exceptions under so many gates at a time, however many there are', async () => {
    const skus = numbered('many', 1_205);
    await pool.catalog.putSkus(skus.map((sku) => ({ sku })));
    const tell = (quantity: number) =>
      feed(
        feeds,
        skus.map((sku) => told(sku, 'n1', quantity)),
        { ...availability, at: Date.now() },
      );
    await tell(-1);
    expect(await tell(0)).toMatchObject({ state: 'done' });
    const transactions = await pool.dataSource.query<{ closed: number }[]>(
      'SELECT count(closed_at)::int AS closed FROM stock_exception GROUP BY xmin::text ORDER BY 1',
    );
    expect(transactions.map(({ closed }) => closed)).toEqual([205, 1_000]);
    const [facts] = await pool.dataSource.query<{ told: number }[]>(
      `SELECT count(DISTINCT key)::int AS told FROM outbox WHERE subject = 'onepool.stock.exception.closed.v1'`,
    );
    expect(facts?.told).toBe(1_205);
  });

  it('opens none while the count is a dry run, or is refused as stale', async () => {
    await feed(feeds, [told('sku1', 'n1', 1)], { ...availability, ...before(1) });
    await feed(feeds, [told('sku1', 'n1', -1)], { ...availability, dryRun: true });
    const stale = await feed(feeds, [told('sku1', 'n1', -1)], { ...availability, ...before(2) });
    expect((await refusalsOf(feeds, stale.id)).map(({ code }) => code).sort()).toEqual([
      'feed.stale',
      'quantity.negative',
    ]);
    expect(await open()).toEqual([]);
  });
});

describe('a delta feed', () => {
  const delta = { mode: 'delta' } as const;

  it('adjusts the book in the order of its lines, each record once per source, ever', async () => {
    const rows = [told('sku1', 'n1', 5, { recordId: 'a' }), told('sku1', 'n1', -2, { recordId: 'b' })];
    const first = await feed(feeds, [...rows, told('sku1', 'n1', 9, { recordId: 'a' })], { ...delta, at: Date.now() });
    expect(first.rows).toMatchObject({ applied: 2, refused: 1 });
    expect(await refusalsOf(feeds, first.id)).toMatchObject([{ line: 3, code: 'record.duplicate' }]);
    const again = await feed(feeds, [...rows, told('sku2', 'n1', 1, { recordId: 'c' })], { ...delta, at: Date.now() });
    expect(again.rows).toMatchObject({ applied: 1, refused: 2 });
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 3 });
    await feed(feeds, rows, { ...delta, source: 'pos', at: Date.now() });
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 6 });
    const ledger = await reads.ledger('sku1', { limit: 10, isAuditor: true });
    expect(ledger.items[0]).toMatchObject({ reason: 'delta', source: 'wms', sourceEventId: 'a', quantity: 5 });
  });

  it('leaves the book alone where a count has seen what it tells', async () => {
    await feed(feeds, [told('sku1', 'n1', 5)], before(10));
    const rows = [told('sku1', 'n1', -1, { occurredAt: at(-20) }), told('sku1', 'n1', -2, { occurredAt: at(-5) })];
    expect(await feed(feeds, rows, delta)).toMatchObject({ rows: { applied: 1, unchanged: 1 } });
    expect(await row('sku1', 'n1')).toMatchObject({ onHand: 3 });
  });
});

describe('rows that cannot be', () => {
  it('are kept with line and reason, and the others are applied', async () => {
    const outcome = await feed(
      feeds,
      [
        told('sku1', 'n1', 1),
        '{"sku":"sku1"',
        told('nothing', 'n1', 1),
        told('sku1', 'nowhere', 1),
        told('sku2', 'n1', 1.5),
        told('sku1', 'n1', 2),
        told('sku2', 'n1', 1, { capturedAt: '2026-02-30T12:00:00Z' }),
        told('sku2', 'n1', 1, { capturedAt: 'today' }),
        told('sku2', 'n1', 1, { colour: 'red' }),
        told('sku2', 'n1', 1, { state: 'available' }),
        `{"sku":"${'x'.repeat(70_000)}"}`,
        '[]',
        told('sku2', 'n1', 4, { recordId: 'a\u0000' }),
        told('sku3', 'n1', 4, { recordId: 'a' }),
        told('sku4', 'n1', 4, { recordId: 'a' }),
      ],
      { at: now },
    );
    expect((await refusalsOf(feeds, outcome.id)).map(({ line, code }) => [line, code])).toEqual([
      [1, 'row.conflict'],
      [2, 'row.malformed'],
      [3, 'sku.unknown'],
      [4, 'node.unknown'],
      [5, 'quantity.invalid'],
      [6, 'row.conflict'],
      [7, 'time.invalid'],
      [8, 'time.invalid'],
      [9, 'row.invalid'],
      [10, 'state.unsupported'],
      [11, 'row.too_long'],
      [12, 'row.malformed'],
      [13, 'record.invalid'],
      [15, 'record.duplicate'],
    ]);
    expect(outcome.rows).toEqual({ received: 15, staged: 1, absent: 0, unchanged: 0, applied: 1, refused: 14 });
  });

  it('that would leave a balance’s bounds are refused alone', async () => {
    await record(engine, 'r', [receipt('sku2', 'n1', 5)], { occurredAt: at(-60) });
    const rows = [told('sku1', 'n1', 1), told('sku2', 'n1', 1_000_000_000), told('sku3', 'n1', 3)];
    await pool.dataSource.query('ALTER TABLE supply ADD CONSTRAINT small CHECK (available < 1000)');
    const outcome = await feed(feeds, rows, before(1));
    expect(outcome).toMatchObject({ state: 'done', rows: { applied: 2, refused: 1 } });
    expect(await refusalsOf(feeds, outcome.id)).toMatchObject([{ line: 2, code: 'row.failed' }]);
  });
});

describe('one id', () => {
  it('takes effect once; asked again it answers with the feed’s state', async () => {
    const query = { id: 'once', at: now - MINUTE };
    await feed(feeds, [told('sku1', 'n1', 5)], query);
    const again = await send(feeds, [told('sku1', 'n1', 5)], query);
    expect(again).toMatchObject({ state: 'done', rows: { applied: 1 } });
    await expect(send(feeds, [], { ...query, source: 'erp' })).rejects.toMatchObject({ code: 'idempotency.mismatch' });
  });

  it('whose upload was cut stays receiving, and sent again whole replaces what had come', async () => {
    const query = { id: 'cut', at: now - MINUTE };
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from(`${JSON.stringify(told('sku1', 'n1', 5))}\n`.repeat(20_000)));
      throw new Error('cut');
    }
    const parameters = { source: 'wms', mode: 'reset', measure: 'physical' } as const;
    const upload = { ...parameters, id: 'cut', capturedAt: new Date(query.at).toISOString() };
    const sender = () => pool.dataSource.query<unknown[]>(`SELECT person FROM feed WHERE id = 'cut'`);
    const receiving = feeds.receive({
      actor: CLIENT,
      person: 'prn_first',
      query: upload,
      format: 'ndjson',
      body: cut(),
      trace: null,
    });
    await expect(receiving).rejects.toThrow('cut');
    await feeds.worker.once();
    expect(done(await feeds.reads.feed(CLIENT, 'cut'))).toMatchObject({ state: 'receiving' });
    expect(await sender()).toEqual([{ person: 'prn_first' }]);
    expect(await feed(feeds, [told('sku2', 'n1', 4)], query)).toMatchObject({ state: 'done', rows: { received: 1 } });
    expect(await row('sku1', 'n1')).toBeUndefined();
    expect(await sender()).toEqual([{ person: null }]);
  });

  it('of whose rows a crash of the server has lost some is not applied, and may be sent again', async () => {
    const query = { id: 'lost', at: now - MINUTE };
    async function* halfLost(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${JSON.stringify(told('sku1', 'n1', 5))}\n`.repeat(12_000));
      await until('a piece has been stored', async () => {
        const stored = await pool.dataSource.query<{ received: string }[]>(
          `SELECT received FROM feed WHERE id = 'lost'`,
        );
        return Number(stored[0]?.received) > 0;
      });
      // What recovery does to a piece whose commit had not been flushed.
      await pool.dataSource.query(`UPDATE feed SET received = 0, staged = 0 WHERE id = 'lost'`);
      yield Buffer.from(`${JSON.stringify(told('sku2', 'n1', 5))}\n`);
    }
    const parameters = { source: 'wms', mode: 'reset', measure: 'physical', completeness: 'full' } as const;
    const upload = { ...parameters, id: 'lost', capturedAt: new Date(query.at).toISOString() };
    const receiving = feeds.receive({
      actor: CLIENT,
      person: null,
      query: upload,
      format: 'ndjson',
      body: halfLost(),
      trace: null,
    });
    expect(codeOf(await receiving)).toBe('feed.superseded');
    await feeds.worker.once();
    expect(done(await feeds.reads.feed(CLIENT, 'lost'))).toMatchObject({ state: 'receiving' });
    const again = await feed(feeds, [told('sku2', 'n1', 4)], { ...query, completeness: 'full' });
    expect(again).toMatchObject({ state: 'done', rows: { received: 1 } });
  });
});
