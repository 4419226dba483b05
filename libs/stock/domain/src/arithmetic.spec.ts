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
  quarantine,
  recommit,
  restore,
  sell,
  setAside,
  supply,
  unpromised,
  writeOff,
} from './arithmetic.ts';
import type { Account, Transfer } from './posting.ts';
import { type SupplyRow, emptyRow, net, onHand, promised, rowFault, stockAt } from './supply-row.ts';
import {
  balancesOf,
  futureRow,
  incoming,
  operate,
  operation,
  promising,
  replay,
  row,
  units,
  validRow,
} from './testing/arbitraries.ts';
import { lawfulRow, stockRow } from './testing/promises.ts';

const EMPTY = emptyRow(stockAt(1));

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
        const { key, node, kind, detail } = before;
        expect(after).toMatchObject({ key, node, kind, detail });
      }),
      { numRuns: 400 },
    );
  });

  it('keeps a sound row of what is on its way sound, whatever becomes of its promises', () => {
    fc.assert(
      fc.property(futureRow, fc.array(promising, { maxLength: 6 }), (before, steps) => {
        expect(rowFault(before)).toBeNull();
        let current = before;
        for (const done of steps) {
          current = operate(current, done).row;
          expect(rowFault(current)).toBeNull();
          expect(onHand(current)).toBe(onHand(before));
        }
      }),
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
        let current = EMPTY;
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
        expect(applyTransfers(EMPTY, ledger)).toEqual(current);
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
    ['a shortfall beside units that wait', { committed: 1, shortfall: 1, unapplied: 1 }, /free units/],
    ['overdrawn units beside units on hand', { damaged: 1, overdrawn: 1 }, /overdrawn/],
    ['overdrawn units beside units that wait', { unapplied: 1, overdrawn: 1 }, /overdrawn/],
    ['overdrawn units beside covered promises', { reserved: 2, shortfall: 1, overdrawn: 1 }, /overdrawn/],
    ['safety stock that is still on its way', { kind: 'incoming', safetyStock: 1 }, /incoming in a state of stock/],
    ['an inspection beyond what is there', { kind: 'allowance', qualityControl: 1 }, /has units/],
    ['units that have come, where they are on their way', { kind: 'incoming', unapplied: 1 }, /incoming in a state/],
    ['sales beyond what is on its way', { kind: 'incoming', overdrawn: 1 }, /incoming in a state/],
    ['an allowance with safety stock', { kind: 'allowance', safetyStock: 1 }, /allowance in a state/],
    ['an allowance with available units', { kind: 'allowance', available: 1 }, /has units/],
    ['an allowance with damaged units', { kind: 'allowance', damaged: 1 }, /has units/],
    ['an allowance that is short', { kind: 'allowance', reserved: 1, shortfall: 1 }, /has units/],
  ])('finds %s', (_, wrong, message) => expect(rowFault(row(wrong))).toMatch(message));

  it.each<[string, Partial<SupplyRow>]>([
    ['promises on what is on its way', { kind: 'incoming', available: 1, reserved: 2, committed: 3 }],
    ['promises beyond what is still on its way', { kind: 'incoming', committed: 3, shortfall: 2 }],
    ['units that travel to be inspected', { kind: 'incoming', qualityControl: 1, damaged: 2 }],
    ['promises on an allowance', { kind: 'allowance', node: 0, reserved: 2, committed: 3 }],
    ['units that wait beside promises', { reserved: 2, unapplied: 4 }],
  ])('finds nothing wrong with %s', (_, sound) => expect(rowFault(row(sound))).toBeNull());

  it('keeps waiting units off hand, and in what physical events decide', () => {
    const waiting = row({ available: 2, unapplied: 3 });
    expect([onHand(waiting), net(waiting)]).toEqual([2, 5]);
  });

  it('does not change a row by what it is with the world outside', () => {
    const before = incoming({ available: 2, reserved: 1 });
    const outside = [
      { from: 'expected', to: 'external', quantity: 5 },
      { from: 'external', to: 'expected', quantity: 3 },
    ] as const;
    expect(applyTransfers(before, outside)).toEqual(before);
    expect(applyTransfers(before, [{ from: 'expected', to: 'available', quantity: 4 }])).toEqual(
      incoming({ available: 6, reserved: 1 }),
    );
  });
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
        expect(happen(EMPTY, some)).toEqual(happen(EMPTY, some.toReversed()));
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

  const full = { available: 2, unapplied: 2, safetyStock: 2, committed: 1, reserved: 1, qualityControl: 2, damaged: 2 };
  const promisesOnly = { ...full, available: 0, unapplied: 0, safetyStock: 0 };
  it.each<[number, Partial<SupplyRow>]>([
    [0, full],
    [2, { ...full, available: 0 }],
    [3, { ...full, available: 0, unapplied: 1 }],
    [4, { ...full, available: 0, unapplied: 0 }],
    [5, { ...promisesOnly, safetyStock: 1 }],
    [6, promisesOnly],
    [7, { ...promisesOnly, shortfall: 1 }],
    [8, { ...promisesOnly, shortfall: 2 }],
    [9, { committed: 1, reserved: 1, shortfall: 2, qualityControl: 1, damaged: 2 }],
    [11, { committed: 1, reserved: 1, shortfall: 2, damaged: 1 }],
    [12, { committed: 1, reserved: 1, shortfall: 2 }],
    [14, { committed: 1, reserved: 1, shortfall: 2, overdrawn: 2 }],
  ])(
    'a sale of %i takes available, waiting, safety, promised, inspected, damaged, then overdraws',
    (quantity, after) => {
      expect(sell(row(full), quantity).row).toEqual(row(after));
    },
  );

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

  it('a supply leaves units that wait as they are', () => {
    expect(supply(row({ unapplied: 4 }), 2).row).toEqual(row({ unapplied: 4, available: 2 }));
  });

  it.each<[number, Partial<SupplyRow>]>([
    [2, { safetyStock: 1, committed: 2, damaged: 2 }],
    [3, { committed: 2, damaged: 3 }],
    [5, { committed: 2, damaged: 5, shortfall: 2 }],
  ])('damage to %i takes free units first and leaves a shortfall for promised ones', (quantity, after) => {
    expect(damage(row({ available: 2, safetyStock: 1, committed: 2 }), quantity).row).toEqual(row(after));
  });

  it.each<[number, Partial<SupplyRow>]>([
    [1, { unapplied: 2, safetyStock: 1, committed: 2, damaged: 1 }],
    [2, { unapplied: 1, safetyStock: 1, committed: 2, damaged: 2 }],
    [3, { safetyStock: 1, committed: 2, damaged: 3 }],
    [4, { committed: 2, damaged: 4 }],
    [6, { committed: 2, damaged: 6, shortfall: 2 }],
  ])('damage to %i takes waiting units after available ones and before safety stock', (quantity, after) => {
    const before = { available: 1, unapplied: 2, safetyStock: 1, committed: 2 };
    expect(damage(row(before), quantity).row).toEqual(row(after));
  });

  it('damage takes no unit away, and can reach every sellable one', () => {
    fc.assert(
      fc.property(validRow, (r) => {
        const after = damage(r, damageable(r)).row;
        expect(net(after)).toBe(net(r));
        expect(onHand(after)).toBe(onHand(r) + r.unapplied);
        expect(damageable(after)).toBe(0);
      }),
    );
  });
});

