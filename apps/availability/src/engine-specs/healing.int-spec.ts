import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Housekeeping, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered, SPEC } from '../testing/pool-fixture.ts';
import {
  type SpecReads,
  act,
  backedBy,
  done,
  hold,
  holdGate,
  move,
  readsOf,
  record,
  sale,
  shift,
  until,
} from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let reads: SpecReads;
let keeper: Housekeeping;
let sku: string;
let used = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 60);
  engine = pool.engine({ queues: 1 });
  reads = readsOf(engine);
  keeper = new Housekeeping(engine);
});
afterAll(() => pool.close());
beforeEach(() => {
  sku = `sku${++used}`;
});
afterEach(async () => {
  expect(await brokenLaws(pool.dataSource, [sku])).toEqual([]);
  await pool.catalog.putChannels([{ channel: 'web', nodes: 'all' }]);
  await pool.catalog.putNodes([{ node: 'n2', type: 'warehouse', activeFrom: null }]);
  await pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 0 }]);
});

/** Reservations and commands of this test. */
const id = (name: string): string => `${sku}-${name}`;
const openExceptions = async () => {
  const { items } = await reads.exceptions({ limit: 100 });
  return items
    .filter((item) => item.sku === sku && item.closedAt === null)
    .map(({ node, quantity }) => ({ sku, node, quantity }));
};
const rowOf = async (code: string, node: string) => (await reads.stock(code)).rows.find((row) => row.node === node);
/** A confirmed reservation of `quantity` units at `node`. */
const promise = async (name: string, node: string, quantity: number): Promise<void> => {
  done(await hold(engine, name, [[sku, quantity]], { nodes: [node] }));
  done(await act(engine, name, 'confirm', {}));
};
/** As `promise`, but free to move to any node. */
const promiseAnywhere = async (name: string, quantity: number): Promise<void> => {
  done(await hold(engine, name, [[sku, quantity]]));
  done(await act(engine, name, 'confirm', {}));
};
const keyOf = async (code: string): Promise<number> => (await engine.codes.keysOf([code]))[0] ?? 0;

