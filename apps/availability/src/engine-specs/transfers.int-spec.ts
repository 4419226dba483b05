import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReceiptRequest, ShipRequest } from '@onepool/contracts';
import { InboundReads, type StockEngine } from '@onepool/stock-data-access';
import { feed, feedsOn } from '../feed-specs/feeding.ts';
import { OTHER_SPEC, type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { act, allocate, codeOf, done, hold, move, readsOf, record, sale, until } from './asking.ts';
import { brokenLaws } from './laws.ts';

type Line = ShipRequest['lines'][number];
type Arrived = ReceiptRequest['lines'][number];

const leg = (quantity: number, more: Partial<Line> = {}): Line => ({
  ...{ line: '1', sku: 'sku1', to: 'n2', quantity },
  ...more,
});
const ship = (engine: StockEngine, id: string, lines: readonly Line[], more: Partial<ShipRequest> = {}) =>
  engine.ship(SPEC, { id, source: 'wms', transfer: 'tr', from: 'n1', lines: [...lines], ...more });
const arrive = (engine: StockEngine, id: string, lines: readonly Arrived[], more: Partial<ReceiptRequest> = {}) =>
  engine.receive(SPEC, { id, source: 'wms', inbound: 'tr', lines: [...lines], ...more });
const rider = (reservation: string, quantity: number, fulfilment = `F-${reservation}`) => ({
  ...{ reservation, fulfilment, quantity },
});

describe('a transfer', () => {
  let pool: PoolFixture;
  let one: StockEngine;
  let other: StockEngine;
  beforeEach(async () => {
    pool = await createPoolFixture(3, 4);
    [one, other] = [pool.engine(), pool.engine()];
  });
  afterEach(async () => {
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    expect(await pool.deadlocks()).toBe(0);
    await pool.close();
  });

  const stock = async (sku = 'sku1') => (await readsOf(one).stock(sku)).rows;
  const at = async (node: string, sku = 'sku1') => (await stock(sku)).find((row) => row.node === node);
  const atp = async () => readsOf(one).atpOfOne({ channel: 'web', skus: ['sku1'] });
  const line = async (transfer = 'tr') => done(await new InboundReads(one).inbound(SPEC.actor, transfer)).lines[0];
  /** Open units, as `[line, node, kind, fulfilment, units]`. */
  const standing = async (id: string) =>
    (await readsOf(one).reservation(SPEC, id)).lines.flatMap((of) =>
      of.backings
        .filter(({ held, confirmed }) => held + confirmed > 0)
        .map(({ node, kind, fulfilment = null, held, confirmed }) => [of.id, node, kind, fulfilment, held + confirmed]),
    );
  /** A confirmed order whose units at a node are at work for a fulfilment of its own. */
  const order = async (id: string, lines: readonly (readonly [string, number])[], node = 'n1') => {
    done(await hold(one, id, lines));
    done(await act(one, id, 'confirm', {}));
    const moves = lines.map(([sku, quantity]) => ({
      ...{ sku, quantity, from: { node } },
      to: { node, fulfilment: `F-${id}` },
    }));
    done(await move(one, id, 2, moves));
  };
  const rest = async (sku = 'sku1'): Promise<void> => {
    const [key] = await one.codes.keysOf([sku]);
    await until('no unit waits for a slice', async () => {
      if ((await stock(sku)).every(({ unapplied }) => unapplied === 0)) return true;
      await other.tend([key ?? 0], true);
      return false;
    });
  };

  it('takes units from one node, shows them on their way, and brings them to another', async () => {
    await pool.receive('sku1', 'n1', 10);
    const shipped = done(await ship(one, 'leg', [leg(6, { dueAt: '2099-01-01T00:00:00Z' })]));
    expect(shipped).toMatchObject({
      ...{ id: 'leg', transfer: 'tr' },
      lines: [{ line: '1', sent: [{ state: 'available', quantity: 6 }], riding: 0, arrived: 0, late: false }],
      skus: [{ sku: 'sku1', rows: [{ node: 'n1', available: 4 }] }],
    });
    expect(await line()).toMatchObject({
      ...{ kind: 'transfer', from: 'n1', node: 'n2', quantity: 6, received: 0, lost: 0, promised: 0, closed: false },
      dueAt: '2099-01-01T00:00:00.000Z',
    });
    expect(await atp()).toMatchObject({ atp: 4, atpWithIncoming: 10 });
    const { lines } = done(await arrive(other, 'grn', [{ line: '1', quantity: 6 }]));
    expect(lines).toEqual([{ over: 0, lost: 0, served: 0, late: false }]);
    expect(await stock()).toMatchObject([
      { node: 'n1', available: 4 },
      { node: 'n2', available: 6 },
    ]);
    expect(await line()).toMatchObject({ quantity: 6, received: 6, closed: true });
  });

  it('carries units of an order on their line and to their fulfilment, and they are the first at their receipt', async () => {
    await pool.receive('sku1', 'n1', 5);
    await pool.receive('sku2', 'n1', 2);
    await order('o', [
      ['sku1', 2],
      ['sku2', 1],
    ]);
    const { version } = await readsOf(one).reservation(SPEC, 'o');
    const riders = [rider('o', 2)];
    done(await ship(other, 'leg', [leg(4, { riders }), leg(1, { line: '2', sku: 'sku2', riders: [rider('o', 1)] })]));
    expect((await readsOf(one).reservation(SPEC, 'o')).version).toBe(version + 1);
    expect(await standing('o')).toEqual([
      ['1', 'n2', 'incoming', 'F-o', 2],
      ['2', 'n2', 'incoming', 'F-o', 1],
    ]);
    expect(await atp()).toMatchObject({ atp: 1, atpWithIncoming: 3 });
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], cap: 9 }]);
    const backorder = { id: 'early', channel: 'web', priority: 9 };
    done(await one.hold(SPEC, { ...backorder, lines: [{ sku: 'sku1', quantity: 5, mayWait: true }], nodes: ['n2'] }));
    done(await arrive(one, 'grn', [{ line: '1', quantity: 3 }]));
    expect(await standing('o')).toEqual(
      [
        ['2', 'n2', 'incoming', 'F-o', 1],
        ['1', 'n2', 'stock', 'F-o', 2],
      ].sort(),
    );
    expect(await at('n2')).toMatchObject({ onHand: 3, committed: 2, reserved: 1, available: 0 });
    done(await arrive(other, 'grn2', [{ line: '2', quantity: 1 }]));
    const shippedOut = { lines: [{ fulfilment: 'F-o', quantity: 3 }] };
    const { status } = done(await act(one, 'o', 'fulfil', shippedOut));
    expect(status).toBe('closed');
  });

  it('of damaged units is nothing that an earlier count of availability at its destination could have left out', async () => {
    const ago = (minutes: number): number => Date.now() - minutes * 60_000;
    const occurred = (minutes: number) => ({ occurredAt: new Date(ago(minutes)).toISOString() });
    const there = ['n1', 'n2'].map((node) => ({ type: 'receipt', sku: 'sku1', node, quantity: 10 }) as const);
    const broken = { type: 'damage', sku: 'sku1', node: 'n1', quantity: 3 } as const;
    done(await record(one, 'opening', [...there, broken], occurred(60)));
    done(await ship(one, 'leg', [leg(3, { state: 'damaged' })], occurred(20)));
    const counted = async (minutes: number): Promise<void> => {
      const row = { sku: 'sku1', node: 'n2', quantity: 10 };
      await feed(feedsOn(pool), [row], { measure: 'availability', at: ago(minutes) });
    };
    await counted(30);
    expect(await at('n2')).toMatchObject({ available: 10, damaged: 0 });
    done(await arrive(other, 'grn', [{ line: '1', quantity: 3 }], occurred(5)));
    await counted(10);
    expect(await at('n2')).toMatchObject({ available: 10, damaged: 3 });
  });

  it('that goes on after a loss is closed when the units of its next leg are there, whichever is told first', async () => {
    await pool.receive('sku1', 'n1', 30);
    done(await ship(one, 'leg', [leg(10)]));
    done(await arrive(other, 'grn', [{ line: '1', quantity: 8, closes: true }]));
    expect(await line()).toMatchObject({ quantity: 10, received: 8, lost: 2, closed: true });
    done(await ship(one, 'leg2', [leg(5)]));
    expect(await line()).toMatchObject({ closed: false });
    done(await arrive(other, 'grn2', [{ line: '1', quantity: 5 }]));
    expect(await line()).toMatchObject({ quantity: 15, received: 13, lost: 2, closed: true });
    done(await arrive(other, 'grn3', [{ line: '1', quantity: 3 }]));
    const { lines } = done(await ship(one, 'leg3', [leg(3)]));
    expect(lines).toMatchObject([{ arrived: 3 }]);
    expect(await line()).toMatchObject({ quantity: 18, received: 16, lost: 2, closed: true });
    expect(await stock()).toMatchObject([
      { node: 'n1', available: 12 },
      { node: 'n2', available: 16 },
    ]);
  });

  it('is promised to lines that may wait, and serves them when it is there', async () => {
    await pool.receive('sku1', 'n1', 5);
    done(await ship(one, 'leg', [leg(5)]));
    expect(codeOf(await hold(other, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
    const lines = [{ sku: 'sku1', quantity: 4, mayWait: true }];
    done(await other.hold(SPEC, { id: 'waits', channel: 'web', lines }));
    expect(await standing('waits')).toEqual([['1', 'n2', 'incoming', null, 4]]);
    done(await arrive(one, 'grn', [{ line: '1', quantity: 5 }]));
    expect(await standing('waits')).toEqual([['1', 'n2', 'stock', null, 4]]);
  });

  it('may be shipped in legs: each adds its units, and a line that was done with goes on', async () => {
    await pool.receive('sku1', 'n1', 20);
    await order('o', [['sku1', 5]]);
    done(await ship(one, 'leg1', [leg(5, { riders: [rider('o', 1)] })]));
    done(await ship(other, 'leg2', [leg(3, { riders: [rider('o', 2)], dueAt: '2099-01-01T00:00:00Z' })]));
    expect(await line()).toMatchObject({ quantity: 8, promised: 3, closed: false });
    done(await arrive(one, 'grn1', [{ line: '1', quantity: 8 }]));
    expect(await line()).toMatchObject({ received: 8, closed: true });
    expect(await pool.dataSource.query('SELECT FROM supply WHERE kind = 1')).toEqual([]);
    done(await ship(other, 'leg3', [leg(4, { riders: [rider('o', 2)] })]));
    expect(await line()).toMatchObject({ quantity: 12, received: 8, promised: 2, closed: false });
    expect(await line()).toMatchObject({ dueAt: '2099-01-01T00:00:00.000Z' });
    expect(await standing('o')).toContainEqual(['1', 'n2', 'incoming', 'F-o', 2]);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    done(await arrive(one, 'grn2', [{ line: '1', quantity: 4 }]));
    expect(await standing('o')).toEqual([['1', 'n2', 'stock', 'F-o', 5]]);
    expect(await at('n2')).toMatchObject({ onHand: 12, committed: 5, available: 7 });
  });

  it('may arrive with differences: fewer, nothing at all, more, or some damaged', async () => {
    const cases: readonly [quantity: number, more: object, differences: object, there: object][] = [
      [3, { closes: true }, { over: 0, lost: 2 }, { onHand: 3, available: 3 }],
      [0, { closes: true }, { over: 0, lost: 5 }, { onHand: 0 }],
      [7, {}, { over: 2, lost: 0 }, { onHand: 7, available: 7 }],
      [5, { damaged: 2 }, { over: 0, lost: 0 }, { onHand: 5, available: 3, damaged: 2 }],
    ];
    for (const [place, [quantity, more, differences, there]] of cases.entries()) {
      const sku = `sku${place + 1}`;
      await pool.receive(sku, 'n1', 5);
      await pool.receive(sku, 'n2', 1);
      done(await record(one, `empty-${sku}`, [sale(sku, 'n2', 1)]));
      done(await ship(one, `leg-${sku}`, [leg(5, { line: sku, sku })]));
      const { lines } = done(await arrive(other, `grn-${sku}`, [{ line: sku, quantity, ...more }]));
      expect(lines).toMatchObject([differences]);
      expect(await at('n2', sku)).toMatchObject(there);
      const found = done(await new InboundReads(one).inbound(SPEC.actor, 'tr')).lines.find((of) => of.line === sku);
      expect(found).toMatchObject({ received: quantity, closed: true, promised: 0 });
    }
    expect(await pool.dataSource.query('SELECT FROM supply WHERE kind = 1')).toEqual([]);
  });

  it('of which an order has lost its unit leaves that promised, to be allocated elsewhere', async () => {
    await pool.receive('sku1', 'n1', 3);
    await order('o', [['sku1', 2]]);
    await pool.receive('sku1', 'n3', 1);
    done(await ship(one, 'leg', [leg(3, { riders: [rider('o', 2)] })]));
    done(await arrive(one, 'grn', [{ line: '1', quantity: 3, damaged: 2 }]));
    expect(await standing('o')).toEqual(
      expect.arrayContaining([
        ['1', 'n2', 'incoming', 'F-o', 1],
        ['1', 'n2', 'stock', 'F-o', 1],
      ]),
    );
    expect(await at('n2')).toMatchObject({ onHand: 3, damaged: 2, committed: 1 });
    const { version: expectedVersion } = await readsOf(one).reservation(SPEC, 'o');
    const from = { node: 'n2', fulfilment: 'F-o' };
    const moves = [{ line: '1', quantity: 1, from, to: { node: 'n3', fulfilment: 'F-o' } }];
    const [moved] = done(await allocate(other, 'again', [[{ id: 'o', expectedVersion, moves }]]));
    expect(moved && codeOf(moved)).toBe(null);
  });

  it('keeps units in the states in which they left', async () => {
    await pool.receive('sku1', 'n1', 9);
    const looked = { type: 'state', sku: 'sku1', node: 'n1', from: 'available' } as const;
    done(
      await record(one, 'states', [
        { ...looked, quantity: 2, to: 'damaged' },
        { ...looked, quantity: 3, to: 'quality_control' },
      ]),
    );
    done(
      await ship(one, 'leg', [
        leg(2, { state: 'damaged' }),
        leg(3, { line: '2', state: 'quality_control' }),
        leg(4, { line: '3' }),
      ]),
    );
    expect(await at('n1')).toMatchObject({ onHand: 0 });
    expect(await atp()).toMatchObject({ atp: 0, atpWithIncoming: 4 });
    const all = [2, 3, 4].map((quantity, index) => ({ line: String(index + 1), quantity }));
    done(await arrive(other, 'grn', all));
    expect(await at('n2')).toMatchObject({ onHand: 9, damaged: 2, qualityControl: 3, available: 4 });
  });

  it('that was counted as gone leaves the number there, and is on its way all the same', async () => {
    const feeds = feedsOn(pool);
    try {
      await pool.receive('sku1', 'n1', 10);
      await order('o', [['sku1', 2]]);
      const occurredAt = new Date(Date.now() - 60_000).toISOString();
      await feed(feeds, [{ sku: 'sku1', node: 'n1', quantity: 6 }]);
      const shipped = done(await ship(one, 'leg', [leg(4, { riders: [rider('o', 2)] })], { occurredAt }));
      expect(shipped.lines).toMatchObject([{ riding: 2, late: true }]);
      expect(await at('n1')).toMatchObject({ onHand: 6, available: 6, committed: 0 });
      expect(await line()).toMatchObject({ quantity: 4, promised: 2 });
      const notes: unknown[] = await pool.dataSource.query('SELECT kind, quantity::int FROM late_note');
      expect(notes).toEqual([{ kind: 'ship', quantity: -4 }]);
      await feed(feeds, [{ sku: 'sku1', node: 'n2', quantity: 4 }], { id: 'there' });
      done(await arrive(other, 'grn', [{ line: '1', quantity: 4 }], { occurredAt }));
      await rest();
      expect(await at('n2')).toMatchObject({ onHand: 4, committed: 2, available: 2 });
      expect(await standing('o')).toEqual([['1', 'n2', 'stock', 'F-o', 2]]);
    } finally {
      await feeds.close();
    }
  });

  it('whose riders come to a node that owes units has them promised there, short', async () => {
    await pool.receive('sku1', 'n1', 6);
    await order('o', [['sku1', 4]]);
    done(await record(one, 'till', [sale('sku1', 'n2', 3)]));
    done(await ship(one, 'leg', [leg(6, { riders: [rider('o', 4)] })]));
    done(await arrive(other, 'grn', [{ line: '1', quantity: 5 }]));
    expect(await at('n2')).toMatchObject({ overdrawn: 0, onHand: 2, committed: 4, shortfall: 2, available: 0 });
    expect(await standing('o')).toEqual([['1', 'n2', 'stock', 'F-o', 4]]);
  });

  it('of which a receipt told before a leg did is not on its way', async () => {
    await pool.receive('sku1', 'n1', 8);
    await order('o', [['sku1', 1]]);
    done(await ship(one, 'leg1', [leg(5)]));
    done(await arrive(other, 'grn', [{ line: '1', quantity: 7 }]));
    expect(await at('n2')).toMatchObject({ onHand: 7 });
    const shipped = done(await ship(other, 'leg2', [leg(2, { riders: [rider('o', 1)] })]));
    expect(shipped.lines).toMatchObject([{ arrived: 2, riding: 1 }]);
    expect(await at('n2')).toMatchObject({ onHand: 7, committed: 1, available: 6 });
    expect(await standing('o')).toEqual([['1', 'n2', 'stock', 'F-o', 1]]);
    expect(await line()).toMatchObject({ quantity: 7, received: 7, closed: true });
    expect(await atp()).not.toHaveProperty('atpWithIncoming');
    await pool.receive('sku2', 'n1', 4);
    const looked = { type: 'state', sku: 'sku2', node: 'n1', from: 'available', to: 'quality_control' } as const;
    done(await record(one, 'look', [{ ...looked, quantity: 3 }]));
    done(await ship(one, 'leg3', [leg(1, { line: '2', sku: 'sku2', state: 'available' })]));
    done(await arrive(other, 'grn2', [{ line: '2', quantity: 4 }]));
    done(await ship(one, 'leg4', [leg(3, { line: '2', sku: 'sku2', state: 'quality_control' })]));
    expect(await at('n2', 'sku2')).toMatchObject({ onHand: 4, qualityControl: 3, available: 1 });
  });

  it('takes effect once, whichever replica is told', async () => {
    await pool.receive('sku1', 'n1', 10);
    await order('o', [['sku1', 1]]);
    const lines = [leg(4, { riders: [rider('o', 1)] })];
    const [first, ...more] = (await Promise.all([one, other, one].map((engine) => ship(engine, 'leg', lines)))).map(
      done,
    );
    for (const answer of more) expect(answer).toEqual(first);
    expect(codeOf(await ship(one, 'leg', [leg(5)]))).toBe('idempotency.mismatch');
    expect(await line()).toMatchObject({ quantity: 4, promised: 1 });
    expect(await at('n1')).toMatchObject({ onHand: 6 });
  });

  it('says in facts which units left, are on their way, and moved', async () => {
    await pool.receive('sku1', 'n1', 5);
    await order('o', [['sku1', 1]]);
    done(await ship(one, 'leg', [leg(4, { riders: [rider('o', 1)] })]));
    done(await arrive(one, 'grn', [{ line: '1', quantity: 4 }]));
    const facts = async (key: string): Promise<{ causes?: unknown; changes?: unknown }[]> => {
      const rows: { data: object }[] = await pool.dataSource.query(
        'SELECT data FROM outbox WHERE key = $1 ORDER BY id DESC LIMIT 2',
        [key],
      );
      return rows.map(({ data }) => data).reverse();
    };
    const [left, came] = await facts('sku/sku1');
    expect(left?.causes).toMatchObject([
      { kind: 'stock', node: 'n1', source: 'wms', reason: 'ship', quantity: -4 },
      { kind: 'incoming', node: 'n2', source: 'wms', reason: 'ship', quantity: 4 },
      { kind: 'promise' },
    ]);
    expect(came?.causes).toMatchObject([
      { kind: 'stock', node: 'n2', source: 'wms', reason: 'receipt', quantity: 4 },
      { kind: 'incoming', node: 'n2', source: 'wms', reason: 'receipt', quantity: -4 },
      { kind: 'promise' },
    ]);
    const [boards, lands] = await facts(`reservation/${SPEC.actor}/o`);
    const unit = { line: '1', sku: 'sku1', quantity: 1, fulfilment: 'F-o', toFulfilment: 'F-o' };
    expect(boards?.changes).toEqual([{ ...unit, node: 'n1', to: 'n2', toKind: 'incoming' }]);
    expect(lands?.changes).toEqual([{ ...unit, node: 'n2', kind: 'incoming', to: 'n2' }]);
  });

  describe('is refused, and changes nothing,', () => {
    beforeEach(async () => {
      await pool.receive('sku1', 'n1', 10);
      await order('o', [['sku1', 2]]);
      done(await one.putInbound(SPEC, { id: 'po', lines: [{ id: '1', sku: 'sku1', node: 'n2', quantity: 1 }] }));
      done(await ship(one, 'before', [leg(1)]));
    });

    it('with a code that says why', async () => {
      const cases: readonly [code: string, lines: readonly Line[], more: Partial<ShipRequest>, details: object][] = [
        ['sku.unknown', [leg(1, { sku: 'none', line: '2' })], {}, { skus: ['none'] }],
        ['node.unknown', [leg(1, { to: 'none', line: '2' })], {}, { node: 'none' }],
        ['line.duplicate', [leg(1), leg(1)], {}, { line: '1' }],
        ['transfer.same_node', [leg(1, { to: 'n1', line: '2' })], {}, { line: '2', node: 'n1' }],
        ['inbound.line_differs', [leg(1, { sku: 'sku2' })], {}, { line: '1' }],
        ['inbound.line_differs', [leg(1, { to: 'n3' })], {}, { line: '1' }],
        ['inbound.line_differs', [leg(1)], { from: 'n3' }, { line: '1' }],
        ['inbound.other_kind', [leg(1)], { transfer: 'po' }, { inbound: 'po' }],
        ['source.reserved', [leg(1)], { source: 'onepool' }, { source: 'onepool' }],
        ['reservation.unknown', [leg(1, { riders: [rider('none', 1)] })], {}, { reservation: 'none' }],
        [
          'reservation.units_missing',
          [leg(4), leg(4, { line: '2', riders: [rider('o', 2), rider('o', 1)] })],
          {},
          { there: 0, reservation: 1 },
        ],
        ['movement.exceeds_stock', [leg(1), leg(1, { line: '2', state: 'damaged' })], {}, { line: 2, there: 0 }],
        ['movement.exceeds_stock', [leg(1, { riders: [rider('o', 2)] })], {}, { line: 1, there: 1 }],
      ];
      const before = await stock();
      for (const [code, lines, more, details] of cases)
        expect(await ship(other, 'leg', lines, more)).toMatchObject({ ok: false, rejection: { code, details } });
      expect(await stock()).toEqual(before);
      expect(await line()).toMatchObject({ quantity: 1 });
      expect(await standing('o')).toEqual([['1', 'n1', 'stock', 'F-o', 2]]);
    });

    it('for whom the node is not theirs', async () => {
      const request = { id: 'leg', source: 'wms', transfer: 'tr2', from: 'n1', lines: [leg(1)] };
      expect(codeOf(await one.ship({ ...SPEC, nodes: new Set(['n2']) }, request))).toBe('node.forbidden');
      expect(codeOf(await one.ship({ ...SPEC, nodes: new Set(['n1']) }, request))).toBe(null);
    });

    it('if another has attached an order to what is to ride', async () => {
      done(await act(one, 'o', 'attach', { order: 'order-1' }));
      const lines = [leg(2, { riders: [{ ...rider('o', 2), owner: SPEC.actor }] })];
      const request = { id: 'leg', source: 'wms', transfer: 'theirs', from: 'n1', lines };
      expect(await one.ship(OTHER_SPEC, request)).toMatchObject({
        ...{ ok: false, rejection: { code: 'reservation.attached', details: { order: 'order-1', reservation: 0 } } },
      });
      done(await one.ship(SPEC, request));
    });

    it('and a receipt cannot be announced under its id', async () => {
      const lines = [{ id: '1', sku: 'sku1', node: 'n2', quantity: 1 }];
      expect(codeOf(await other.putInbound(SPEC, { id: 'tr', lines }))).toBe('inbound.other_kind');
    });

    it('if more would ride with it than a receipt may land', async () => {
      const riders = Array.from({ length: 1_200 }, () => rider('o', 1));
      const lines = [leg(1_200, { riders }), leg(1_200, { line: '2', riders })];
      expect(await ship(one, 'leg', lines)).toMatchObject({
        ...{ ok: false, rejection: { code: 'transfer.too_large', details: { riders: 2_400, ridersMax: 2_000 } } },
      });
    });
  });

  it('keeps the laws, sixteen legs at once beside shoppers, orders and their receipts', async () => {
    const skus = numbered('sku', 3);
    for (const sku of skus) await pool.receive(sku, 'n1', 200);
    const orders = numbered('o', 16);
    for (const id of orders)
      await order(
        id,
        skus.map((sku) => [sku, 2] as const),
      );
    const engineOf = (index: number): StockEngine => (index % 2 ? one : other);
    // Lines in turn begin with another SKU, and two transfers carry them all.
    const legs = orders.map((id, index) => {
      const lines = [...skus.slice(index % 3), ...skus.slice(0, index % 3)].map((sku) =>
        leg(5, { line: sku, sku, riders: [rider(id, 2)] }),
      );
      return ship(engineOf(index), `leg-${id}`, lines, { transfer: `tr-${index % 4}` });
    });
    const shoppers = numbered('shopper', 64).map((id, index) =>
      hold(engineOf(index), id, [[skus[index % 3] ?? 'sku1', 1]]),
    );
    const shipped = await Promise.all(legs);
    for (const one of shipped) done(one);
    const receipts = [0, 1, 2, 3].flatMap((transfer) =>
      skus.map((sku, index) =>
        engineOf(index).receive(SPEC, {
          ...{ id: `grn-${transfer}-${sku}`, source: 'wms', inbound: `tr-${transfer}` },
          lines: [{ line: sku, quantity: 19, closes: true }],
        }),
      ),
    );
    for (const received of await Promise.all(receipts)) expect(done(received).lines).toMatchObject([{ lost: 1 }]);
    await Promise.all(shoppers);
    for (const id of orders)
      expect((await standing(id)).map(([, node, kind, , units]) => [node, kind, units])).toEqual(
        skus.map(() => ['n2', 'stock', 2]),
      );
    for (const sku of skus) {
      await rest(sku);
      expect(await at('n2', sku)).toMatchObject({ onHand: 76, shortfall: 0 });
    }
  });
});
