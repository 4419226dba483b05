/** Counts of units by their state: what is damaged, and what waits for inspection. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MovementsResult, ROWS_COUNTED, RowsCounted } from '@onepool/contracts';
import { compileSchema } from '@onepool/platform-problem';
import { Housekeeping, InspectionReads, type StockEngine, type StockFeeds } from '@onepool/stock-data-access';
import {
  type SpecReads,
  act,
  codeOf,
  done,
  hold,
  move,
  readsOf,
  receipt,
  record,
  sale,
} from '../engine-specs/asking.ts';
import { brokenLaws } from '../engine-specs/laws.ts';
import { type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { type Told, feed, feedsOn, refusalsOf } from './feeding.ts';

const MINUTE = 60_000;
let pool: PoolFixture;
let engine: StockEngine;
let feeds: StockFeeds;
let reads: SpecReads;
/** Now, in milliseconds; what happens is told as minutes before it. */
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

type Movement = Parameters<typeof record>[2][number];
let happened = 0;
const ago = (minutes: number): string => new Date(now - minutes * MINUTE).toISOString();
/** Something happened so many minutes ago, and is told now. */
const happen = async (minutes: number, ...movements: readonly Movement[]): Promise<MovementsResult> =>
  done(await record(engine, `m${happened++}`, movements, { occurredAt: ago(minutes) }));
const stocked = (units: number, sku = 'sku1', node = 'n1') => happen(60, receipt(sku, node, units));
const at = { sku: 'sku1', node: 'n1' } as const;
const damaged = (quantity: number, more: object = {}): Told => ({ ...at, quantity, state: 'damaged', ...more });
const inspected = (quantity: number): Told => ({ ...at, quantity, state: 'quality_control' });
/** Counted so many minutes ago. */
const count = (rows: readonly Told[], minutes = 0, query: Parameters<typeof feed>[2] = {}) =>
  feed(feeds, rows, { at: now - minutes * MINUTE, ...query });
const row = async (sku = 'sku1', node = 'n1') => (await reads.stock(sku)).rows.find((one) => one.node === node);
const openInspections = async () => {
  const page = { open: true, limit: 100, nodes: 'all' as const };
  return done(await new InspectionReads(engine).inspections(page)).items;
};
const codes = async (id: string) => (await refusalsOf(feeds, id)).map(({ line, code }) => [line, code]);

