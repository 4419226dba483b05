import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Teller, type ToldBook, decideFulfil, decideHandOver, toldKey, undoneOf } from './decide-fulfil.ts';
import { decideUnfulfil } from './decide-unfulfil.ts';
import { type Reservation, onStock, totalOf, withUnits } from './reservation.ts';
import { type Supplies, rowAt, suppliesAfter } from './supply.ts';
import { onHand } from './supply-row.ts';
import { reservation, row, suppliesOf, supplyOf } from './testing/arbitraries.ts';

const by = (teller: string, book: ToldBook = new Map()): Teller => ({ teller, book, counted: () => 0 });

/** Units of SKU 1 at node 1: some for the fulfilment `f1`, some for none. */
const mine = (working: number, free = 0): Reservation => {
  const lines = [{ no: 0, id: '1', sku: 1, requested: 9, granted: 9, added: 0, withdrawn: 0, nodes: null }];
  const at = withUnits([], onStock(0, 1, 1, 'f1'), { confirmed: working });
  return reservation({ lines, backings: free > 0 ? withUnits(at, onStock(0, 1, 1), { confirmed: free }) : at });
};
const stock = (units: number, committed: number): Supplies =>
  suppliesOf(supplyOf(1, [row({ node: 1, available: units - committed, committed })]));

/** A world in which several tell of one reservation. */
class World {
  current: Reservation;
  supplies: Supplies;
  book: ToldBook = new Map();
  plain = 0;

  constructor(working: number, units: number) {
    this.current = mine(working);
    this.supplies = stock(units, working);
  }

  we(quantity: number): boolean {
    const parts = [{ fulfilment: 'f1', quantity }];
    const decision = decideFulfil(this.current, this.supplies, parts, by('us', this.book));
    if (!decision.ok) return false;
    this.#take(decision.value.reservation, decision.value.effect.supplies, decision.value.told);
    return true;
  }

  told(teller: string, quantity: number): void {
    const handOver = { fulfilment: 'f1', sku: 1, node: 1, quantity };
    const { verb, told, plain } = decideHandOver(this.current, handOver, this.supplies, by(teller, this.book));
    this.plain += plain;
    const after = verb?.reservation ?? this.current;
    this.#take(after, verb?.effect.supplies ?? new Map(), new Map([[toldKey('f1', 1), told]]));
  }

  undo(quantity: number): void {
    const undone = decideUnfulfil(this.current, [{ fulfilment: 'f1', quantity }], this.supplies, () => 0);
    if (!undone.ok) throw new Error('an undone shipment was refused');
    const told = undoneOf(this.current, undone.value.reservation, this.book);
    this.#take(undone.value.reservation, undone.value.effect.supplies, told);
  }

  #take(after: Reservation, supplies: Supplies, told: ToldBook): void {
    this.current = after;
    this.supplies = suppliesAfter(this.supplies, { supplies, postings: [] });
    this.book = new Map([...this.book, ...told]);
  }

  get gone(): number {
    return totalOf(this.current.backings, 'fulfilled');
  }

  get there(): number {
    return onHand(rowAt(this.supplies.get(1)!, 1));
  }
}

describe('one hand-over', () => {
  it.each([
    ['by us, the till and the WMS', ['us', 'till', 'wms']],
    ['by the till, the WMS and us', ['till', 'wms', 'us']],
    ['by the WMS, us and the till', ['wms', 'us', 'till']],
  ])('told %s is one unit', (_, tellers) => {
    const world = new World(2, 5);
    for (const teller of tellers) {
      if (teller === 'us') expect(world.we(1)).toBe(true);
      else world.told(teller, 1);
    }
    expect([world.gone, world.there, world.plain]).toEqual([1, 4, 0]);
  });

  it('takes for a part what the parts before it have left', () => {
    const parts = [{ quantity: 2 }, { sku: 1, quantity: 1 }];
    const decision = decideFulfil(mine(2, 1), stock(5, 3), parts, by('us'));
    expect(decision.ok && totalOf(decision.value.reservation.backings, 'fulfilled')).toBe(3);
    expect(decideFulfil(mine(2, 1), stock(5, 3), [...parts, { quantity: 1 }], by('us'))).toMatchObject({
      rejection: { code: 'reservation.not_confirmed' },
    });
  });

  it('in two parts is two units, whoever tells of which part', () => {
    const world = new World(2, 5);
    world.told('till', 1);
    world.told('wms', 2);
    world.told('till', 1);
    expect(world.we(2)).toBe(true);
    expect([world.gone, world.there]).toEqual([2, 3]);
  });

  it('of more units than there are is refused from us, and a plain sale from a till', () => {
    const world = new World(2, 5);
    expect(world.we(3)).toBe(false);
    world.told('till', 3);
    expect([world.gone, world.plain]).toEqual([2, 1]);
    expect(world.we(3)).toBe(true);
    expect(world.we(1)).toBe(false);
  });

  it('told after an undone shipment counts again', () => {
    const world = new World(2, 5);
    expect(world.we(1)).toBe(true);
    world.told('till', 1);
    world.undo(1);
    expect([world.gone, world.there]).toEqual([0, 5]);
    world.told('till', 1);
    expect(world.we(1)).toBe(true);
    expect([world.gone, world.there]).toEqual([1, 4]);
  });

  it('law: what has gone is the largest total told, up to what was there, in any order', () => {
    const step = fc.record({ teller: fc.constantFrom('till', 'wms', 'us'), quantity: fc.integer({ min: 1, max: 2 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const world = new World(3, 9);
        const totals = { till: 0, wms: 0, us: 0 };
        for (const { teller, quantity } of steps) {
          if (teller === 'us' && !world.we(quantity)) continue;
          if (teller !== 'us') world.told(teller, quantity);
          totals[teller] += quantity;
        }
        const largest = Math.max(...Object.values(totals));
        expect(world.gone).toBe(Math.min(3, largest));
        expect(world.gone + world.plain).toBe(largest);
        expect(world.there).toBe(9 - world.gone);
      }),
    );
  });
});

describe('units that are fulfilled', () => {
  it('without naming them are all there are, and what others told before is not told twice', () => {
    const world = new World(2, 5);
    world.told('till', 1);
    const decision = decideFulfil(world.current, world.supplies, null, by('us', world.book));
    expect(decision.ok && totalOf(decision.value.reservation.backings, 'fulfilled')).toBe(2);
    expect(decision.ok && decision.value.told.get(toldKey('f1', 1))).toMatchObject({ effect: 2, plain: 0 });
  });

  it('by line take those on which nobody works first', () => {
    const decision = decideFulfil(mine(2, 1), stock(5, 3), [{ line: '1', quantity: 2 }], by('us'));
    const units = decision.ok
      ? decision.value.reservation.backings.map(({ fulfilment, fulfilled }) => [fulfilment, fulfilled])
      : decision.rejection;
    expect(units).toEqual([
      ['f1', 1],
      [null, 1],
    ]);
  });

  it('are refused where there are none', () => {
    const none = decideFulfil(mine(0), stock(5, 0), null, by('us'));
    expect(none.ok || none.rejection.code).toBe('reservation.not_confirmed');
  });
});
