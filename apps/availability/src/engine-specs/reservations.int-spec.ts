import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Housekeeping, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered, unitsOf, SPEC } from '../testing/pool-fixture.ts';
import { type SpecReads, act, backedBy, codeOf, done, hold, move, readsOf, record, sale, shift } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
let sku: string;
let used = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 80);
  [engine, other] = [pool.engine(), pool.engine()];
  reads = readsOf(other);
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
const viewOf = (id: string) => reads.reservation(SPEC, id);
const part = (quantity: number, node = 'n1') => ({ lines: [{ sku, node, quantity }] });

describe('a hold', () => {
  it('of several lines is all or nothing, and names every short line', async () => {
    const scarce = `sku${++used}`;
    await pool.receive(scarce, 'n1', 1);
    const lines = [
      [sku, 2],
      [scarce, 2],
      [`sku${++used}`, 1],
    ] as const;
    expect(await hold(engine, `${sku}-r`, lines)).toMatchObject({
      rejection: {
        code: 'stock.insufficient',
        details: {
          shortages: [
            { sku: scarce, requested: 2, atp: 1 },
            { sku: `sku${used}`, requested: 1, atp: 0 },
          ],
        },
      },
    });
    expect(await rowOf('n1')).toMatchObject({ available: 5, reserved: 0 });
  });

  it('that allows partial grants what there is, line by line', async () => {
    const none = `sku${++used}`;
    const lines = [
      [sku, 7],
      [none, 1],
    ] as const;
    const view = done(await hold(engine, `${sku}-r`, lines, { allowPartial: true }));
    expect(view.lines).toMatchObject([
      { sku, requested: 7, granted: 5 },
      { sku: none, requested: 1, granted: 0, backings: [] },
    ]);
    expect(codeOf(await act(engine, `${sku}-r`, 'confirm', {}))).toBe(null);
  });

  it('that allows partial is refused when not one unit is there', async () => {
    done(await hold(engine, `${sku}-all`, [[sku, 5]]));
    const late = await hold(engine, `${sku}-r`, [[sku, 1]], { allowPartial: true });
    expect(codeOf(late)).toBe('stock.insufficient');
  });

  it('keeps lines of one SKU apart, each with units of its own, and gives them their places as ids', async () => {
    const second = `sku${++used}`;
    await pool.receive(second, 'n1', 5);
    const lines = [
      [sku, 1],
      [second, 1],
      [sku, 2],
    ] as const;
    const view = done(await hold(engine, `${sku}-r`, lines));
    const at = (held: number) => [expect.objectContaining({ node: 'n1', kind: 'stock', held })];
    expect(view.lines).toMatchObject([
      { id: '1', sku, requested: 1, granted: 1, backings: at(1) },
      { id: '2', sku: second, requested: 1, granted: 1, backings: at(1) },
      { id: '3', sku, requested: 2, granted: 2, backings: at(2) },
    ]);
    expect((await viewOf(`${sku}-r`)).lines).toMatchObject(view.lines.map(({ skuVersion: _, ...line }) => line));
  });

  it('may name its lines and where each may be backed, and is refused if two have one name', async () => {
    await pool.receive(sku, 'n2', 1);
    const lines = [
      { id: 'pickup', sku, quantity: 1, nodes: ['n2'] },
      { sku, quantity: 2 },
    ];
    const view = done(await hold(engine, `${sku}-r`, [], { lines, nodes: ['n1'] }));
    expect(view.lines).toMatchObject([
      { id: 'pickup', nodes: ['n2'], backings: [{ node: 'n2', held: 1 }] },
      { id: '2', nodes: ['n1'], backings: [{ node: 'n1', held: 2 }] },
    ]);
    const twice = [
      { id: '2', sku, quantity: 1 },
      { sku, quantity: 1 },
    ];
    expect(await hold(engine, `${sku}-twice`, [], { lines: twice })).toMatchObject({
      rejection: { code: 'line.duplicate', details: { line: '2' } },
    });
  });

  it('of lines that share units names the line for which there were none left', async () => {
    const lines = [
      [sku, 3],
      [sku, 1],
      [sku, 2],
    ] as const;
    expect(await hold(engine, `${sku}-r`, lines)).toMatchObject({
      rejection: { details: { shortages: [{ line: '3', sku, requested: 2, atp: 1 }] } },
    });
    const view = done(await hold(engine, `${sku}-r`, lines, { allowPartial: true }));
    expect(view.lines.map(({ granted }) => granted)).toEqual([3, 1, 1]);
  });

  it('that was refused leaves its key free: the same request succeeds once units are there', async () => {
    expect(codeOf(await hold(engine, `${sku}-r`, [[sku, 6]]))).toBe('stock.insufficient');
    await pool.receive(sku, 'n2', 1);
    expect(await hold(other, `${sku}-r`, [[sku, 6]])).toMatchObject({ ok: true, replayed: false });
  });

  it('refused under a key takes nothing from a later, different request under the same key', async () => {
    expect(codeOf(await hold(engine, `${sku}-r`, [[sku, 6]]))).toBe('stock.insufficient');
    expect(codeOf(await hold(engine, `${sku}-r`, [[sku, 5]]))).toBe(null);
    expect(codeOf(await hold(engine, `${sku}-r`, [[sku, 6]]))).toBe('idempotency.mismatch');
  });

  it('names an unknown SKU, node or channel, and takes nothing', async () => {
    expect(
      await hold(engine, `${sku}-a`, [
        [sku, 1],
        ['nope', 1],
      ]),
    ).toMatchObject({ rejection: { code: 'sku.unknown', details: { skus: ['nope'] } } });
    expect(codeOf(await hold(engine, `${sku}-b`, [[sku, 1]], { channel: 'nope' }))).toBe('channel.unknown');
    expect(codeOf(await hold(engine, `${sku}-c`, [[sku, 1]], { nodes: ['nope'] }))).toBe('node.unknown');
    expect(await rowOf('n1')).toMatchObject({ available: 5 });
  });
});