describe('units that a node refuses', () => {
  const few = fc.integer({ min: 0, max: 9 });

  it.each<[number, Partial<SupplyRow>]>([
    [1, { available: 1, unapplied: 2, safetyStock: 3, qualityControl: 1 }],
    [3, { unapplied: 1, safetyStock: 3, qualityControl: 3 }],
    [4, { safetyStock: 3, qualityControl: 4 }],
  ])('%i of them go to quality control, those free first, and no safety stock', (quantity, after) => {
    const before = stockRow({ available: 2, unapplied: 2, safetyStock: 3 });
    expect(quarantine(before, quantity).row).toEqual(stockRow(after));
  });

  it('stay on record and promised to nobody when they go to quality control', () => {
    fc.assert(
      fc.property(lawfulRow, few, (before, wished) => {
        const quantity = Math.min(wished, unpromised(before));
        const { row: after } = quarantine(before, quantity);
        expect(rowFault(after)).toBeNull();
        expect(unpromised(after)).toBe(unpromised(before) - quantity);
        expect(after.qualityControl).toBe(before.qualityControl + quantity);
        const { available, unapplied, qualityControl } = before;
        expect({ ...after, available, unapplied, qualityControl }).toEqual(before);
      }),
    );
  });

  it.each(['committed', 'reserved'] as const)('are written off as %s ones, and known to be missing first', (state) => {
    fc.assert(
      fc.property(lawfulRow, few, (before, wished) => {
        const quantity = Math.min(wished, before[state]);
        const { row: after } = writeOff(before, quantity, state);
        expect(rowFault(after)).toBeNull();
        const known = Math.min(before.shortfall, quantity);
        expect(after).toEqual({ ...before, [state]: before[state] - quantity, shortfall: before.shortfall - known });
      }),
    );
  });
});

