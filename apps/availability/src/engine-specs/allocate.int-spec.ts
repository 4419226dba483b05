import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture } from '../testing/pool-fixture.ts';
import {
  type Move,
  type SpecReads,
  act,
  backedBy,
  codeOf,
  done,
  hold,
  move,
  readsOf,
  receipt,
  record,
  sale,
  shift,
} from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let reads: SpecReads;
let sku: string;
let used = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 60);
  engine = pool.engine({ queues: 1 });
  reads = readsOf(engine);
});
afterAll(() => pool.close());
beforeEach(() => {
  sku = `sku${++used}`;
});
afterEach(async () => expect(await brokenLaws(pool.dataSource, [sku])).toEqual([]));

/** Reservations and commands of this test. */
const id = (name: string): string => `${sku}-${name}`;
const rowOf = async (code: string, node: string) => (await reads.stock(code)).rows.find((row) => row.node === node);
/** A confirmed reservation, free to move to any node. */
const promiseAnywhere = async (name: string, quantity: number): Promise<void> => {
  done(await hold(engine, name, [[sku, quantity]]));
  done(await act(engine, name, 'confirm', {}));
};

describe('moves of one reservation', () => {
  beforeEach(async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 4);
    await pool.receive(sku, 'n2', 3);
  });

  it('take promised units to another node, and tell both', async () => {
    expect(done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 3)]))).toEqual({
      id: id('r1'),
      owner: SPEC.actor,
      version: 3,
    });
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 1, n2: 3 });
    expect(await rowOf(sku, 'n1')).toMatchObject({ available: 4, committed: 1 });
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 0, committed: 3 });
  });

  it('decided on a stale version are a conflict that names the current one', async () => {
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 1)]));
    expect(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 1)], id('late'))).toMatchObject({
      rejection: { code: 'reservation.conflict', details: { reservation: 0, version: 3 } },
    });
  });

  it.each<[string, () => Move[], string]>([
    ['more units than are backed there', () => [shift(sku, 'n1', 'n2', 5)], 'reservation.units_missing'],
    ['a node that backs nothing', () => [shift(sku, 'n2', 'n1', 1)], 'reservation.units_missing'],
    ['a SKU that is not reserved', () => [shift('sku60', 'n1', 'n2', 1)], 'reservation.units_missing'],
    [
      'a line that is not there',
      () => [{ line: '2', quantity: 1, from: { node: 'n1' }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    [
      'a fulfilment that has none of them',
      () => [{ sku, quantity: 1, from: { node: 'n1', fulfilment: 'ful_1' }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    [
      'units that stand at no node',
      () => [{ sku, quantity: 1, from: { node: null }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    ['more units than the destination has', () => [shift(sku, 'n1', 'n2', 4)], 'stock.insufficient'],
    [
      'one good and one bad move: neither happens',
      () => [shift(sku, 'n1', 'n2', 1), shift(sku, 'n1', 'n3', 1)],
      'stock.insufficient',
    ],
    ['the same units twice', () => [shift(sku, 'n1', 'n2', 3), shift(sku, 'n1', 'n2', 2)], 'reservation.units_missing'],
  ])('are refused for %s', async (_, movesOf, code) => {
    expect(codeOf(await move(engine, id('r1'), 2, movesOf()))).toBe(code);
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 4 });
    expect((await reads.reservation(SPEC, id('r1'))).version).toBe(2);
  });

  it('from a node onto itself change nothing but the version', async () => {
    const book = await reads.stock(sku);
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n1', 1)]));
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 4 });
    expect({ ...(await reads.stock(sku)), asOf: book.asOf }).toEqual(book);
  });

  it('give short units back to the book, not to other buyers', async () => {
    done(await record(engine, id('pos'), [sale(sku, 'n1', 4)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ shortfall: 3, available: 0 });
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 3)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ shortfall: 0, available: 0, committed: 1, onHand: 1 });
    done(await record(engine, id('wms'), [receipt(sku, 'n1', 1)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ available: 1 });
  });
});