describe('expiry', () => {
  it('gives units to the next buyer without a sweep, and confirm then says reservation.expired', async () => {
    done(await hold(engine, `${sku}-cart`, [[sku, 5]], { expiresInSeconds: 0 }));
    done(await hold(other, `${sku}-next`, [[sku, 5]]));
    expect(codeOf(await act(engine, `${sku}-cart`, 'confirm', {}))).toBe('reservation.expired');
    expect(codeOf(await act(engine, `${sku}-cart`, 'extend', { expiresInSeconds: 900 }))).toBe('reservation.expired');
    expect(codeOf(await act(engine, `${sku}-cart`, 'release', {}))).toBe('reservation.expired');
    expect((await viewOf(`${sku}-cart`)).status).toBe('closed');
  });

  it('of a cart that another buyer met on one SKU only: its other SKU still confirms nothing', async () => {
    const second = `sku${++used}`;
    await pool.receive(second, 'n1', 5);
    const lines = [
      [sku, 5],
      [second, 5],
    ] as const;
    done(await hold(engine, `${sku}-cart`, lines, { expiresInSeconds: 0 }));
    done(await hold(other, `${sku}-next`, [[sku, 5]]));
    expect(codeOf(await act(engine, `${sku}-cart`, 'confirm', {}))).toBe('reservation.expired');
    const again = await act(engine, `${sku}-cart`, 'confirm', { commandId: `${sku}-2`, reacquire: true });
    expect(again).toMatchObject({
      rejection: { code: 'stock.insufficient', details: { shortages: [{ sku, requested: 5, atp: 0 }] } },
    });
    done(await hold(other, `${sku}-rest`, [[second, 5]]));
  });

  it('then confirm with reacquire is a new grant, elsewhere if need be, confirmed at once', async () => {
    await pool.receive(sku, 'n2', 4);
    done(await hold(engine, `${sku}-cart`, [[sku, 4]], { expiresInSeconds: 0 }));
    done(await hold(other, `${sku}-next`, [[sku, 5]], { nodes: ['n1'] }));
    const view = done(await act(engine, `${sku}-cart`, 'confirm', { reacquire: true }));
    expect(backedBy(view, 'confirmed')).toEqual({ n2: 4 });
    expect([view.status, unitsOf(view, 'expired')]).toEqual(['confirmed', 0]);
    expect(codeOf(await act(engine, `${sku}-cart`, 'fulfil', {}))).toBe(null);
  });

  it('reacquires at its own nodes only, and what it had taken partially', async () => {
    done(await hold(engine, `${sku}-cart`, [[sku, 9]], { allowPartial: true, nodes: ['n1'], expiresInSeconds: 0 }));
    await pool.receive(sku, 'n2', 9);
    const view = done(await act(engine, `${sku}-cart`, 'confirm', { reacquire: true }));
    expect(backedBy(view, 'confirmed')).toEqual({ n1: 5 });
  });

  it('is put off by extend, never brought forward', async () => {
    const held = done(await hold(engine, `${sku}-cart`, [[sku, 1]], { expiresInSeconds: 600 }));
    const shorter = done(await act(engine, `${sku}-cart`, 'extend', { commandId: `${sku}-1`, expiresInSeconds: 1 }));
    expect(shorter.expiresAt).toBe(held.expiresAt);
    const longer = done(await act(engine, `${sku}-cart`, 'extend', { commandId: `${sku}-2`, expiresInSeconds: 900 }));
    expect(Date.parse(longer.expiresAt ?? '')).toBeGreaterThan(Date.parse(held.expiresAt ?? ''));
  });

  it('extended by one replica holds against a sweep by another', async () => {
    done(await hold(engine, `${sku}-cart`, [[sku, 5]], { expiresInSeconds: 2 }));
    done(await act(engine, `${sku}-cart`, 'extend', { expiresInSeconds: 900 }));
    const rows: { overdue: number }[] = await pool.dataSource.query(
      `SELECT count(*)::int AS overdue FROM backing JOIN reservation r USING (reservation_key)
        WHERE r.id = $1 AND backing.expires_at < now() + interval '60 seconds'`,
      [`${sku}-cart`],
    );
    expect(rows).toEqual([{ overdue: 0 }]);
  });

  it('does not touch what is confirmed', async () => {
    done(await hold(engine, `${sku}-cart`, [[sku, 5]], { expiresInSeconds: 30 }));
    done(await act(engine, `${sku}-cart`, 'confirm', {}));
    await pool.dataSource.query(
      `WITH late AS (UPDATE reservation SET expires_at = '2020-01-01' WHERE id = $1 RETURNING reservation_key)
       UPDATE backing SET expires_at = '2020-01-01' FROM late WHERE backing.reservation_key = late.reservation_key`,
      [`${sku}-cart`],
    );
    expect(codeOf(await hold(other, `${sku}-next`, [[sku, 1]]))).toBe('stock.insufficient');
    expect(backedBy(await viewOf(`${sku}-cart`), 'confirmed')).toEqual({ n1: 5 });
  });

  it('of thousands at once is settled in several steps, and every unit counts for who asks next', async () => {
    await pool.receive(sku, 'n2', 4_500);
    const carts = numbered(`${sku}-`, 4_500).map((id) => hold(engine, id, [[sku, 1]], { nodes: ['n2'] }));
    (await Promise.all(carts)).forEach(done);
    await pool.dataSource.query(
      `WITH late AS (UPDATE reservation SET expires_at = '2020-01-01' WHERE starts_with(id, $1) RETURNING reservation_key)
       UPDATE backing SET expires_at = '2020-01-01' FROM late WHERE backing.reservation_key = late.reservation_key`,
      [`${sku}-`],
    );
    const next = done(await hold(other, `${sku}:next`, [[sku, 4_500]], { nodes: ['n2'] }));
    expect(backedBy(next)).toEqual({ n2: 4_500 });
    const [first, last] = [await viewOf(`${sku}-1`), await viewOf(`${sku}-4500`)];
    expect([unitsOf(first, 'expired'), unitsOf(last, 'expired')]).toEqual([1, 1]);
  });

  it('of a SKU that nobody asks for is swept', async () => {
    done(await hold(engine, `${sku}-cart`, [[sku, 5]], { expiresInSeconds: 0 }));
    await new Housekeeping(engine).once();
    expect(await rowOf('n1')).toMatchObject({ available: 5, reserved: 0 });
    expect(unitsOf(await viewOf(`${sku}-cart`), 'expired')).toBe(5);
  });
});