describe('units that are back', () => {
  const few = fc.integer({ min: 0, max: 9 });

  it('are promised again without a change of net, as if they had come back and others had been sold', () => {
    fc.assert(
      fc.property(lawfulRow, few, (before, quantity) => {
        const { row: after } = recommit(before, quantity);
        expect(rowFault(after)).toBeNull();
        expect(after).toEqual(sell(restore(before, quantity).row, quantity).row);
        expect(onHand(after) + after.unapplied - after.overdrawn).toBe(
          onHand(before) + before.unapplied - before.overdrawn,
        );
      }),
    );
  });

  it('undo what a late shipment did', () => {
    fc.assert(
      fc.property(lawfulRow, few, (before, wished) => {
        const quantity = Math.min(wished, before.committed);
        expect(recommit(giveBack(before, 'committed', quantity).row, quantity).row).toEqual(before);
      }),
    );
  });

  it.each<[string, () => unknown]>([
    ['a quarantine of safety stock', () => quarantine(stockRow({ available: 1, safetyStock: 1 }), 2)],
    ['a write-off of held units as confirmed ones', () => writeOff(stockRow({ reserved: 2, committed: 1 }), 2)],
    ['a write-off of confirmed units as held ones', () => writeOff(stockRow({ committed: 2 }), 1, 'reserved')],
    ['less than nothing', () => recommit(stockRow({ available: 1 }), -1)],
  ])('are never %s', (_, act) => expect(act).toThrow(/Broken invariant/));
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
    ['damage with units that wait', () => damage(row({ available: 1, unapplied: 1, committed: 2 }), 5)],
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

/** Promises beyond what is there or to come. */
const allowanceRow = fc
  .record({ reserved: units, committed: units })
  .map((promises): SupplyRow => ({ ...emptyRow({ kind: 'allowance', node: 0, detail: 0 }), ...promises }));
const anyRow = fc.oneof({ weight: 3, arbitrary: validRow }, futureRow, allowanceRow);
/** What every change keeps: the row stays lawful and is what its transfers say. */
const expectSoundChange = (before: SupplyRow, { row: after, transfers }: RowChange): void => {
  expect(rowFault(after)).toBeNull();
  expect(applyTransfers(before, transfers)).toEqual(after);
  expect(transfers.every(({ from, to, quantity }) => quantity > 0 && from !== to)).toBe(true);
};

describe('exchanging promises', () => {
  const short = { ...EMPTY, reserved: 2, committed: 3, shortfall: 4 };
  const free = { ...EMPTY, reserved: 2, committed: 3, available: 4 };
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
      before: anyRow,
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
        if (before.kind === 'stock') expect(net(done.row)).toBe(net(before));
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
      fc.property(anyRow, fc.nat(9), (before, wished) => {
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
    .tuple(validRow, units)
    .map(([before, wished]) => ({ before, quantity: Math.min(wished, before.committed) }));

  it('lowers what is there by those only that were not known to be missing', () => {
    fc.assert(
      fc.property(some, ({ before, quantity }) => {
        const done = writeOff(before, quantity);
        expectSoundChange(before, done);
        expect(net(before) - net(done.row)).toBe(quantity - Math.min(quantity, before.shortfall));
      }),
      { numRuns: 400 },
    );
  });

  it('does not write off one missing unit twice', () => {
    const counted = sell({ ...EMPTY, committed: 2 }, 1).row;
    expect(counted).toMatchObject({ committed: 2, shortfall: 1 });
    expect(writeOff(counted, 1).row).toMatchObject({ committed: 1, shortfall: 0, overdrawn: 0 });
  });
});

describe('restoring units that had left', () => {
  it('promises them as they were, nets what was overdrawn, and puts nothing on sale', () => {
    fc.assert(
      fc.property(validRow, units, (before, quantity) => {
        const done = restore(before, quantity);
        expectSoundChange(before, done);
        const netted = Math.min(quantity, before.overdrawn);
        expect(done.row).toEqual({
          ...before,
          committed: before.committed + quantity,
          overdrawn: before.overdrawn - netted,
          shortfall: before.shortfall + netted,
        });
        expect(net(done.row) - net(before)).toBe(quantity);
      }),
      { numRuns: 400 },
    );
  });

  it('undoes a shipment: as if it had never been where it was covered, and never a unit more or less', () => {
    fc.assert(
      fc.property(validRow, units, (before, wished) => {
        const quantity = Math.min(wished, before.committed);
        const { row: after } = restore(fulfil(before, quantity).row, quantity);
        expect(net(after)).toBe(net(before));
        expect([after.committed, after.reserved]).toEqual([before.committed, before.reserved]);
        if (quantity <= promised(before) - before.shortfall) expect(after).toEqual(before);
      }),
      { numRuns: 400 },
    );
  });
});
