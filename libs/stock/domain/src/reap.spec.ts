import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reap } from './reap.ts';
import type { BackingPlace } from './reservation.ts';
import { rowFault } from './supply-row.ts';
import { NOW, backingsOf, incoming, reservation, row, suppliesOf, supplyOf } from './testing/arbitraries.ts';

const BOTH = new Set([1, 2]);
const overdue = (over: Parameters<typeof reservation>[0] = {}) => reservation({ expiresAt: NOW, version: 4, ...over });

describe('reaping an overdue reservation', () => {
  const supplies = suppliesOf(
    supplyOf(1, [row({ reserved: 3, available: 1 }), row({ node: 2, reserved: 2, shortfall: 1 })]),
    supplyOf(2, [row({ reserved: 4, committed: 1 })]),
  );
  const backings = backingsOf({ held: 2 }, { node: 2, held: 2 }, { line: 1, sku: 2, held: 1 });
  const told = ({ line, sku, node, fulfilment }: BackingPlace) => ({ line, sku, node, fulfilment });

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
    expect(changes).toEqual(backings.map((backing) => ({ ...told(backing), quantity: backing.held })));
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

  it('leaves the name of the fulfilment whose units have expired', () => {
    const pinned = backingsOf({ held: 1, fulfilment: 'f1' });
    const { reservation: after, changes } = reap(overdue({ backings: pinned }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings).toEqual(backingsOf({ expired: 1, fulfilment: 'f1' }));
    expect(changes).toEqual([{ line: 0, sku: 1, node: 1, fulfilment: 'f1', quantity: 1 }]);
  });

  it('never touches confirmed units', () => {
    const confirmed = backingsOf({ sku: 2, confirmed: 1 });
    expect(reap(overdue({ backings: confirmed }), supplies, { locked: BOTH, now: NOW })).toBeNull();
    const mixed = backingsOf({ sku: 2, confirmed: 1, held: 1, fulfilment: 'f1' });
    const { reservation: after } = reap(overdue({ backings: mixed }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings).toEqual(backingsOf({ sku: 2, confirmed: 1, expired: 1, fulfilment: 'f1' }));
  });

  it('expires first those with which a node has come least far', () => {
    const worked = backingsOf({ sku: 2, held: 2, confirmed: 1, fulfilment: 'f1', accepted: 2, picked: 1 });
    const { reservation: after } = reap(overdue({ backings: worked }), supplies, { locked: BOTH, now: NOW })!;
    expect(after.backings[0]).toMatchObject({ confirmed: 1, expired: 2, accepted: 1, picked: 1, shipped: 0 });
  });

  it('ends units that stand on nothing without a change of the book', () => {
    const unbacked = backingsOf({ kind: 'unbacked', node: 0, held: 3 });
    const {
      reservation: after,
      effect,
      changes,
    } = reap(overdue({ backings: unbacked }), supplies, {
      locked: BOTH,
      now: NOW,
    })!;
    expect(after.backings[0]).toMatchObject({ held: 0, expired: 3 });
    expect(changes).toEqual([{ line: 0, sku: 1, node: null, fulfilment: null, quantity: 3 }]);
    expect([effect.supplies.size, effect.postings]).toEqual([0, []]);
  });

  it('frees what is on its way, where the units stand on that', () => {
    const coming = suppliesOf(supplyOf(1, [row({ reserved: 1 })], [incoming({ reserved: 4, available: 1 })]));
    const riding = backingsOf({ kind: 'incoming', detail: 1, held: 3 });
    const { effect } = reap(overdue({ backings: riding }), coming, { locked: BOTH, now: NOW })!;
    expect(effect.supplies.get(1)).toEqual(
      supplyOf(1, [row({ reserved: 1 })], [incoming({ reserved: 1, available: 4 })]),
    );
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
        const own = backingsOf(
          ...some.map(({ sku, units }, index) => ({ line: sku - 1, sku, node: index + 1, held: units })),
        );
        const rows = some.map(({ units, extra, short }, index) =>
          row({ node: index + 1, reserved: units + extra, shortfall: Math.min(short, units + extra) }),
        );
        const both = suppliesOf(supplyOf(1, rows), supplyOf(2, rows));
        const found = reap(overdue({ backings: own }), both, { locked: new Set(locked), now: NOW });
        const due = own.filter(({ sku, held: units }) => units > 0 && locked.includes(sku));
        expect(found?.changes ?? []).toEqual(due.map((backing) => ({ ...told(backing), quantity: backing.held })));
        for (const { rows: after } of found?.effect.supplies.values() ?? [])
          expect(after.map(rowFault)).toEqual(after.map(() => null));
      }),
    );
  });
});