describe('a count of damaged units', () => {
  it('moves units between that state and what is for sale, and never how many there are', async () => {
    await stocked(10);
    expect(await count([damaged(3)])).toMatchObject({ state: 'done', rows: { received: 1, staged: 1, applied: 1 } });
    expect(await row()).toMatchObject({ onHand: 10, available: 7, damaged: 3 });
    expect(await count([damaged(1)])).toMatchObject({ rows: { applied: 1 } });
    expect(await row()).toMatchObject({ onHand: 10, available: 9, damaged: 1 });
    expect(await count([damaged(1)])).toMatchObject({ rows: { applied: 0, unchanged: 1 } });
    const { items } = await reads.ledger('sku1', { limit: 10, cursor: undefined, isAuditor: true });
    expect(items.slice(1)).toMatchObject([
      { from: 'available', to: 'damaged', quantity: 3, reason: 'reset', source: 'wms', occurredAt: ago(0) },
      { from: 'damaged', to: 'available', quantity: 2, reason: 'reset', source: 'wms', occurredAt: ago(0) },
    ]);
  });

  it.each<[string, number, Movement, object, number]>([
    ['damage before it is among them', 20, { type: 'damage', ...at, quantity: 2 }, { onHand: 10, damaged: 3 }, 1],
    ['damage since comes to them', 5, { type: 'damage', ...at, quantity: 2 }, { onHand: 10, damaged: 5 }, 0],
    ['scrap before it leaves the row alone', 20, { type: 'scrap', ...at, quantity: 2 }, { onHand: 8, damaged: 3 }, 1],
    ['scrap since is of them', 5, { type: 'scrap', ...at, quantity: 2 }, { onHand: 8, damaged: 1 }, 0],
    [
      'repair before it was none of them',
      20,
      { type: 'state', ...at, quantity: 2, from: 'damaged', to: 'available' },
      { onHand: 10, damaged: 3 },
      1,
    ],
  ])('and an event told later: %s', async (_, minutes, movement, after, late) => {
    await stocked(10);
    await count([damaged(3)], 10);
    const answer = await happen(minutes, movement);
    expect(await row()).toMatchObject(after);
    expect(answer.late).toEqual(
      Array.from({ length: late }, () => ({
        ...{ line: 1, node: 'n1', state: 'damaged', quantity: movement.type === 'damage' ? 2 : -2 },
        ...{ countedAt: ago(10), countedBy: 'wms' },
      })),
    );
    const notes: unknown[] = await pool.dataSource.query('SELECT state, kind FROM late_note');
    expect(notes).toEqual(Array.from({ length: late }, () => ({ state: 'damaged', kind: movement.type })));
  });

  it('and one of all that is there see all of an event before them', async () => {
    await stocked(10);
    await count([{ ...at, quantity: 8 }, damaged(3)], 10);
    await happen(20, { type: 'scrap', ...at, quantity: 2 }, { type: 'receipt', ...at, quantity: 4 });
    const arrived = { sku: 'sku1', node: 'n1', quantity: 5, damaged: 5 };
    done(await engine.receive(SPEC, { id: 'grn', source: 'wms', lines: [arrived], occurredAt: ago(15) }));
    expect(await row()).toMatchObject({ onHand: 8, available: 5, damaged: 3 });
    const notes = await pool.dataSource.query(
      'SELECT kind, state, quantity::int FROM late_note ORDER BY kind, state, quantity',
    );
    expect(notes).toEqual([
      { kind: 'receipt', state: 'damaged', quantity: 5 },
      { kind: 'receipt', state: null, quantity: 4 },
      { kind: 'receipt', state: null, quantity: 5 },
      { kind: 'scrap', state: 'damaged', quantity: -2 },
      { kind: 'scrap', state: null, quantity: -2 },
    ]);
  });

  it('counts what has become so, and is so no longer, since it was captured', async () => {
    await stocked(10);
    await happen(5, { type: 'damage', ...at, quantity: 4 });
    await happen(4, { type: 'scrap', ...at, quantity: 1 });
    await happen(30, { type: 'damage', ...at, quantity: 1 });
    await count([damaged(2)], 10);
    expect(await row()).toMatchObject({ onHand: 9, available: 4, damaged: 5 });
  });

  it('is settled after the total of its row, in one feed', async () => {
    await stocked(1);
    const rows = [damaged(3), { ...at, quantity: 10 }, { sku: 'sku2', node: 'n2', quantity: 4 }];
    expect(await count(rows)).toMatchObject({ rows: { received: 3, applied: 3, refused: 0 } });
    expect(await row()).toMatchObject({ onHand: 10, available: 7, damaged: 3 });
    expect(await row('sku2', 'n2')).toMatchObject({ available: 4 });
  });

  it('takes promised units if it has to, which are short then', async () => {
    await stocked(5);
    done(await hold(engine, 'h', [['sku1', 4]]));
    await count([damaged(3)]);
    expect(await row()).toMatchObject({ onHand: 5, available: 0, reserved: 4, shortfall: 2, damaged: 3 });
    await new Housekeeping(engine).once();
    expect((await reads.exceptions({ limit: 10 })).items).toMatchObject([{ code: 'promise.short', quantity: 2 }]);
    await count([damaged(0)]);
    expect(await row()).toMatchObject({ available: 1, reserved: 4, shortfall: 0, damaged: 0 });
  });

  it('goes as far as the row has units, and says so', async () => {
    await stocked(2);
    const outcome = await count([damaged(5), damaged(1, { sku: 'sku3' })]);
    expect(outcome.rows).toMatchObject({ applied: 1, unchanged: 1, refused: 0 });
    expect(await refusalsOf(feeds, outcome.id)).toEqual([
      {
        line: 1,
        code: 'state.exceeds_stock',
        message: 'of 5 counted as damaged the row does not have 3; count all that is there as well',
      },
      expect.objectContaining({ line: 2, code: 'state.exceeds_stock' }),
    ]);
    expect(await row()).toMatchObject({ onHand: 2, available: 0, damaged: 2 });
  });

  it('serves those who wait with what it gives back, before anybody else', async () => {
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], cap: 9 }]);
    await happen(60, { type: 'receipt', ...at, quantity: 5 }, { type: 'damage', ...at, quantity: 5 });
    const waiting = { id: 'w', channel: 'web', lines: [{ sku: 'sku1', quantity: 3, mayWait: true }] };
    done(await engine.hold(SPEC, waiting));
    await count([damaged(1)]);
    expect(codeOf(await hold(engine, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
    await new Housekeeping(engine).once();
    expect(await row()).toMatchObject({ available: 1, reserved: 3, unapplied: 0, damaged: 1 });
  });

  it('is told with its state, and changes are told as such', async () => {
    await stocked(5);
    await count([damaged(2), damaged(0, { sku: 'sku2', node: 'n2' }), { ...at, quantity: 5 }]);
    const { check } = compileSchema(RowsCounted);
    const facts = await pool.dataSource.query<{ data: RowsCounted; event_id: string }[]>(
      `SELECT data, event_id FROM outbox WHERE subject = '${ROWS_COUNTED}' ORDER BY id`,
    );
    expect(facts.flatMap(({ data }) => check(data))).toEqual([]);
    expect(new Set(facts.map(({ event_id }) => event_id)).size).toBe(3);
    expect(facts.map(({ data: { node, state, skus } }) => [node, state ?? null, skus])).toEqual([
      ['n1', null, ['sku1']],
      ['n1', 'damaged', ['sku1']],
      ['n2', 'damaged', ['sku2']],
    ]);
    const [changed] = await pool.dataSource.query<{ data: { causes: unknown[] } }[]>(
      `SELECT data FROM outbox WHERE subject = 'onepool.stock.sku.changed.v1' ORDER BY id DESC LIMIT 1`,
    );
    expect(changed?.data.causes).toMatchObject([
      { kind: 'state', node: 'n1', source: 'wms', reason: 'reset', quantity: 2 },
    ]);
  });
});

