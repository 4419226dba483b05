import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_STATES } from './counted-states.ts';
import { type Rider, type Shipment, decideShip } from './decide-ship.ts';
import { inTransit, onTheWay } from './inbound.ts';
import type { SupplyRow } from './supply-row.ts';
import { type SkuSupply, rowAt, rowOf, suppliesAfter } from './supply.ts';
import { NOW, incoming, row } from './testing/arbitraries.ts';
import { backing, expectLawful, reserved } from './testing/reserved.ts';
import { TWO_CHANNELS, type TestBook, bookWith, line, standsOn, waitingWorld } from './testing/waiting.ts';

const TERMS = { rules: TWO_CHANNELS, now: NOW };
const TO = line(11, { brings: 'transfer' });
const shipment = (over: Partial<Shipment> = {}): Shipment => ({
  sku: 1,
  from: 1,
  line: TO,
  units: 5,
  state: null,
  riders: [],
  isLate: false,
  counted: NO_STATES,
  ...over,
});
const rider = (reservation: Rider['reservation'], quantity: number, fulfilment = 'F'): Rider => ({
  reservation,
  selected: { fulfilment, quantity },
});
const onTransfer = (units: Partial<SupplyRow>): SupplyRow => incoming({ node: 2, detail: 11, ...units });

function ship(book: TestBook, over: Partial<Shipment> = {}) {
  const made = shipment(over);
  const riding = made.riders.map(({ reservation }) => reservation);
  const supplies = bookWith(riding, book);
  const decision = decideShip([made], supplies, TERMS);
  if (!decision.ok) return decision.rejection;
  const {
    effects,
    effect,
    sent: [sent],
  } = decision.value;
  const after: SkuSupply = suppliesAfter(supplies, effect).get(1)!;
  const current = riding.map(
    (one) => effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one,
  );
  return {
    from: rowAt(after, 1),
    to: rowOf(after, onTheWay(TO)),
    lines: after.inbound,
    sent,
    standing: current.map(standsOn),
    effects,
  };
}

