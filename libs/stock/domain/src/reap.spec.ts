import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reap } from './reap.ts';
import { newBacking } from './reservation.ts';
import { rowFault } from './supply-row.ts';
import { NOW, reservation, row, suppliesOf, supplyOf } from './testing/arbitraries.ts';

const BOTH = new Set([1, 2]);
const pin = { fulfilmentId: 'ful_1', orderVersion: 1 };
const overdue = (over: Parameters<typeof reservation>[0] = {}) => reservation({ expiresAt: NOW, version: 4, ...over });

describe('reaping an overdue reservation', () => {
  const supplies = suppliesOf(
    supplyOf(1, [row({ reserved: 3, available: 1 }), row({ node: 2, reserved: 2, shortfall: 1 })]),
    supplyOf(2, [row({ reserved: 4, committed: 1 })]),
  );
  const backings = [newBacking(1, 1, { held: 2 }), newBacking(1, 2, { held: 2 }), newBacking(2, 1, { held: 1 })];

  it.each([
    ['not a moment before it expires', NOW + 1, false],
    ['at the instant it expires', NOW, true],
    ['ever after', NOW - 1, true],
  ])('happens %s', (_, expiresAt, happens) => {
    const found = reap(overdue({ backings, expiresAt }), supplies, { locked: BOTH, now: NOW });
    expect(found !== null).toBe(happens);
  });

  it('makes its held units free, healing a shortfall first', () => {
    const { reservation: after, effect, changes } = reap(overdue({ backings }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings.map(({ held, expired }) => [held, expired])).toEqual([
      [0, 2],
      [0, 2],
      [0, 1],
    ]);
    expect(after.version).toBe(5);
    expect(changes).toEqual(backings.map(({ sku, node, held }) => ({ sku, node, quantity: held })));
    expect(effect.supplies.get(1)!.rows).toEqual([row({ reserved: 1, available: 3 }), row({ node: 2, available: 1 })]);
  });

  it('frees locked SKUs only; the rest waits for its own gate', () => {
    const first = reap(overdue({ backings }), supplies, { locked: new Set([2]), now: NOW })!;
    expect(first.reservation.backings.map(({ held }) => held)).toEqual([2, 2, 0]);
    expect([...first.effect.supplies.keys()]).toEqual([2]);
    const second = reap(first.reservation, supplies, { locked: new Set([1]), now: NOW })!;
    expect(second.reservation.backings.map(({ expired }) => expired)).toEqual([2, 2, 1]);
  });

  it('finds nothing to do the second time', () => {
    const once = reap(overdue({ backings }), supplies, { locked: BOTH, now: NOW })!;
    expect(reap(once.reservation, once.effect.supplies, { locked: BOTH, now: NOW + 1_000 })).toBeNull();
  });

  it('lets the pin of expired units fall', () => {
    const pinned = [{ ...newBacking(1, 1, { held: 1 }), pin }];
    const { reservation: after } = reap(overdue({ backings: pinned }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings[0]!.pin).toBeNull();
  });

  it('never touches confirmed units', () => {
    const confirmed = [newBacking(2, 1, { confirmed: 1 })];
    expect(reap(overdue({ backings: confirmed }), supplies, { locked: BOTH, now: NOW })).toBeNull();
    const mixed = [{ ...newBacking(2, 1, { confirmed: 1, held: 1 }), pin }];
    const { reservation: after } = reap(overdue({ backings: mixed }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings).toEqual([{ ...newBacking(2, 1, { confirmed: 1, expired: 1 }), pin }]);
  });

  it('moves exactly the held units of locked SKUs, and leaves every row sound', () => {
    const held = fc.array(
      fc.record({ sku: fc.constantFrom(1, 2), units: fc.nat(5), extra: fc.nat(3), short: fc.nat(9) }),
      {
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(held, fc.subarray([1, 2]), (some, locked) => {
        const own = some.map(({ sku, units }, index) => newBacking(sku, index + 1, { held: units }));
        const rows = some.map(({ units, extra, short }, index) =>
          row({ node: index + 1, reserved: units + extra, shortfall: Math.min(short, units + extra) }),
        );
        const both = suppliesOf(supplyOf(1, rows), supplyOf(2, rows));
        const found = reap(overdue({ backings: own }), both, { locked: new Set(locked), now: NOW });
        const due = own.filter(({ sku, held: units }) => units > 0 && locked.includes(sku));
        expect(found?.changes ?? []).toEqual(due.map(({ sku, node, held: quantity }) => ({ sku, node, quantity })));
        for (const { rows: after } of found?.effect.supplies.values() ?? [])
          expect(after.map(rowFault)).toEqual(after.map(() => null));
      }),
    );
  });
});