describe('counts of one state, one after the other', () => {
  it('are refused where a newer one of the state was told, by the source or by another', async () => {
    await stocked(10);
    await count([damaged(3)], 5);
    const stale = await count([damaged(1)], 6);
    expect(stale.rows).toMatchObject({ applied: 0, refused: 1 });
    expect(await codes(stale.id)).toEqual([[1, 'feed.stale']]);
    expect(await codes((await count([damaged(1)], 6, { source: 'erp' })).id)).toEqual([[1, 'feed.superseded']]);
    expect(await row()).toMatchObject({ damaged: 3 });
  });

  it('say nothing of other states and of the total, nor those of them', async () => {
    await stocked(10);
    await count([damaged(3)], 5);
    expect((await count([inspected(2), { ...at, quantity: 9 }], 6)).rows).toMatchObject({ applied: 2, refused: 0 });
    expect(await row()).toMatchObject({ onHand: 9, available: 4, damaged: 3, qualityControl: 2 });
    await happen(7, sale('sku1', 'n1', 1));
    await happen(5.5, sale('sku1', 'n1', 1));
    expect(await row()).toMatchObject({ onHand: 8, damaged: 3 });
    // A reset's own look at what is newer does not see counts of states.
    expect((await count([{ ...at, quantity: 9 }], 5.7)).rows).toMatchObject({ refused: 0 });
  });

  it('come twice in a feed: the same counts once, another is refused with it, and sums where the sender wants them', async () => {
    await stocked(10);
    const rows = [damaged(3), damaged(3), inspected(1), inspected(2), { ...at, quantity: 9 }];
    const outcome = await count(rows, 5);
    expect(await codes(outcome.id)).toEqual([
      [2, 'row.duplicate'],
      [3, 'row.conflict'],
      [4, 'row.conflict'],
    ]);
    expect(await row()).toMatchObject({ onHand: 9, damaged: 3, qualityControl: 0 });
    expect((await count(rows, 4, { duplicates: 'sum' })).rows).toMatchObject({ staged: 3, refused: 0 });
    expect(await row()).toMatchObject({ onHand: 9, damaged: 6, qualityControl: 3, available: 0 });
  });

  it('take nothing but a physical reset: others refuse their rows, and so does a count of what is for sale', async () => {
    await stocked(5);
    const availability = await count([damaged(1)], 0, { measure: 'availability' });
    const delta = await count([damaged(1)], 0, { mode: 'delta' });
    const physical = await count([damaged(1, { state: 'available' }), damaged(1, { state: 'safety_stock' })]);
    const messages = await Promise.all(
      [availability, delta, physical].map(async ({ id }) =>
        (await refusalsOf(feeds, id)).map(({ message }) => message),
      ),
    );
    expect(messages.flat()).toEqual([
      ...Array.from({ length: 2 }, () => expect.stringContaining('only a physical reset counts units by their state')),
      ...Array.from({ length: 2 }, () => expect.stringContaining('count all that is there in a row without a state')),
    ]);
    expect(await row()).toMatchObject({ available: 5, damaged: 0 });
  });
});

