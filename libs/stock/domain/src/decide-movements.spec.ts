import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from './arithmetic.ts';
import { rowKey } from './feed.ts';
import { type MovementType, type StockMovement, decideMovements } from './decide-movements.ts';
import { type SupplyRow, net, rowFault } from './supply-row.ts';
import { rowAt } from './supply.ts';
import { available, row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';

const move = (type: MovementType, quantity: number, over: Partial<StockMovement> = {}): StockMovement => ({
  type,
  sku: 1,
  node: 1,
  toNode: null,
  quantity,
  ...over,
});
const happen = (before: Partial<SupplyRow>, ...movements: readonly StockMovement[]) => {
  const decision = decideMovements(movements, suppliesOf(supplyOf(1, [row(before)]), supplyOf(2, [])));
  return decision.ok ? [...(decision.value.supplies.get(1)?.rows ?? [])] : decision.rejection;
};

describe('a movement', () => {
  it.each<[string, Partial<SupplyRow>, StockMovement, readonly Partial<SupplyRow>[]]>([
    ['sale takes what is available', { available: 3 }, move('sale', 2), [{ available: 1 }]],
    ['sale may take promised units', { reserved: 3 }, move('sale', 2), [{ reserved: 3, shortfall: 2 }]],
    [
      'sale takes waiting units before safety stock',
      { unapplied: 1, safetyStock: 2 },
      move('sale', 2),
      [{ safetyStock: 1 }],
    ],
    ['sale of what was never on record overdraws', {}, move('sale', 2), [{ overdrawn: 2 }]],
    ['receipt nets what was overdrawn', { overdrawn: 2 }, move('receipt', 3), [{ available: 1 }]],
    ['find heals a shortfall', { reserved: 2, shortfall: 2 }, move('found', 1), [{ reserved: 2, shortfall: 1 }]],
    ['positive adjustment supplies', {}, move('adjustment', 4), [{ available: 4 }]],
    ['negative adjustment removes', { available: 4 }, move('adjustment', -5), [{ overdrawn: 1 }]],
    [
      'damage of all sellable units',
      { available: 1, committed: 1 },
      move('damage', 2),
      [{ damaged: 2, committed: 1, shortfall: 1 }],
    ],
    [
      'damage reaches units that wait',
      { available: 1, unapplied: 2 },
      move('damage', 2),
      [{ unapplied: 1, damaged: 2 }],
    ],
    ['safety stock set aside', { available: 3 }, move('safety_stock', 3), [{ safetyStock: 3 }]],
    ['safety stock freed', { safetyStock: 3 }, move('safety_stock', -2), [{ safetyStock: 1, available: 2 }]],
    [
      'transfer arrives elsewhere',
      { available: 3 },
      move('transfer', 2, { toNode: 2 }),
      [{ available: 1 }, { node: 2, available: 2 }],
    ],
    [
      'transfer of more than is known',
      {},
      move('transfer', 2, { toNode: 2 }),
      [{ overdrawn: 2 }, { node: 2, available: 2 }],
    ],
    ['scrap takes damaged units', { available: 3, damaged: 2 }, move('scrap', 2), [{ available: 3 }]],
    [
      'scrap of units to inspect',
      { qualityControl: 2 },
      move('scrap', 1, { from: 'quality_control' }),
      [{ qualityControl: 1 }],
    ],
    [
      'repair',
      { damaged: 2, reserved: 1, shortfall: 1 },
      move('state', 2, { from: 'damaged' }),
      [{ available: 1, reserved: 1 }],
    ],
    ['inspection', { available: 2 }, move('state', 2, { to: 'quality_control' }), [{ qualityControl: 2 }]],
    ['end of an inspection', { qualityControl: 2 }, move('state', 2, { from: 'quality_control' }), [{ available: 2 }]],
    [
      'damage found in an inspection',
      { qualityControl: 2, available: 2 },
      move('damage', 2, { from: 'quality_control' }),
      [{ damaged: 2, available: 2 }],
    ],
    [
      'sale of damaged goods as such',
      { damaged: 2, available: 2 },
      move('sale', 2, { from: 'damaged' }),
      [{ available: 2 }],
    ],
    ['find of damaged goods', { overdrawn: 1 }, move('found', 3, { to: 'damaged' }), [{ damaged: 2 }]],
    [
      'correction of damaged goods',
      { damaged: 3, available: 1 },
      move('adjustment', -2, { from: 'damaged' }),
      [{ damaged: 1, available: 1 }],
    ],
    [
      'transfer of what is damaged stays damaged',
      { damaged: 5 },
      move('transfer', 5, { toNode: 2 }),
      [{}, { node: 2, damaged: 5 }],
    ],
    [
      'transfer keeps each unit in its state',
      { available: 1, committed: 1, qualityControl: 1, damaged: 1 },
      move('transfer', 5, { toNode: 2 }),
      [
        { committed: 1, shortfall: 1, overdrawn: 1 },
        { node: 2, available: 3, qualityControl: 1, damaged: 1 },
      ],
    ],
    [
      'transfer of a named state takes that alone',
      { available: 4, damaged: 2 },
      move('transfer', 2, { toNode: 2, from: 'damaged' }),
      [{ available: 4 }, { node: 2, damaged: 2 }],
    ],
    [
      'transfer of safety stock frees it',
      { safetyStock: 2 },
      move('transfer', 2, { toNode: 2, from: 'safety_stock' }),
      [{}, { node: 2, available: 2 }],
    ],
  ])('%s', (_, before, movement, after) => expect(happen(before, movement)).toEqual(after.map(row)));

  it.each<[string, readonly StockMovement[], readonly Partial<SupplyRow>[]]>([
    [
      'a transfer of what was damaged arrives damaged',
      [move('receipt', 5), move('damage', 5), move('transfer', 5, { toNode: 2 })],
      [{}, { node: 2, damaged: 5 }],
    ],
    [
      'a scrap takes no unit that is for sale',
      [move('receipt', 5), move('damage', 2), move('scrap', 2)],
      [{ available: 3 }],
    ],
    [
      'a repair and an inspection end where they began',
      [
        move('receipt', 5),
        move('damage', 2),
        move('state', 2, { from: 'damaged', to: 'quality_control' }),
        move('state', 2, { from: 'quality_control' }),
      ],
      [{ available: 5 }],
    ],
  ])('after another: %s', (_, movements, after) => expect(happen({}, ...movements)).toEqual(after.map(row)));

  describe('that the newest count has seen moves states, and net stays', () => {
    const counted = (before: Partial<SupplyRow>, movement: StockMovement, at: readonly number[]) => {
      const count = { capturedAt: 10, deductsAt: null, source: 'ERP' };
      const watermarks = new Map(at.map((node) => [rowKey(1, node), count]));
      const supplies = suppliesOf(supplyOf(1, [row(before)]));
      const decision = decideMovements([movement], supplies, { occurredAt: 9, watermarks });
      if (!decision.ok) throw new Error(decision.rejection.code);
      const { rows } = decision.value.supplies.get(1) ?? supplies.get(1)!;
      return [rows, decision.value.late.map(({ node, quantity }) => [node, quantity])];
    };
    it.each<
      [
        string,
        Partial<SupplyRow>,
        StockMovement,
        readonly number[],
        readonly Partial<SupplyRow>[],
        readonly (readonly number[])[],
      ]
    >([
      [
        'scrap: what was damaged is for sale, since as much as that is missing there',
        { available: 1, damaged: 2 },
        move('scrap', 2),
        [1],
        [{ available: 3 }],
        [[1, -2]],
      ],
      [
        'scrap of more than is damaged',
        { available: 1, damaged: 1 },
        move('scrap', 2),
        [1],
        [{ available: 2 }],
        [[1, -2]],
      ],
      [
        'find of damaged units',
        { available: 3 },
        move('found', 2, { to: 'damaged' }),
        [1],
        [{ available: 1, damaged: 2 }],
        [[1, 2]],
      ],
      ['sale', { available: 3 }, move('sale', 2), [1], [{ available: 3 }], [[1, -2]]],
      ['damage', { available: 3 }, move('damage', 2), [1], [{ available: 1, damaged: 2 }], []],
      [
        'transfer, where it left',
        { damaged: 2 },
        move('transfer', 2, { toNode: 2, from: 'damaged' }),
        [1],
        [{ available: 2 }, { node: 2, damaged: 2 }],
        [[1, -2]],
      ],
      ['transfer, where it came', { damaged: 2 }, move('transfer', 2, { toNode: 2 }), [2], [{}], [[2, 2]]],
    ])('%s', (_, before, movement, at, after, late) =>
      expect(counted(before, movement, at)).toEqual([after.map(row), late]),
    );
  });

  it.each<[string, Partial<SupplyRow>, StockMovement, number]>([
    ['damage of more than is sellable', { available: 1, committed: 2, shortfall: 0, damaged: 4 }, move('damage', 4), 3],
    ['damage of promised units that are not there', { reserved: 2, shortfall: 2 }, move('damage', 1), 0],
    ['setting aside more than is available', { available: 2, reserved: 9 }, move('safety_stock', 3), 2],
    ['scrap of more than is damaged', { damaged: 1, available: 9 }, move('scrap', 2), 1],
    ['repair of more than is damaged', { damaged: 1, available: 9 }, move('state', 2, { from: 'damaged' }), 1],
    [
      'sale of more than is in its state',
      { qualityControl: 1, available: 9 },
      move('sale', 2, { from: 'quality_control' }),
      1,
    ],
    [
      'transfer of more than is in its state',
      { damaged: 1, available: 9 },
      move('transfer', 2, { from: 'damaged', toNode: 2 }),
      1,
    ],
    ['freeing more than was set aside', { safetyStock: 2, available: 9 }, move('safety_stock', -3), 2],
  ])('is refused when it is %s', (_, before, movement, there) => {
    expect(happen(before, move('receipt', 0), movement)).toEqual({ code: 'movement.exceeds_stock', line: 2, there });
  });

  it('to its own node changes nothing, not even the state of damaged units', () => {
    const stay = decideMovements(
      [move('transfer', 5, { toNode: 1 })],
      suppliesOf(supplyOf(1, [row({ damaged: 5, safetyStock: 2 })])),
    );
    expect(stay).toEqual({
      ok: true,
      value: { supplies: new Map(), postings: [], postingsPerMovement: [0], late: [] },
    });
  });

  it('of transfer without a destination is a broken invariant', () => {
    expect(() => happen({}, move('transfer', 1))).toThrow(/destination/);
  });
});

const movement: fc.Arbitrary<StockMovement> = fc
  .record({
    type: fc.constantFrom<MovementType>(
      'sale',
      'receipt',
      'found',
      'damage',
      'adjustment',
      'transfer',
      'safety_stock',
      'scrap',
      'state',
    ),
    states: fc.constantFrom<Partial<StockMovement>>(
      {},
      { from: 'damaged' },
      { to: 'quality_control' },
      { from: 'quality_control', to: 'damaged' },
    ),
    sku: fc.constantFrom(1, 2),
    node: fc.constantFrom(1, 2, 3),
    toNode: fc.constantFrom(1, 2, 3),
    size: fc.integer({ min: 1, max: 6 }),
    negative: fc.boolean(),
  })
  .map(({ size, negative, states, ...rest }) => ({
    ...rest,
    ...(rest.type === 'state' ? { from: 'damaged' as const, ...states } : {}),
    ...(['sale', 'found', 'adjustment', 'transfer', 'scrap'].includes(rest.type) ? states : {}),
    quantity: negative && ['adjustment', 'safety_stock'].includes(rest.type) ? -size : size,
  }));
const movements = fc.array(movement, { maxLength: 15 });
const twoSkus = fc
  .tuple(validRow, validRow, validRow)
  .map(([a, b, c]) => suppliesOf(supplyOf(1, [a, { ...b, node: 2 }]), supplyOf(2, [{ ...c, node: 3 }])));

describe('laws of movements', () => {
  it('leave every row sound, explained by its postings, and all promises as they were', () => {
    fc.assert(
      fc.property(movements, twoSkus, (some, before) => {
        const decision = decideMovements(some, before);
        if (!decision.ok) return;
        const { supplies, postings } = decision.value;
        for (const [sku, { rows }] of supplies) {
          for (const after of rows) {
            const earlier = rowAt(before.get(sku)!, after.node);
            const own = postings.filter((posting) => posting.sku === sku && posting.at.node === after.node);
            expect(rowFault(after)).toBeNull();
            expect(applyTransfers(earlier, own)).toEqual(after);
            expect([after.committed, after.reserved]).toEqual([earlier.committed, earlier.reserved]);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  it('tell which posting belongs to which movement', () => {
    fc.assert(
      fc.property(movements, twoSkus, (some, before) => {
        const decision = decideMovements(some, before);
        if (!decision.ok) return;
        const { postings, postingsPerMovement } = decision.value;
        let next = 0;
        for (const [index, { sku, node, toNode }] of some.entries()) {
          const own = postings.slice(next, (next += postingsPerMovement[index]!));
          for (const posting of own)
            expect([posting.sku === sku, [node, toNode].includes(posting.at.node)]).toEqual([true, true]);
        }
        expect(next).toBe(postings.length);
      }),
    );
  });

  it('come to the same on hand − overdrawn in any order', () => {
    const physical = fc.array(
      movement.filter(
        ({ type, from }) => from === undefined && ['sale', 'receipt', 'found', 'adjustment', 'transfer'].includes(type),
      ),
      { maxLength: 12 },
    );
    const shuffled = physical.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length, maxLength: some.length })),
    );
    fc.assert(
      fc.property(shuffled, twoSkus, ([one, other], before) => {
        const book = (order: readonly StockMovement[]) => {
          const decision = decideMovements(order, before);
          if (!decision.ok) throw new Error('a physical movement was refused');
          return [1, 2].map((sku) =>
            [1, 2, 3].map((node) => net(rowAt(decision.value.supplies.get(sku) ?? before.get(sku)!, node))),
          );
        };
        expect(book(other)).toEqual(book(one));
      }),
      { numRuns: 300 },
    );
  });

  it('apply all or none, and are refused at the first line that cannot be', () => {
    fc.assert(
      fc.property(movements, twoSkus, (some, before) => {
        const copy = structuredClone([...before]);
        const decision = decideMovements(some, before);
        expect([...before]).toEqual(copy);
        if (decision.ok) return;
        const { rejection } = decision;
        if (rejection.code !== 'movement.exceeds_stock') throw new Error(rejection.code);
        expect(decideMovements(some.slice(0, rejection.line - 1), before).ok).toBe(true);
        expect(decideMovements(some.slice(0, rejection.line), before)).toEqual(decision);
      }),
    );
  });

  it('conserve units over a transfer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.nat(5), { minLength: 2, maxLength: 2 }),
        (quantity, stock) => {
          const decision = decideMovements(
            [move('transfer', quantity, { toNode: 2 })],
            suppliesOf(available(1, stock)),
          );
          if (!decision.ok) throw new Error('a transfer was refused');
          const sum = decision.value.supplies.get(1)!.rows.reduce((total, r) => total + net(r), 0);
          expect(sum).toBe(stock.reduce((total, there) => total + there, 0));
        },
      ),
    );
  });
});