describe('the verbs on parts', () => {
  it('release, then confirm the rest, fulfil and cancel in parts: every unit is accounted for', async () => {
    const id = `${sku}-r`;
    done(await hold(engine, id, [[sku, 5]]));
    done(await act(engine, id, 'release', part(1)));
    done(await act(engine, id, 'confirm', {}));
    done(await act(engine, id, 'fulfil', part(2)));
    const view = done(await act(engine, id, 'cancel', part(1)));
    expect(view.lines[0]?.backings).toMatchObject([{ released: 1, confirmed: 1, fulfilled: 2, cancelled: 1 }]);
    expect(done(await act(engine, id, 'fulfil', { commandId: `${id}-last` })).status).toBe('closed');
    expect(await rowOf('n1')).toMatchObject({ onHand: 2, available: 2, committed: 0, reserved: 0 });
  });

  it.each([
    ['fulfil', 'reservation.not_confirmed'],
    ['cancel', 'reservation.not_confirmed'],
  ] as const)('%s on held units is %s', async (verb, code) => {
    done(await hold(engine, `${sku}-r`, [[sku, 1]]));
    expect(codeOf(await act(engine, `${sku}-r`, verb, {}))).toBe(code);
  });

  it.each(['confirm', 'release'] as const)('%s on confirmed units is reservation.not_held', async (verb) => {
    done(await hold(engine, `${sku}-r`, [[sku, 1]]));
    done(await act(engine, `${sku}-r`, 'confirm', { commandId: `${sku}-paid` }));
    expect(codeOf(await act(engine, `${sku}-r`, verb, {}))).toBe('reservation.not_held');
    const extended = await act(engine, `${sku}-r`, 'extend', { expiresInSeconds: 900 });
    expect(codeOf(extended)).toBe('reservation.not_held');
  });

  it('more than is there, or the same part twice over, is refused whole and says where', async () => {
    done(await hold(engine, `${sku}-r`, [[sku, 3]]));
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    const lines = [...part(2).lines, ...part(2).lines];
    expect(await act(engine, `${sku}-r`, 'fulfil', { lines })).toMatchObject({
      rejection: { code: 'reservation.not_confirmed', details: { at: { sku, node: 'n1' } } },
    });
    expect(codeOf(await act(engine, `${sku}-r`, 'fulfil', part(1, 'n2')))).toBe('reservation.not_confirmed');
    expect(await rowOf('n1')).toMatchObject({ onHand: 5, committed: 3 });
  });

  it('fulfil of units that a sale took ships what is there all the same, and the book says so', async () => {
    done(await hold(engine, `${sku}-r`, [[sku, 4]]));
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    done(await record(engine, `${sku}-pos`, [sale(sku, 'n1', 3)]));
    expect(await rowOf('n1')).toMatchObject({ onHand: 2, committed: 4, shortfall: 2 });
    done(await act(engine, `${sku}-r`, 'fulfil', {}));
    expect(await rowOf('n1')).toMatchObject({ onHand: 0, committed: 0, shortfall: 0, overdrawn: 2 });
  });
});