describe('a full count of states', () => {
  const FULL = { completeness: 'full', states: 'damaged,quality_control' } as const;
  beforeEach(async () => {
    for (const sku of numbered('sku', 3)) await stocked(9, sku);
    await stocked(9, 'sku1', 'n2');
    for (const [sku, node] of [
      ['sku1', 'n1'],
      ['sku2', 'n1'],
      ['sku1', 'n2'],
    ] as const)
      await happen(50, { type: 'damage', sku, node, quantity: 2 });
    await happen(50, { type: 'state', sku: 'sku3', node: 'n1', quantity: 2, from: 'available', to: 'quality_control' });
  });
  const states = async () => {
    const rows: { sku: string; node: string; units: string }[] = await pool.dataSource.query(
      `SELECT k.code AS sku, n.code AS node, concat_ws('/', on_hand, damaged, quality_control) AS units
         FROM stock JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key) ORDER BY 1, 2`,
    );
    return Object.fromEntries(rows.map(({ sku, node, units }) => [`${sku}@${node}`, units]));
  };

  it('counts nothing where it names none, at its node and in the states that it names, and leaves totals alone', async () => {
    const outcome = await count([damaged(1)], 10, { ...FULL, node: 'n1' });
    expect(outcome).toMatchObject({ state: 'done', states: ['damaged', 'quality_control'] });
    expect(outcome.rows).toMatchObject({ received: 1, absent: 5, applied: 3, refused: 0 });
    expect(await states()).toEqual({
      ...{ 'sku1@n1': '9/1/0', 'sku2@n1': '9/0/0', 'sku3@n1': '9/0/0', 'sku1@n2': '9/2/0' },
    });
    // It has counted those that had none: what happened before it is in it.
    await happen(20, { type: 'damage', sku: 'sku3', node: 'n1', quantity: 1 });
    expect(await states()).toMatchObject({ 'sku3@n1': '9/0/0' });
  });

  it('counts only rows that are named in states that it does not name', async () => {
    await count([damaged(1)], 10, { ...FULL, node: 'n1', states: 'quality_control' });
    expect(await states()).toMatchObject({ 'sku1@n1': '9/1/0', 'sku2@n1': '9/2/0', 'sku3@n1': '9/0/0' });
  });

  it('beside totals counts at each node that it names, and zeroes no row that it names by a state only', async () => {
    const rows = [{ sku: 'sku1', node: 'n1', quantity: 8 }, damaged(1, { sku: 'sku2' })];
    const outcome = await count(rows, 10, { ...FULL, states: 'damaged' });
    expect(outcome.rows).toMatchObject({ absent: 3, refused: 0 });
    expect(await states()).toEqual({
      ...{ 'sku1@n1': '8/0/0', 'sku2@n1': '9/1/0', 'sku3@n1': '0/0/0', 'sku1@n2': '9/2/0' },
    });
  });

  it('does not take a row for absent that is refused', async () => {
    const outcome = await count([damaged(-1), damaged(0, { sku: 'sku2' })], 10, { ...FULL, node: 'n1' });
    expect(await codes(outcome.id)).toEqual([[1, 'quantity.invalid']]);
    expect(await states()).toMatchObject({ 'sku1@n1': '9/2/0', 'sku2@n1': '9/0/0' });
  });

  it('waits before it puts many damaged units on sale, and tells in a dry run what it would do', async () => {
    const rows = [
      { sku: 'sku1', node: 'n1', quantity: 9 },
      { sku: 'sku2', node: 'n1', quantity: 9 },
      { sku: 'sku3', node: 'n1', quantity: 9 },
    ];
    const query = { ...FULL, node: 'n1', maxZeroedPercent: 0 };
    expect(await count(rows, 10, { ...query, dryRun: true })).toMatchObject({
      state: 'dry_run',
      outlook: {
        ...{ wouldChange: 3, wouldZero: 0, wouldZeroAbsent: 0, nonZero: 3 },
        states: { wouldZero: 3, wouldZeroAbsent: 3, nonZero: 3 },
      },
    });
    expect(await count(rows, 10, query)).toMatchObject({ state: 'waiting', waitsFor: ['zeroes_many'] });
    expect(await states()).toMatchObject({ 'sku1@n1': '9/2/0', 'sku2@n1': '9/2/0', 'sku3@n1': '9/0/2' });
    const known = [
      damaged(2),
      damaged(2, { sku: 'sku2' }),
      { ...damaged(2, { sku: 'sku3' }), state: 'quality_control' },
    ];
    expect(await count([...rows, ...known], 9, query)).toMatchObject({ state: 'done', waitsFor: [] });
  });

  it('waits if a line that nobody can read, or a SKU that nobody knows, may be why damaged units are absent', async () => {
    const one = [damaged(1)];
    const query = { ...FULL, node: 'n1' };
    expect(await count([...one, damaged(2, { sku: 'unknown' })], 10, query)).toMatchObject({
      state: 'done',
      outlook: null,
    });
    const many = ['a', 'b'].map((sku) => damaged(2, { sku }));
    await happen(5, { type: 'damage', sku: 'sku2', node: 'n1', quantity: 1 });
    expect(await count([...one, ...many], 1, query)).toMatchObject({ state: 'waiting', waitsFor: ['unknown_skus'] });
  });
});