describe('a transfer that leaves', () => {
  it.each<[string, Partial<SupplyRow>, Partial<Shipment>, Partial<SupplyRow>, Partial<SupplyRow>]>([
    ['is on its way', { available: 7 }, {}, { available: 2 }, { available: 5 }],
    ['keeps damaged units damaged', { damaged: 5 }, {}, {}, { damaged: 5 }],
    [
      'takes what is for sale first, and each unit in its state',
      { available: 3, qualityControl: 1, damaged: 1 },
      {},
      {},
      { available: 3, qualityControl: 1, damaged: 1 },
    ],
    [
      'takes of a named state that alone',
      { available: 7, damaged: 5 },
      { state: 'damaged' },
      { available: 7 },
      { damaged: 5 },
    ],
    [
      'takes what was never on record, if it has to',
      { available: 1, safetyStock: 1 },
      { units: 3 },
      { overdrawn: 1 },
      { available: 3 },
    ],
    [
      'is on its way though a count has seen it gone',
      { available: 7 },
      { isLate: true },
      { available: 7 },
      { available: 5 },
    ],
    [
      'of a named state that a count has seen gone',
      { available: 1, damaged: 5 },
      { isLate: true, state: 'damaged' },
      { available: 6 },
      { damaged: 5 },
    ],
    [
      'of a state that was counted without it leaves what the count has put for sale',
      { available: 6, damaged: 2 },
      { state: 'damaged', counted: new Set(['damaged' as const]) },
      { available: 1, damaged: 2 },
      { damaged: 5 },
    ],
    [
      'that all counts have seen gone is on its way',
      { available: 6, damaged: 2 },
      { isLate: true, state: 'damaged', counted: new Set(['damaged' as const]) },
      { available: 6, damaged: 2 },
      { damaged: 5 },
    ],
  ])('%s', (_, before, over, from, to) =>
    expect(ship({ stock: { 1: before } }, over)).toMatchObject({ from: row(from), to: onTransfer(to), lines: [TO] }),
  );

  it('tells in which states it is', () =>
    expect(ship({ stock: { 1: { available: 3, damaged: 2 } } })).toMatchObject({
      sent: [
        { state: 'available', units: 3 },
        { state: 'damaged', units: 2 },
      ],
    }));

  it('heals what its line owed, and rides on as before', () => {
    const waiting = reserved([backing(2, { kind: 'incoming', detail: 11, confirmed: 2 })], { key: 2 });
    const mine = reserved([backing(1, { confirmed: 2, fulfilment: 'F' })]);
    const supplies = bookWith([mine, waiting], {
      stock: { 1: { available: 1 } },
      lines: [TO],
      coming: { 11: { shortfall: 2 } },
    });
    const decision = decideShip([shipment({ units: 3, riders: [rider(mine, 2)] })], supplies, TERMS);
    if (!decision.ok) throw new Error(decision.rejection.code);
    expect(rowOf(suppliesAfter(supplies, decision.value.effect).get(1)!, onTheWay(TO))).toEqual(
      onTransfer({ committed: 4, shortfall: 1 }),
    );
  });

  const mine = reserved([
    backing(1, { confirmed: 3, fulfilment: 'F', accepted: 3, picked: 2 }),
    backing(1, { line: 1, confirmed: 1, fulfilment: 'F' }),
  ]);

  it('carries units of a fulfilment, on their line', () => {
    const shipped = ship({ stock: { 1: { available: 4 } } }, { riders: [rider(mine, 4)] });
    expect(shipped).toMatchObject({
      from: row({ available: 3 }),
      to: onTransfer({ available: 1, committed: 4 }),
      standing: [{ 'a<11#F': 3, 'b<11#F': 1 }],
      sent: [{ state: 'available', units: 5 }],
    });
    expect(shipped).toMatchObject({
      effects: [
        {
          changes: [
            {
              line: 0,
              node: 1,
              quantity: 3,
              to: { node: 2, fulfilment: 'F', ahead: { kind: 'incoming', detail: 11 } },
            },
            { line: 1, node: 1, quantity: 1 },
          ],
        },
      ],
    });
  });

  it('that a count has seen gone carries them too, and frees what was promised there', () =>
    expect(ship({ stock: { 1: { available: 4 } } }, { riders: [rider(mine, 4)], isLate: true })).toMatchObject({
      from: row({ available: 8 }),
      to: onTransfer({ available: 1, committed: 4 }),
    }));

  it.each<[string, Partial<SupplyRow>, Partial<Shipment>, object]>([
    [
      'fewer ride than are named',
      { available: 9 },
      { riders: [rider(mine, 5)] },
      { code: 'reservation.units_missing', part: 0, there: 4 },
    ],
    [
      'no unit of the fulfilment is there',
      { available: 9 },
      { riders: [rider(mine, 1, 'G')] },
      { code: 'reservation.units_missing', part: 0, there: 0 },
    ],
    [
      'more ride than leave',
      { available: 9 },
      { units: 3, riders: [rider(mine, 4)] },
      { code: 'movement.exceeds_stock', there: 3 },
    ],
    [
      'fewer are in the named state',
      { available: 9, damaged: 4 },
      { state: 'damaged' },
      { code: 'movement.exceeds_stock', there: 4 },
    ],
  ])('is refused if %s', (_, before, over, expected) =>
    expect(ship({ stock: { 1: before } }, over)).toMatchObject(expected),
  );

  describe('with several lines', () => {
    const OTHER = line(12, { brings: 'transfer' });
    const two = reserved([
      backing(1, { confirmed: 3, fulfilment: 'F' }),
      backing(1, { line: 1, confirmed: 1, fulfilment: 'G' }),
    ]);
    const both = (second: Partial<Shipment>) => {
      const supplies = bookWith([two], { stock: { 1: { available: 3 } } });
      const first = shipment({ units: 4, riders: [rider(two, 3)] });
      return decideShip([first, shipment({ line: OTHER, units: 2, ...second })], supplies, TERMS);
    };

    it('tells each reservation once, and takes what the lines before have left', () => {
      const decision = both({ riders: [rider(two, 1, 'G')] });
      if (!decision.ok) throw new Error(decision.rejection.code);
      const { effects, sent } = decision.value;
      expect(
        effects.map(({ reservation, changes }) => [reservation.version, standsOn(reservation), changes.length]),
      ).toEqual([[two.version + 1, { 'a<11#F': 3, 'b<12#G': 1 }, 2]]);
      expect(sent).toEqual([[{ state: 'available', units: 4 }], [{ state: 'available', units: 2 }]]);
    });

    it.each<[string, Partial<Shipment>, object]>([
      ['units of a named state', { state: 'damaged' }, { code: 'movement.exceeds_stock', line: 2, there: 0 }],
      [
        'riders that have left with a line before',
        { riders: [rider(two, 1)] },
        { code: 'reservation.units_missing', part: 1, there: 0 },
      ],
    ])('ships none if one lacks %s', (_, second, expected) =>
      expect(both(second)).toMatchObject({ ok: false, rejection: expected }),
    );
  });

  it('loses no unit on the way, and no promise', () => {
    fc.assert(
      fc.property(
        waitingWorld,
        fc.nat(6),
        fc.nat(3),
        fc.boolean(),
        ({ reservations, supplies }, units, quantity, isLate) => {
          const [first] = reservations;
          const to = supplies.get(1)!.inbound.find(({ detail }) => detail === 11)!;
          const riders = quantity > 0 ? [rider(first!, quantity)] : [];
          const decision = decideShip([shipment({ line: to, units, riders, isLate })], supplies, TERMS);
          if (!decision.ok) return;
          const {
            effect,
            effects,
            sent: [sent = []],
          } = decision.value;
          const after = reservations.map(
            (one) => effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one,
          );
          expectLawful(supplies, effect, after, (node) => (node === 1 && !isLate ? -units : 0));
          const onWay = (all: typeof supplies) => inTransit(rowOf(all.get(1)!, onTheWay(to)));
          expect(onWay(suppliesAfter(supplies, effect)) - onWay(supplies)).toBe(units);
          expect(sent.reduce((sum, one) => sum + one.units, 0)).toBe(units);
        },
      ),
      { numRuns: 300 },
    );
  });
});