describe('a large reservation', () => {
  it('is told in parts, so that no fact outgrows a message', async () => {
    const nodes = ['n1', 'n2', 'n3'];
    const skus = numbered(`large`, 700);
    await pool.catalog.putSkus(skus.map((each) => ({ sku: each })));
    for (const node of nodes) {
      const told = skus.map((each) => ({ type: 'receipt' as const, sku: each, node, quantity: 1 }));
      done(await record(engine, `large-${node}`, told));
    }
    done(
      await hold(
        engine,
        'large',
        skus.map((each) => [each, 3] as const),
      ),
    );
    expect(unitsOf(done(await act(engine, 'large', 'confirm', {})), 'confirmed')).toBe(2_100);
    const facts: { id: string; changes: number }[] = await pool.dataSource.query(
      `SELECT event_id AS id, json_array_length(data->'changes')::int AS changes FROM outbox WHERE key = 'reservation/spec/large' ORDER BY id`,
    );
    expect(facts).toEqual([
      { id: 'reservation/spec/large@2', changes: 2_000 },
      { id: 'reservation/spec/large@2.2', changes: 100 },
    ]);
    expect(codeOf(await act(engine, 'large', 'fulfil', {}))).toBe(null);
  });
});

describe('a replay', () => {
  it('of a hold answers as at first, though everything has moved on since', async () => {
    const first = done(await hold(engine, `${sku}-r`, [[sku, 2]], { expiresInSeconds: 600 }));
    done(await act(engine, `${sku}-r`, 'extend', { expiresInSeconds: 900 }));
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    done(await act(engine, `${sku}-r`, 'fulfil', {}));
    for (const replica of [engine, other, pool.engine()]) {
      const again = await hold(replica, `${sku}-r`, [[sku, 2]], { expiresInSeconds: 600 });
      expect(again).toEqual({ ok: true, value: first, replayed: true });
    }
    expect(await rowOf('n1')).toMatchObject({ onHand: 3, reserved: 0, committed: 0 });
  });

  it('of every verb answers as at first, though the state has moved on, and changes nothing', async () => {
    const id = `${sku}-r`;
    await pool.receive(sku, 'n2', 5);
    done(await hold(engine, id, [[sku, 4]], { nodes: ['n1', 'n2'] }));
    const steps = [
      (replica: StockEngine) => act(replica, id, 'extend', { expiresInSeconds: 900 }),
      (replica: StockEngine) => act(replica, id, 'release', part(1)),
      (replica: StockEngine) => act(replica, id, 'confirm', {}),
      (replica: StockEngine) => move(replica, id, 4, [shift(sku, 'n1', 'n2', 2)]),
      (replica: StockEngine) => act(replica, id, 'fulfil', part(1, 'n2')),
      (replica: StockEngine) => act(replica, id, 'cancel', {}),
      (replica: StockEngine) => record(replica, `${id}-pos`, [sale(sku, 'n1', 1)]),
    ] as const;
    const answers: unknown[] = [];
    for (const step of steps) answers.push(done<unknown>(await step(engine)));
    const book = await reads.stock(sku);
    for (const replica of [other, pool.engine()]) {
      const again = await Promise.all(steps.map((step) => step(replica)));
      expect(again.map((answer) => done<unknown>(answer))).toEqual(answers);
      expect(again.filter((answer) => 'replayed' in answer && !answer.replayed)).toEqual([]);
    }
    expect({ ...(await reads.stock(sku)), asOf: book.asOf }).toEqual(book);
  });

  it('of a verb under the key of another verb, reservation or body is a mismatch', async () => {
    done(await hold(engine, `${sku}-a`, [[sku, 1]]));
    done(await hold(engine, `${sku}-b`, [[sku, 1]]));
    const commandId = `${sku}-key`;
    done(await act(engine, `${sku}-a`, 'confirm', { commandId }));
    expect(codeOf(await act(other, `${sku}-a`, 'fulfil', { commandId }))).toBe('idempotency.mismatch');
    expect(codeOf(await act(other, `${sku}-b`, 'confirm', { commandId }))).toBe('idempotency.mismatch');
    const again = await act(other, `${sku}-a`, 'confirm', { commandId, reacquire: true });
    expect(codeOf(again)).toBe('idempotency.mismatch');
    expect(codeOf(await record(other, commandId, [sale(sku, 'n1', 1)]))).toBe('idempotency.mismatch');
    expect(await rowOf('n1')).toMatchObject({ onHand: 5, committed: 1, reserved: 1 });
  });

  it('spelling a default out is the same request', async () => {
    done(await hold(engine, `${sku}-r`, [[sku, 1]]));
    const spelt = await hold(other, `${sku}-r`, [[sku, 1]], { allowPartial: false, expiresInSeconds: 900 });
    expect(spelt).toMatchObject({ ok: true, replayed: true });
  });

  it('of a refused verb is decided anew', async () => {
    done(await hold(engine, `${sku}-r`, [[sku, 1]]));
    expect(codeOf(await act(engine, `${sku}-r`, 'fulfil', {}))).toBe('reservation.not_confirmed');
    done(await act(engine, `${sku}-r`, 'confirm', {}));
    expect(codeOf(await act(engine, `${sku}-r`, 'fulfil', {}))).toBe(null);
  });
});
