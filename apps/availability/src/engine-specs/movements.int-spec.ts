import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture } from '../testing/pool-fixture.ts';
import { type SpecReads, act, codeOf, done, hold, readsOf, receipt, record, sale } from './asking.ts';
import { brokenLaws } from './laws.ts';

describe('movements', () => {
  let pool: PoolFixture;
  let engine: StockEngine;
  let reads: SpecReads;
  let sku: string;
  let used = 0;
  beforeAll(async () => {
    pool = await createPoolFixture(3, 40);
    // Commands of thousands of lines end when they end, however busy the machine is.
    engine = pool.engine({ deadlineMs: 120_000 });
    reads = readsOf(engine);
  });
  afterAll(async () => {
    const broken = await brokenLaws(pool.dataSource);
    await pool.close();
    expect(broken).toEqual([]);
  });
  beforeEach(async () => {
    sku = `sku${++used}`;
    await pool.receive(sku, 'n1', 5);
  });
  const rowOf = async (node: string) => (await reads.stock(sku)).rows.find((row) => row.node === node);
  const promise = async (quantity: number): Promise<void> => {
    done(await hold(engine, `${sku}-r`, [[sku, quantity]], { nodes: ['n1'] }));
    done(await act(engine, `${sku}-r`, 'confirm', {}));
  };

  it('of one request happen together or not at all: one bad line, and none happens', async () => {
    const refused = await record(engine, `${sku}-in`, [
      receipt(sku, 'n1', 3),
      sale(sku, 'n2', 2),
      { type: 'damage', sku, node: 'n1', quantity: 9 },
    ]);
    expect(refused).toMatchObject({ rejection: { code: 'movement.exceeds_stock', details: { line: 3, there: 8 } } });
    expect((await reads.stock(sku)).rows).toMatchObject([{ node: 'n1', onHand: 5, overdrawn: 0 }]);
    expect(codeOf(await record(engine, `${sku}-in`, [receipt(sku, 'n1', 3)]))).toBe(null);
  });

  it.each([
    [
      'what is damaged arrives damaged',
      [
        { type: 'damage', node: 'n1', quantity: 5 },
        { type: 'transfer', node: 'n1', toNode: 'n2', quantity: 5 },
      ],
      { n1: { onHand: 0 }, n2: { onHand: 5, available: 0, damaged: 5 } },
    ],
    [
      'what is scrapped is damaged no more',
      [
        { type: 'damage', node: 'n1', quantity: 2 },
        { type: 'scrap', node: 'n1', quantity: 2 },
      ],
      { n1: { onHand: 3, available: 3, damaged: 0 } },
    ],
    [
      'what is repaired is for sale again',
      [
        { type: 'damage', node: 'n1', quantity: 2 },
        { type: 'state', node: 'n1', quantity: 1, from: 'damaged', to: 'available' },
      ],
      { n1: { onHand: 5, available: 4, damaged: 1 } },
    ],
    [
      'what is looked at is not for sale, until it is found to be sound',
      [
        { type: 'state', node: 'n1', quantity: 4, from: 'available', to: 'quality_control' },
        { type: 'state', node: 'n1', quantity: 3, from: 'quality_control', to: 'available' },
        { type: 'transfer', node: 'n1', toNode: 'n2', quantity: 1, from: 'quality_control' },
      ],
      { n1: { onHand: 4, available: 4, qualityControl: 0 }, n2: { onHand: 1, available: 0, qualityControl: 1 } },
    ],
  ] as const)('keep and change states as they are told: %s', async (_, told, expected) => {
    done(
      await record(
        engine,
        `${sku}-states`,
        told.map((movement) => ({ ...movement, sku })),
      ),
    );
    for (const [node, row] of Object.entries(expected)) expect(await rowOf(node)).toMatchObject(row);
  });

  it('from a state that has not so many units are refused', async () => {
    for (const type of ['scrap', 'transfer'] as const) {
      const one = { type, sku, node: 'n1', toNode: 'n2', quantity: 1, from: 'damaged' as const };
      const { toNode: __, ...scrap } = one;
      const movement = type === 'scrap' ? { ...scrap, type } : { ...one, type };
      const refused = await record(engine, `${sku}-${type}`, [movement]);
      expect(refused).toMatchObject({ rejection: { code: 'movement.exceeds_stock', details: { there: 0 } } });
    }
  });

  it('happen in the order they are told', async () => {
    const told = await record(engine, `${sku}-in`, [
      sale(sku, 'n2', 2),
      receipt(sku, 'n2', 5),
      { type: 'safety_stock', sku, node: 'n2', quantity: 3 },
      { type: 'damage', sku, node: 'n2', quantity: 1 },
    ]);
    expect(done(told).skus).toMatchObject([
      { rows: [{ node: 'n2', onHand: 3, available: 0, safetyStock: 2, damaged: 1, overdrawn: 0 }] },
    ]);
  });

  it('from ahead of their arrival happened when they arrived, however fast the clock runs that told them', async () => {
    const at = (minutes: number) => ({ occurredAt: new Date(Date.now() + minutes * 60_000).toISOString() });
    for (const minutes of [4, 60 * 24 * 400]) {
      done(await record(engine, `${sku}-${minutes}`, [sale(sku, 'n1', 1)], at(minutes)));
      const entry = (await reads.ledger(sku, { limit: 100, isAuditor: true })).items.at(-1);
      expect(entry?.occurredAt.localeCompare(entry.recordedAt)).toBeLessThanOrEqual(0);
    }
    done(await record(engine, `${sku}-past`, [sale(sku, 'n1', 1)], at(-60 * 24 * 400)));
    expect(await rowOf('n1')).toMatchObject({ onHand: 2 });
  });

  it('are moved back by as much as their clock is ahead, if it says when it sends', async () => {
    const HOUR_MS = 3_600_000;
    const arrival = Date.now();
    const told = { id: `${sku}-fast`, source: 'pos', occurredAt: new Date(arrival + HOUR_MS - 60_000).toISOString() };
    const fast = { ...SPEC, sentAt: arrival + HOUR_MS };
    done(await engine.recordMovements(fast, { ...told, movements: [sale(sku, 'n1', 1)] }));
    const entry = (await reads.ledger(sku, { limit: 100, isAuditor: true })).items.at(-1);
    // A minute before it was sent; the request arrived no earlier than its clock was read here.
    expect(Date.parse(entry?.occurredAt ?? '')).toBeGreaterThanOrEqual(arrival - 60_000);
    expect(Date.parse(entry?.occurredAt ?? '')).toBeLessThanOrEqual(Date.parse(entry?.recordedAt ?? '') - 60_000 + 1);
    const again = { ...SPEC, sentAt: arrival + 2 * HOUR_MS };
    const repeated = await engine.recordMovements(again, { ...told, movements: [sale(sku, 'n1', 1)] });
    expect(repeated).toMatchObject({ ok: true, replayed: true });
  });

  it('keep in the ledger who told them, when, and under which event of the source', async () => {
    const occurredAt = '2026-01-02T03:04:05.678Z';
    const told = { ...sale(sku, 'n1', 1), reason: 'till 7', sourceEventId: 'ev-9' };
    done(await record(engine, `${sku}-pos`, [told], { occurredAt, source: 'pos' }));
    const { items } = await reads.ledger(sku, { limit: 10, isAuditor: true });
    expect(items.at(-1)).toMatchObject({
      from: 'available',
      to: 'external',
      quantity: 1,
      reason: 'till 7',
      source: 'pos',
      sourceEventId: 'ev-9',
      occurredAt,
    });
  });

  it('sales take free units, then safety stock, then promised ones, then what was never on record', async () => {
    done(await record(engine, `${sku}-set`, [{ type: 'safety_stock', sku, node: 'n1', quantity: 1 }]));
    await promise(2);
    const sold = async (quantity: number) => {
      done(await record(engine, `${sku}-${quantity}`, [sale(sku, 'n1', quantity)]));
      return rowOf('n1');
    };
    expect(await sold(2)).toMatchObject({ onHand: 3, available: 0, safetyStock: 1, shortfall: 0 });
    expect(await sold(1)).toMatchObject({ onHand: 2, safetyStock: 0, committed: 2, shortfall: 0 });
    expect(await sold(4)).toMatchObject({ onHand: 0, committed: 2, shortfall: 2, overdrawn: 2 });
  });

  it('receipts settle what was overdrawn, then heal promises, and only then may be promised', async () => {
    await promise(2);
    done(await record(engine, `${sku}-pos`, [sale(sku, 'n1', 8)]));
    expect(await rowOf('n1')).toMatchObject({ onHand: 0, shortfall: 2, overdrawn: 3 });
    await pool.receive(sku, 'n1', 3);
    expect(await rowOf('n1')).toMatchObject({ onHand: 0, shortfall: 2, overdrawn: 0 });
    await pool.receive(sku, 'n1', 2);
    expect(await rowOf('n1')).toMatchObject({ onHand: 2, shortfall: 0, available: 0 });
    expect(codeOf(await hold(engine, `${sku}-early`, [[sku, 1]]))).toBe('stock.insufficient');
    await pool.receive(sku, 'n1', 1);
    expect(codeOf(await hold(engine, `${sku}-now`, [[sku, 1]]))).toBe(null);
  });

  it('sales that no receipt had announced and receipts that came late end in the same book, in either order', async () => {
    done(await record(engine, `${sku}-1`, [sale(sku, 'n2', 4)]));
    expect(await rowOf('n2')).toMatchObject({ onHand: 0, overdrawn: 4 });
    done(await record(engine, `${sku}-2`, [receipt(sku, 'n2', 7)]));
    done(await record(engine, `${sku}-3`, [receipt(sku, 'n3', 7)]));
    done(await record(engine, `${sku}-4`, [sale(sku, 'n3', 4)]));
    expect(await rowOf('n2')).toEqual({ ...(await rowOf('n3')), node: 'n2' });
  });

  it('transfers take from one node and give to the other; onto the same node they change nothing', async () => {
    const truck = { type: 'transfer' as const, sku, node: 'n1', quantity: 2 };
    done(await record(engine, `${sku}-1`, [{ ...truck, toNode: 'n2' }]));
    expect((await reads.stock(sku)).rows).toMatchObject([
      { node: 'n1', available: 3 },
      { node: 'n2', available: 2 },
    ]);
    const { version } = await reads.stock(sku);
    done(await record(engine, `${sku}-2`, [{ ...truck, toNode: 'n1' }]));
    expect((await reads.stock(sku)).version).toBe(version);
  });

  it('cannot damage or set aside more than there is, and free no more safety stock than was set aside', async () => {
    await promise(4);
    const tell = (id: string, type: 'damage' | 'safety_stock', quantity: number) =>
      record(engine, `${sku}-${id}`, [{ type, sku, node: 'n1', quantity }]);
    expect(await tell('a', 'safety_stock', 2)).toMatchObject({ rejection: { details: { line: 1, there: 1 } } });
    expect(await tell('b', 'safety_stock', -1)).toMatchObject({ rejection: { details: { line: 1, there: 0 } } });
    expect(await tell('c', 'damage', 6)).toMatchObject({ rejection: { details: { line: 1, there: 5 } } });
    done(await tell('d', 'damage', 5));
    expect(await rowOf('n1')).toMatchObject({ onHand: 5, damaged: 5, committed: 4, shortfall: 4, available: 0 });
  });

  it('may meet in one row beyond what 32 bits count, and so may promises', async () => {
    const flood = Array.from({ length: 2_000 }, () => receipt(sku, 'n1', 1_000_000));
    for (const id of ['1', '2']) done(await record(engine, `${sku}-${id}`, flood));
    const most = Array.from({ length: 2_000 }, () => [sku, 1_000_000] as const);
    for (const id of ['3', '4']) done(await hold(engine, `${sku}-${id}`, most));
    expect(await rowOf('n1')).toMatchObject({ onHand: 4_000_000_005, reserved: 4_000_000_000, available: 5 });
    const drain = Array.from({ length: 2_000 }, () => sale(sku, 'n1', 1_000_000));
    for (const id of ['5', '6', '7', '8']) done(await record(engine, `${sku}-${id}`, drain));
    expect(await rowOf('n1')).toMatchObject({ onHand: 0, shortfall: 4_000_000_000, overdrawn: 3_999_999_995 });
    const [key] = await engine.codes.keysOf([sku]);
    await engine.tend([key ?? 0], true);
    const { items } = await reads.exceptions({ limit: 10 });
    expect(items).toMatchObject([{ sku, node: 'n1', quantity: 4_000_000_000 }]);
  });
});