describe('promises that a sale took', () => {
  it('are not called broken before the oldest was looked at, however many newer ones cannot move', async () => {
    await pool.receive(sku, 'n1', 1_003);
    await promiseAnywhere(id('old'), 1);
    const pickups = numbered(id('pickup'), 1_002);
    await Promise.all(pickups.map((name) => hold(engine, name, [[sku, 1]], { nodes: ['n1'] })));
    done(await record(engine, id('pos'), [sale(sku, 'n1', 1)]));
    await pool.receive(sku, 'n2', 1);
    await until('the old promise has moved', async () => {
      await keeper.once();
      return (await rowOf(sku, 'n1'))?.shortfall === 0;
    });
    expect(backedBy(await reads.reservation(SPEC, id('old')), 'confirmed')).toEqual({ n2: 1 });
    expect(await openExceptions()).toEqual([]);
  });

  it('are looked at to the oldest, however fast their SKU sells meanwhile', async () => {
    const key = await keyOf(sku);
    const goesOn = async (): Promise<unknown> =>
      (
        await pool.dataSource.query('SELECT before_key IS NOT NULL AS goes_on FROM sku_task WHERE sku_key = $1', [key])
      )[0];
    await pool.receive(sku, 'n1', 2_003);
    await promiseAnywhere(id('old'), 1);
    const pickups = numbered(id('pickup'), 2_002);
    for (let from = 0; from < pickups.length; from += 500)
      await Promise.all(
        pickups.slice(from, from + 500).map((name) => hold(engine, name, [[sku, 1]], { nodes: ['n1'] })),
      );
    await pool.receive(sku, 'n2', 9);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 1)]));
    for (const buyer of numbered(id('buyer'), 3)) {
      await engine.tend([key], true);
      done(await hold(engine, buyer, [[sku, 1]], { nodes: ['n2'] }));
      if (buyer !== id('buyer3')) expect(await goesOn()).toEqual({ goes_on: true });
    }
    expect(backedBy(await reads.reservation(SPEC, id('old')), 'confirmed')).toEqual({ n2: 1 });
  });

  it('are looked at from the newest again once there are more units to go to', async () => {
    const key = await keyOf(sku);
    await pool.receive(sku, 'n1', 1_002);
    const pickups = numbered(id('pickup'), 1_001);
    for (let from = 0; from < pickups.length; from += 500)
      await Promise.all(
        pickups.slice(from, from + 500).map((name) => hold(engine, name, [[sku, 1]], { nodes: ['n1'] })),
      );
    await promiseAnywhere(id('newest'), 1);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 1)]));
    await engine.tend([key], true);
    await pool.receive(sku, 'n2', 1);
    await engine.tend([key], true);
    expect(backedBy(await reads.reservation(SPEC, id('newest')), 'confirmed')).toEqual({ n2: 1 });
  });

  it('move to another node by themselves, and nobody has to look', async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 4);
    await pool.receive(sku, 'n2', 9);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 5)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ onHand: 0, committed: 4, shortfall: 4 });
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 4 });
    expect(await rowOf(sku, 'n1')).toMatchObject({ committed: 0, shortfall: 0, onHand: 0 });
    expect(await openExceptions()).toEqual([]);
  });

  it('are moved as far as units go; the rest is an exception, which closes when supply heals it', async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 5);
    await pool.receive(sku, 'n2', 2);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 5)]));
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 3, n2: 2 });
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 3 }]);
    await pool.receive(sku, 'n1', 1);
    await keeper.once();
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 2 }]);
    await pool.receive(sku, 'n3', 2);
    await keeper.once();
    expect(await openExceptions()).toEqual([]);
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 1, n2: 2, n3: 2 });
  });

  it('are moved once, however many replicas look', async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 4);
    await pool.receive(sku, 'n2', 9);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 5)]));
    const others = [pool.engine(), pool.engine()].map((made) => new Housekeeping(made));
    await Promise.all([keeper, ...others].map((each) => each.once()));
    const key = await keyOf(sku);
    await Promise.all([engine.tend([key], true), pool.engine().tend([key], true)]);
    expect((await reads.reservation(SPEC, id('r1'))).version).toBe(3);
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 5, committed: 4 });
  });

  it('of the newest reservations move first', async () => {
    await pool.receive(sku, 'n1', 4);
    await promiseAnywhere(id('older'), 2);
    await promiseAnywhere(id('newer'), 2);
    await pool.receive(sku, 'n2', 2);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('newer')), 'confirmed')).toEqual({ n2: 2 });
    expect(backedBy(await reads.reservation(SPEC, id('older')), 'confirmed')).toEqual({ n1: 2 });
  });

  it('move off a row that a sale makes short while a look at their SKU waits for its gate', async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 4);
    await pool.receive(sku, 'n2', 9);
    const gate = await holdGate(pool, sku);
    const first = hold(engine, id('first'), [[sku, 1]], { nodes: ['n2'] });
    await gate.waitedForBy(1);
    const sold = record(engine, id('pos'), [sale(sku, 'n1', 5)]);
    await until('the sale waits', () => engine.queueDepth === 1);
    const tended = engine.tend([await keyOf(sku)], true);
    await gate.waitedForBy(2);
    await gate.release();
    done(await first);
    done(await sold);
    await tended;
    expect(await openExceptions()).toEqual([]);
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 4 });
    expect(await openExceptions()).toEqual([]);
  });

  it('are exceptions where they are now: a transfer moves the shortfall, and the exception with it', async () => {
    await pool.receive(sku, 'n1', 3);
    await promise(id('r1'), 'n1', 3);
    await pool.receive(sku, 'n2', 3);
    await promise(id('r2'), 'n2', 3);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 3)]));
    await keeper.once();
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 3 }]);
    done(await record(engine, id('truck'), [{ type: 'transfer', sku: sku, node: 'n2', toNode: 'n1', quantity: 3 }]));
    await keeper.once();
    expect(await openExceptions()).toEqual([{ sku, node: 'n2', quantity: 3 }]);
  });

  it('are moved in looks that each stay short, however many reservations there are', async () => {
    await pool.receive(sku, 'n1', 2_500);
    const held = await Promise.all(numbered(id('r'), 2_500).map((id) => hold(engine, id, [[sku, 1]])));
    held.forEach(done);
    // Which of them have just been made is not the order of their keys; those who would be named are others than those who move.
    await pool.dataSource.query(
      `UPDATE reservation SET created_at = created_at - make_interval(secs => reservation_key % 3) WHERE id LIKE $1`,
      [`${id('r')}%`],
    );
    await pool.receive(sku, 'n2', 2_300);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2_400)]));
    await keeper.once();
    expect(await rowOf(sku, 'n1')).toMatchObject({ shortfall: 1_400 });
    expect(await openExceptions()).toEqual([]);
    await keeper.once();
    await keeper.once();
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 0, reserved: 2_300 });
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 100 }]);
  });

  it('of a pickup stay at its nodes, broken if need be', async () => {
    await pool.receive(sku, 'n1', 2);
    await promise(id('pickup'), 'n1', 2);
    await pool.receive(sku, 'n2', 9);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 2 }]);
    expect(backedBy(await reads.reservation(SPEC, id('pickup')), 'confirmed')).toEqual({ n1: 2 });
  });

  it('stay while a node works on them, and move once it lets go', async () => {
    await pool.receive(sku, 'n2', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n1', 2);
    const toN1 = { ...shift(sku, 'n2', 'n1', 2), to: { node: 'n1', fulfilment: 'ful_1' } };
    done(await move(engine, id('r1'), 2, [toN1]));
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 2 });
    const back = shift(sku, 'n1', 'n2', 2);
    expect(await move(engine, id('r1'), 3, [back], id('c1'))).toMatchObject({
      rejection: {
        code: 'reservation.units_missing',
        details: { at: { sku, node: 'n1', fulfilment: null }, there: 0, reservation: 0, move: 0 },
      },
    });
    const letGo = { ...back, from: { node: 'n1', fulfilment: 'ful_1' } };
    done(await move(engine, id('r1'), 3, [letGo], id('c2')));
    await keeper.once();
    expect(await openExceptions()).toEqual([]);
  });

  it('never move to units that a threshold hides; lowering it heals them at the next look', async () => {
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 5 }]);
    await pool.receive(sku, 'n1', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n2', 5);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(await openExceptions()).toEqual([{ sku, node: 'n1', quantity: 2 }]);
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 3 }]);
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 2 });
    expect(await openExceptions()).toEqual([]);
  });

  it('heal when a node of an eligible type appears with units', async () => {
    await pool.catalog.putChannels([{ channel: 'web', type: 'web', nodes: ['n1'] }]);
    await pool.receive(sku, 'n1', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n3', 2);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(await openExceptions()).toHaveLength(1);
    await pool.catalog.putChannels([{ channel: 'web', type: 'web', nodes: ['n1', 'n3'] }]);
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n3: 2 });
  });

  it('heal when a node begins to sell, though nobody changed a rule then', async () => {
    await pool.receive(sku, 'n1', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n2', 2);
    const opensAt = Date.now() + 500;
    const activeFrom = new Date(opensAt).toISOString();
    await pool.catalog.putNodes([{ node: 'n2', type: 'popup', activeFrom }]);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    await until('n2 sells', () => Date.now() > opensAt);
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 2 });
    expect(await openExceptions()).toEqual([]);
  });

  it('heal when another buyer gives units back', async () => {
    await pool.receive(sku, 'n1', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n2', 2);
    await promise(id('r2'), 'n2', 2);
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(await openExceptions()).toHaveLength(1);
    done(await act(engine, id('r2'), 'cancel', {}));
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 2 });
    expect(await openExceptions()).toEqual([]);
  });

  it('heal from units whose hold ran out, though nobody asked for the SKU', async () => {
    await pool.receive(sku, 'n1', 2);
    await promiseAnywhere(id('r1'), 2);
    await pool.receive(sku, 'n2', 2);
    done(await hold(engine, id('cart'), [[sku, 2]], { expiresInSeconds: 0 }));
    done(await record(engine, id('pos'), [sale(sku, 'n1', 2)]));
    await keeper.once();
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n2: 2 });
  });
});