describe('a count of what waits for inspection', () => {
  const doubt = (quantity: number) =>
    happen(50, { type: 'state', ...at, quantity, from: 'available', to: 'quality_control' });

  it('opens an inspection of what no other speaks of', async () => {
    await stocked(9);
    await doubt(2);
    const { id } = await count([inspected(5)]);
    expect(await row()).toMatchObject({ onHand: 9, available: 4, qualityControl: 5 });
    expect(await openInspections()).toMatchObject([
      { origin: 'movement', open: 2 },
      { origin: 'count', command: id, line: 1, reason: 'reset', sku: 'sku1', node: 'n1', quantity: 3, open: 3 },
    ]);
  });

  it('takes what is not there from the oldest inspections', async () => {
    await stocked(9);
    for (const units of [2, 3, 1]) await doubt(units);
    await count([inspected(2)]);
    expect(await row()).toMatchObject({ onHand: 9, available: 7, qualityControl: 2 });
    expect(await openInspections()).toMatchObject([
      { quantity: 3, open: 1, missing: 2 },
      { quantity: 1, open: 1, missing: 0 },
    ]);
    const all = { limit: 100, nodes: 'all' as const };
    const [oldest] = done(await new InspectionReads(engine).inspections(all)).items;
    expect(oldest).toMatchObject({ quantity: 2, open: 0, missing: 2, closedAt: expect.any(String) });
  });

  it('settles inspections also where the book had the number right', async () => {
    await stocked(9);
    await doubt(4);
    await happen(40, { type: 'scrap', ...at, quantity: 3, from: 'quality_control' });
    expect((await count([inspected(1)])).rows).toMatchObject({ applied: 0, unchanged: 1 });
    expect(await openInspections()).toMatchObject([{ quantity: 4, open: 1, missing: 3 }]);
  });

  it('has seen units that were doubted before it, of whatever it is told: they are inspected once', async () => {
    await stocked(9);
    await count([inspected(2)], 10);
    await happen(20, { type: 'state', ...at, quantity: 2, from: 'available', to: 'quality_control' });
    await pool.catalog.putReceiptPolicies([{ policy: 'all', to: 'quality_control' }]);
    const arrived = { sku: 'sku1', node: 'n1', quantity: 4 };
    const receive = (id: string, minutes: number) =>
      engine.receive(SPEC, { id, source: 'wms', lines: [arrived], occurredAt: ago(minutes) });
    expect(done(await receive('before', 15)).lines[0]).not.toHaveProperty('toInspect');
    expect(done(await receive('after', 5)).lines[0]).toMatchObject({ toInspect: 4 });
    expect(await row()).toMatchObject({ onHand: 17, available: 11, qualityControl: 6 });
    expect((await openInspections()).map(({ origin, open }) => [origin, open])).toEqual([
      ['count', 2],
      ['receipt', 4],
    ]);
  });

  it('has seen what a refusal makes doubtful that was told too late', async () => {
    await stocked(5);
    done(await hold(engine, 'o', [['sku1', 2]]));
    done(await act(engine, 'o', 'confirm', {}));
    const pinned = { sku: 'sku1', quantity: 2, from: { node: 'n1' }, to: { node: 'n1', fulfilment: 'f' } };
    done(await move(engine, 'o', 2, [pinned]));
    await count([inspected(3)], 10);
    const refused = { fulfilment: 'f', quantity: 2, effect: 'sellable_only', occurredAt: ago(20) } as const;
    done(await act(engine, 'o', 'reject', refused));
    expect(await row()).toMatchObject({ available: 2, committed: 0, qualityControl: 3 });
  });

  it('and one of what is damaged settle first the one that gives units back', async () => {
    await happen(60, { type: 'receipt', ...at, quantity: 3 });
    await doubt(3);
    const outcome = await count([damaged(3), inspected(0)]);
    expect(await codes(outcome.id)).toEqual([]);
    expect(await row()).toMatchObject({ onHand: 3, available: 0, damaged: 3, qualityControl: 0 });
    expect(await openInspections()).toEqual([]);
  });
});
