import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type RowChange,
  applyTransfers,
  confirm,
  damage,
  damageable,
  exchange,
  fulfil,
  giveBack,
  hold,
  restore,
  sell,
  setAside,
  supply,
  writeOff,
} from './arithmetic.ts';
import type { Account, Transfer } from './posting.ts';
import { type SupplyRow, emptyRow, onHand, promised, rowFault, stockAt } from './supply-row.ts';
import { balancesOf, net, operate, operation, replay, row, units, validRow } from './testing/arbitraries.ts';
import { lawfulRow } from './testing/reserved.ts';

describe('laws of every operation', () => {
  it('keeps a sound row sound', () => {
    fc.assert(
      fc.property(validRow, operation, (before, done) => {
        expect(rowFault(before)).toBeNull();
        expect(rowFault(operate(before, done).row)).toBeNull();
      }),
      { numRuns: 600 },
    );
  });

  it('changes the row by the sum of its transfers and by nothing else', () => {
    fc.assert(
      fc.property(validRow, operation, (before, done) => {
        const { row: after, transfers } = operate(before, done);
        const moved = replay(transfers);
        const old = balancesOf(before);
        const expected = Object.fromEntries(Object.entries(moved).map(([a, n]) => [a, n + old[a as keyof typeof old]]));
        expect(balancesOf(after)).toEqual(expected);
        expect(after.node).toBe(before.node);
      }),
      { numRuns: 400 },
    );
  });

  it('moves positive units between two different accounts', () => {
    fc.assert(
      fc.property(validRow, operation, (before, done) => {
        for (const { from, to, quantity } of operate(before, done).transfers) {
          expect(quantity).toBeGreaterThan(0);
          expect(from).not.toBe(to);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('leaves the row that it was given as it was', () => {
    fc.assert(
      fc.property(validRow, operation, (before, done) => {
        const copy = { ...before };
        operate(Object.freeze(before), done);
        expect(before).toEqual(copy);
      }),
    );
  });

  it('replays from an empty row to the balance, and all accounts sum to zero', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        let current = emptyRow(1);
        const ledger: Transfer[] = [];
        for (const done of operations) {
          const change = operate(current, done);
          current = change.row;
          ledger.push(...change.transfers);
          expect(rowFault(current)).toBeNull();
        }
        const balances = replay(ledger);
        expect(balances).toEqual(balancesOf(current));
        expect(Object.values(balances).reduce((sum, balance) => sum + balance, 0)).toBe(0);
        expect(applyTransfers(emptyRow(1), ledger)).toEqual(current);
        expect(-balances.external || 0).toBe(net(current));
      }),
      { numRuns: 300 },
    );
  });
});

describe('what the parts of a row add up to', () => {
  it('on hand plus shortfall is the sum of the states', () => {
    fc.assert(
      fc.property(validRow, (r) => {
        const states = r.available + r.committed + r.reserved + r.safetyStock + r.damaged + r.qualityControl;
        expect(onHand(r) + r.shortfall).toBe(states);
      }),
    );
  });

  it('shows as available what no promise and no other state needs', () => {
    fc.assert(
      fc.property(validRow, (r) => {
        const elsewhere = r.safetyStock + r.damaged + r.qualityControl;
        expect(r.available).toBe(Math.max(0, onHand(r) - r.overdrawn - promised(r) - elsewhere));
      }),
    );
  });

  it.each<[string, Partial<SupplyRow>, RegExp]>([
    ['a negative state', { available: -1 }, /available is -1/],
    ['a fraction', { damaged: 0.5 }, /damaged is 0.5/],
    ['more than a number can count', { available: 2 ** 53 }, /available/],
    ['a shortfall above the promised units', { reserved: 1, shortfall: 2 }, /exceeds/],
    ['a shortfall beside available units', { reserved: 1, shortfall: 1, available: 1 }, /free units/],
    ['a shortfall beside safety stock', { committed: 1, shortfall: 1, safetyStock: 1 }, /free units/],
    ['overdrawn units beside units on hand', { damaged: 1, overdrawn: 1 }, /overdrawn/],
  ])('finds %s', (_, wrong, message) => expect(rowFault(row(wrong))).toMatch(message));
});

describe('physical events', () => {
  const deltas = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 12 });
  const happen = (from: SupplyRow, signed: readonly number[]): SupplyRow =>
    signed.reduce((r, units) => (units < 0 ? sell(r, -units) : supply(r, units)).row, from);

  it('come to the same on hand − overdrawn in any order', () => {
    const shuffled = deltas.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length, maxLength: some.length })),
    );
    fc.assert(
      fc.property(validRow, shuffled, (start, [one, other]) => {
        const sum = one.reduce((total, delta) => total + delta, 0);
        expect(net(happen(start, one))).toBe(net(start) + sum);
        expect(net(happen(start, other))).toBe(net(start) + sum);
      }),
      { numRuns: 250 },
    );
  });

  it('come to the same row in any order where nothing is promised or set aside', () => {
    fc.assert(
      fc.property(deltas, (some) => {
        expect(happen(emptyRow(1), some)).toEqual(happen(emptyRow(1), some.toReversed()));
      }),
    );
  });

  it('never change what is promised', () => {
    fc.assert(
      fc.property(validRow, deltas, (start, some) => {
        const { committed, reserved } = happen(start, some);
        expect({ committed, reserved }).toEqual({ committed: start.committed, reserved: start.reserved });
      }),
    );
  });

  const full = { available: 2, safetyStock: 2, committed: 1, reserved: 1, qualityControl: 2, damaged: 2 };
  it.each<[number, Partial<SupplyRow>]>([
    [0, full],
    [2, { ...full, available: 0 }],
    [3, { ...full, available: 0, safetyStock: 1 }],
    [4, { ...full, available: 0, safetyStock: 0 }],
    [5, { ...full, available: 0, safetyStock: 0, shortfall: 1 }],
    [6, { ...full, available: 0, safetyStock: 0, shortfall: 2 }],
    [7, { committed: 1, reserved: 1, shortfall: 2, qualityControl: 1, damaged: 2 }],
    [9, { committed: 1, reserved: 1, shortfall: 2, damaged: 1 }],
    [10, { committed: 1, reserved: 1, shortfall: 2 }],
    [12, { committed: 1, reserved: 1, shortfall: 2, overdrawn: 2 }],
  ])('a sale of %i takes available, safety, promised, inspected, damaged, then overdraws', (quantity, after) => {
    expect(sell(row(full), quantity).row).toEqual(row(after));
  });

  const owing = { committed: 2, reserved: 1, shortfall: 3, overdrawn: 2 };
  it.each<[number, Partial<SupplyRow>]>([
    [1, { ...owing, overdrawn: 1 }],
    [2, { ...owing, overdrawn: 0 }],
    [4, { ...owing, overdrawn: 0, shortfall: 1 }],
    [5, { ...owing, overdrawn: 0, shortfall: 0 }],
    [7, { ...owing, overdrawn: 0, shortfall: 0, available: 2 }],
  ])('a supply of %i nets overdrawn, heals shortfall, then is available', (quantity, after) => {
    expect(supply(row(owing), quantity).row).toEqual(row(after));
  });

  it.each<[number, Partial<SupplyRow>]>([
    [2, { safetyStock: 1, committed: 2, damaged: 2 }],
    [3, { committed: 2, damaged: 3 }],
    [5, { committed: 2, damaged: 5, shortfall: 2 }],
  ])('damage to %i takes free units first and leaves a shortfall for promised ones', (quantity, after) => {
    expect(damage(row({ available: 2, safetyStock: 1, committed: 2 }), quantity).row).toEqual(row(after));
  });

  it('damage changes no unit on hand, and can reach every sellable one', () => {
    fc.assert(
      fc.property(validRow, (r) => {
        const after = damage(r, damageable(r)).row;
        expect(onHand(after)).toBe(onHand(r));
        expect(damageable(after)).toBe(0);
      }),
    );
  });
});

describe('promises', () => {
  it('a release undoes a hold', () => {
    fc.assert(
      fc.property(validRow, units, (r, wished) => {
        const quantity = Math.min(wished, r.available);
        expect(giveBack(hold(r, quantity).row, 'reserved', quantity).row).toEqual(r);
      }),
    );
  });

  it('setting aside and freeing undo each other', () => {
    fc.assert(
      fc.property(validRow, units, (r, wished) => {
        const quantity = Math.min(wished, r.available);
        expect(setAside(setAside(r, quantity).row, -quantity).row).toEqual(r);
      }),
    );
  });

  it('fulfilling equals giving the promise back and selling at once', () => {
    fc.assert(
      fc.property(validRow, units, (r, wished) => {
        const quantity = Math.min(wished, r.committed);
        expect(fulfil(r, quantity).row).toEqual(sell(giveBack(r, 'committed', quantity).row, quantity).row);
      }),
      { numRuns: 400 },
    );
  });

  it('fulfilling in two parts equals fulfilling at once', () => {
    fc.assert(
      fc.property(validRow, units, units, (r, a, b) => {
        const first = Math.min(a, r.committed);
        const second = Math.min(b, r.committed - first);
        expect(fulfil(fulfil(r, first).row, second).row).toEqual(fulfil(r, first + second).row);
      }),
      { numRuns: 400 },
    );
  });

  it.each<[string, Partial<SupplyRow>, number, Partial<SupplyRow>]>([
    ['what the book covers', { committed: 3 }, 2, { committed: 1 }],
    ['covered units first', { committed: 3, shortfall: 1 }, 2, { committed: 1, shortfall: 1 }],
    ['what the book did not know of', { committed: 3, shortfall: 3 }, 2, { committed: 1, shortfall: 1, overdrawn: 2 }],
    ['uncovered units out of inspection', { committed: 1, shortfall: 1, qualityControl: 1 }, 1, {}],
  ])('fulfils %s', (_, before, quantity, after) => {
    expect(fulfil(row(before), quantity).row).toEqual(row(after));
  });

  it('a promise given back heals the shortfall before anything is available', () => {
    const { row: after, transfers } = giveBack(row({ reserved: 3, shortfall: 2 }), 'reserved', 3);
    expect(after).toEqual(row({ available: 1 }));
    expect(transfers).toEqual([
      { from: 'reserved', to: 'shortfall', quantity: 2 },
      { from: 'reserved', to: 'available', quantity: 1 },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['hold', () => hold(row({ available: 1 }), 2)],
    ['confirm', () => confirm(row({ reserved: 1 }), 2)],
    ['release', () => giveBack(row({ reserved: 1 }), 'reserved', 2)],
    ['cancel', () => giveBack(row({ reserved: 9, committed: 1 }), 'committed', 2)],
    ['fulfil', () => fulfil(row({ reserved: 9, committed: 1 }), 2)],
    ['damage', () => damage(row({ available: 1, committed: 2, damaged: 5, qualityControl: 5 }), 4)],
    ['setting aside', () => setAside(row({ available: 1 }), 2)],
    ['sale of less than nothing', () => sell(row({ available: 1 }), -1)],
    ['supply of half a unit', () => supply(row(), 0.5)],
    ['hold of half a unit', () => hold(row({ available: 1 }), 0.5)],
    ['confirm of less than nothing', () => confirm(row({ reserved: 1 }), -1)],
    ['freeing', () => setAside(row({ safetyStock: 1 }), -2)],
  ])('a %s beyond what is there is a broken invariant', (_, act) => {
    expect(act).toThrow(/Broken invariant/);
  });
});

const stockRow = lawfulRow.filter(({ kind }) => kind === 'stock');
const covers = (r: SupplyRow): number => onHand(r) + r.unapplied - r.overdrawn;
/** What every change keeps: the row stays lawful and is what its transfers say. */
const expectSoundChange = (before: SupplyRow, { row: after, transfers }: RowChange): void => {
  expect(rowFault(after)).toBeNull();
  expect(applyTransfers(before, transfers)).toEqual(after);
  expect(transfers.every(({ from, to, quantity }) => quantity > 0 && from !== to)).toBe(true);
};

describe('exchanging promises', () => {
  const short = { ...emptyRow(stockAt(1)), reserved: 2, committed: 3, shortfall: 4 };
  const free = { ...emptyRow(stockAt(1)), reserved: 2, committed: 3, available: 4 };
  it.each<[string, SupplyRow, number, number, readonly (readonly [Account, Account, number])[]]>([
    ['nothing', short, 0, 0, []],
    ['held units for confirmed ones, on a short row as well', short, -2, 2, [['reserved', 'committed', 2]]],
    ['confirmed units for held ones', short, 3, -3, [['committed', 'reserved', 3]]],
    [
      'more than it gets: the rest heals',
      short,
      1,
      -3,
      [
        ['committed', 'reserved', 1],
        ['committed', 'shortfall', 2],
      ],
    ],
    [
      'units given up heal first, and confirmed ones before held ones',
      short,
      -2,
      -3,
      [
        ['committed', 'shortfall', 3],
        ['reserved', 'shortfall', 1],
        ['reserved', 'available', 1],
      ],
    ],
    [
      'more than it gives: the rest is taken',
      free,
      -2,
      5,
      [
        ['reserved', 'committed', 2],
        ['available', 'committed', 3],
      ],
    ],
    [
      'nothing for both',
      free,
      1,
      3,
      [
        ['available', 'reserved', 1],
        ['available', 'committed', 3],
      ],
    ],
  ])('takes %s', (_, before, reserved, committed, expected) =>
    expect(
      exchange(before, { reserved, committed }).transfers.map(({ from, to, quantity }) => [from, to, quantity]),
    ).toEqual(expected),
  );

  it.each<[string, SupplyRow, number, number, RegExp]>([
    ['more held units than there are', free, -3, 0, /must have been reserved/],
    ['more held units than there are, for confirmed ones', free, -3, 3, /must have been reserved/],
    ['more confirmed units than there are', free, 0, -4, /must have been committed/],
    ['more than is available', free, 2, 3, /must be available/],
    ['anything of a short row', short, -1, 2, /must be available/],
    ['a part of a unit', free, 0.5, 0, /integers/],
  ])('never takes %s', (_, before, reserved, committed, message) =>
    expect(() => exchange(before, { reserved, committed })).toThrow(message),
  );

  const exchanged = fc
    .record({
      before: lawfulRow,
      part: fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      swap: fc.boolean(),
    })
    .map(({ before, part: [a, b], swap }) => {
      const [one, other] = swap ? (['committed', 'reserved'] as const) : (['reserved', 'committed'] as const);
      const first = Math.trunc(a * (a < 0 ? before[one] : before.available));
      // The other takes what is left, or gives a part of what it has.
      const left = before.available - first;
      const second = left > 0 && b > 0.5 ? Math.trunc(b * left) : -Math.trunc(b * before[other]);
      return { before, change: { reserved: 0, committed: 0, [one]: first, [other]: second } };
    });

  it('changes promises by exactly that, and nothing physical', () => {
    fc.assert(
      fc.property(exchanged, ({ before, change }) => {
        const done = exchange(before, change);
        expectSoundChange(before, done);
        expect(done.row.reserved).toBe(before.reserved + change.reserved);
        expect(done.row.committed).toBe(before.committed + change.committed);
        if (before.kind === 'stock') expect(covers(done.row)).toBe(covers(before));
      }),
      { numRuns: 600 },
    );
  });

  it('heals with what it gives up as a whole, and with no more', () => {
    fc.assert(
      fc.property(exchanged, ({ before, change }) => {
        const { row: after } = exchange(before, change);
        const given = -(change.reserved + change.committed);
        const healed = Math.max(0, Math.min(given, before.shortfall));
        expect(after.shortfall).toBe(before.shortfall - healed);
        expect(after.available).toBe(before.kind === 'allowance' ? 0 : before.available + given - healed);
      }),
      { numRuns: 600 },
    );
  });

  it('is holding, confirming or giving back, where it is one of these alone', () => {
    fc.assert(
      fc.property(lawfulRow, fc.nat(9), (before, wished) => {
        const units = (there: number): number => Math.min(there, wished);
        const { available, reserved, committed } = before;
        expect(exchange(before, { reserved: units(available), committed: 0 })).toEqual(hold(before, units(available)));
        expect(exchange(before, { reserved: -units(reserved), committed: units(reserved) })).toEqual(
          confirm(before, units(reserved)),
        );
        expect(exchange(before, { reserved: -units(reserved), committed: 0 })).toEqual(
          giveBack(before, 'reserved', units(reserved)),
        );
        expect(exchange(before, { reserved: 0, committed: -units(committed) })).toEqual(
          giveBack(before, 'committed', units(committed)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('gives nothing of an allowance to anybody else: it was only expected', () => {
    const allowance: SupplyRow = { ...emptyRow({ kind: 'allowance', node: 0, detail: 0 }), committed: 3 };
    expect(exchange(allowance, { reserved: 0, committed: -2 })).toMatchObject({
      row: { available: 0, committed: 1 },
      transfers: [{ from: 'committed', to: 'expected', quantity: 2 }],
    });
  });
});

describe('writing off promised units', () => {
  const some = fc
    .tuple(stockRow, units)
    .map(([before, wished]) => ({ before, quantity: Math.min(wished, before.committed) }));

  it('ends their promise, takes first what is known to be missing, and touches nothing else', () => {
    fc.assert(
      fc.property(some, ({ before, quantity }) => {
        const done = writeOff(before, quantity);
        expectSoundChange(before, done);
        const known = Math.min(quantity, before.shortfall);
        expect(done.row).toEqual({
          ...before,
          committed: before.committed - quantity,
          shortfall: before.shortfall - known,
        });
        expect(covers(before) - covers(done.row)).toBe(quantity - known);
      }),
      { numRuns: 400 },
    );
  });

  it('does not write off one missing unit twice', () => {
    const counted = sell({ ...emptyRow(stockAt(1)), committed: 2 }, 1).row;
    expect(counted).toMatchObject({ committed: 2, shortfall: 1 });
    expect(writeOff(counted, 1).row).toMatchObject({ committed: 1, shortfall: 0, overdrawn: 0 });
  });

  it('is of committed units only', () =>
    expect(() => writeOff({ ...emptyRow(stockAt(1)), committed: 1, reserved: 9 }, 2)).toThrow(
      'must have been committed',
    ));
});

describe('restoring units that had left', () => {
  it('promises them as they were, nets what was overdrawn, and puts nothing on sale', () => {
    fc.assert(
      fc.property(stockRow, units, (before, quantity) => {
        const done = restore(before, quantity);
        expectSoundChange(before, done);
        const netted = Math.min(quantity, before.overdrawn);
        expect(done.row).toEqual({
          ...before,
          committed: before.committed + quantity,
          overdrawn: before.overdrawn - netted,
          shortfall: before.shortfall + netted,
        });
        expect(covers(done.row) - covers(before)).toBe(quantity);
      }),
      { numRuns: 400 },
    );
  });

  it('undoes a shipment: as if it had never been where it was covered, and never a unit more or less', () => {
    fc.assert(
      fc.property(stockRow, units, (before, wished) => {
        const quantity = Math.min(wished, before.committed);
        const { row: after } = restore(fulfil(before, quantity).row, quantity);
        expect(covers(after)).toBe(covers(before));
        expect([after.committed, after.reserved]).toEqual([before.committed, before.reserved]);
        if (quantity <= promised(before) - before.shortfall) expect(after).toEqual(before);
      }),
      { numRuns: 400 },
    );
  });
});
