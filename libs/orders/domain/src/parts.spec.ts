import { describe, expect, it } from '@jest/globals';
import { type Amounts, NO_AMOUNTS, add } from '@onepool/money';
import fc from 'fast-check';
import { BUCKETS, type Bucket, isOfFulfilment, mayMove } from './bucket.ts';
import { type Part, type Place, type UnitMove, type UnitMovement, moveAll, moveUnits } from './parts.ts';

const place = (bucket: Bucket, fulfilment: number): Place => ({
  bucket,
  fulfilment: isOfFulfilment(bucket) ? fulfilment : null,
});
const places = fc.record({ bucket: fc.constantFrom(...BUCKETS), fulfilment: fc.constantFrom(1, 2) });
const amounts = fc.record({
  net: fc.nat(100_000),
  discount: fc.nat(1_000),
  taxes: fc.array(fc.nat(10_000), { minLength: 2, maxLength: 2 }),
});
const captured = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 12 }), amounts }), {
  minLength: 1,
  maxLength: 3,
});
const wishes = fc.array(
  fc.record({ line: fc.nat(2), from: places, to: places, quantity: fc.integer({ min: 1, max: 6 }) }),
  { maxLength: 60 },
);

const partsOf = (lines: readonly { readonly quantity: number; readonly amounts: Amounts }[]): readonly Part[] =>
  lines.map((line, place) => ({ line: place, component: 0, bucket: 'unallocated', fulfilment: null, ...line }));
const moveOf = ({
  line,
  from,
  to,
  quantity,
}: {
  line: number;
  from: Place;
  to: Place;
  quantity: number;
}): UnitMove => ({
  ...{ line, component: 0, quantity },
  from: place(from.bucket, from.fulfilment ?? 1),
  to: place(to.bucket, to.fulfilment ?? 1),
});
const name = ({ line, bucket, fulfilment }: Pick<Part, 'line' | 'bucket' | 'fulfilment'>): string =>
  `${line} ${bucket} ${fulfilment}`;

/** Plays wishes as far as they are possible. */
function play(parts: readonly Part[], moves: readonly UnitMove[]): { parts: readonly Part[]; made: UnitMovement[] } {
  const made: UnitMovement[] = [];
  let now = parts;
  for (const move of moves) {
    const moved = moveUnits(now, move);
    if (!moved.ok) continue;
    now = moved.value.parts;
    made.push(moved.value.movement);
  }
  return { parts: now, made };
}
/** Wishes that mostly can be granted: from where units are, to where one may go. */
const way = (parts: readonly Part[], picks: readonly number[]): readonly UnitMove[] => {
  const moves: UnitMove[] = [];
  let now = parts;
  for (const pick of picks) {
    const part = now[pick % now.length];
    if (!part) break;
    const to = BUCKETS.filter((bucket) => mayMove(part.bucket, bucket))[pick % 5];
    if (!to) continue;
    const { line, component, bucket, fulfilment } = part;
    const other = part.bucket === to && fulfilment === 1 ? 2 : (fulfilment ?? 1 + (pick % 2));
    const quantity = 1 + (pick % part.quantity);
    const move = { line, component, from: { bucket, fulfilment }, to: place(to, other), quantity };
    const moved = moveUnits(now, move);
    if (!moved.ok) continue;
    now = moved.value.parts;
    moves.push(move);
  }
  return moves;
};
const ways = fc.array(fc.nat(1_000_000), { maxLength: 60 });

describe('units of an order', () => {
  it('are as many as were ordered, and cost what they cost, wherever they go', () => {
    fc.assert(
      fc.property(captured, ways, wishes, (lines, picks, wanted) => {
        const begun = partsOf(lines);
        const { parts } = play(begun, [...way(begun, picks), ...wanted.map(moveOf)]);
        for (const [line, { quantity, amounts: whole }] of lines.entries()) {
          const ofLine = parts.filter((part) => part.line === line);
          expect(ofLine.reduce((sum, part) => sum + part.quantity, 0)).toBe(quantity);
          expect(ofLine.map((part) => part.amounts).reduce(add, NO_AMOUNTS)).toEqual(whole);
        }
        expect(
          parts.every((part) => part.quantity > 0 && isOfFulfilment(part.bucket) === (part.fulfilment !== null)),
        ).toBe(true);
        expect(new Set(parts.map(name)).size).toBe(parts.length);
      }),
      { numRuns: 300 },
    );
  });

  it('are where their movements say, with the amounts that these say', () => {
    fc.assert(
      fc.property(captured, ways, (lines, picks) => {
        const begun = partsOf(lines);
        const { parts, made } = play(begun, way(begun, picks));
        const sums = new Map<string, { quantity: number; net: number }>();
        const change = (at: string, quantity: number, net: number): void => {
          const sum = sums.get(at) ?? { quantity: 0, net: 0 };
          sums.set(at, { quantity: sum.quantity + quantity, net: sum.net + net });
        };
        for (const part of begun) change(name(part), part.quantity, part.amounts.net);
        for (const { line, from, to, quantity, amounts: taken } of made) {
          change(name({ line, ...from }), -quantity, -taken.net);
          change(name({ line, ...to }), quantity, taken.net);
        }
        const now = [...sums].filter(([, { quantity }]) => quantity !== 0);
        expect(new Map(now)).toEqual(
          new Map(parts.map((part) => [name(part), { quantity: part.quantity, net: part.amounts.net }])),
        );
        for (const [, { quantity, net }] of sums) if (quantity === 0) expect(net).toBe(0);
      }),
    );
  });

  it('do not move at all if one of several moves is not possible', () => {
    const parts = partsOf([{ quantity: 2, amounts: { net: 200, discount: 0, taxes: [] } }]);
    const [from, to] = [place('unallocated', 1), place('allocated', 1)];
    const one = { line: 0, component: 0, from, to, quantity: 2 };
    expect(moveAll(parts, [one, one])).toEqual({
      ok: false,
      rejection: { code: 'units.missing', move: one, there: 0 },
    });
    expect(moveAll(parts, [one])).toMatchObject({ ok: true, value: { movements: [{ quantity: 2 }] } });
  });

  it('move as many as are named (solidus#6320, spree#10541)', () => {
    const parts = partsOf([{ quantity: 5, amounts: { net: 500, discount: 0, taxes: [] } }]);
    const move = {
      ...{ line: 0, component: 0, quantity: 2 },
      ...{ from: place('unallocated', 1), to: place('backordered', 1) },
    };
    expect(moveUnits(parts, move)).toMatchObject({
      ok: true,
      value: {
        parts: [
          { bucket: 'unallocated', quantity: 3, amounts: { net: 300 } },
          { bucket: 'backordered', quantity: 2, amounts: { net: 200 } },
        ],
      },
    });
  });

  it.each([
    ['to another fulfilment before its node knows of them', 'allocated', 1, 'allocated', 2, true],
    ['to the fulfilment that they are in', 'allocated', 1, 'allocated', 1, false],
    ['to another fulfilment once they are at a node', 'at_node', 1, 'picked', 2, false],
    ['out of what was cancelled', 'cancelled', 1, 'unallocated', 1, false],
    ['from the shopper to the pool', 'picked_up', 1, 'unallocated', 1, false],
    ['back to packed when a shipment is undone', 'shipped', 1, 'packed', 1, true],
  ] as const)('go %s: %s %d → %s %d is %s', (_, from, at, to, next, isPossible) => {
    const source = place(from, at);
    const part: Part = { line: 0, component: 0, ...source, quantity: 1, amounts: NO_AMOUNTS };
    const move = { line: 0, component: 0, from: source, to: place(to, next), quantity: 1 };
    expect(moveUnits([part], move).ok).toBe(isPossible);
  });

  it.each([0, -1, 0.5, Number.NaN])('are never moved by %d', (quantity) => {
    const parts = partsOf([{ quantity: 2, amounts: NO_AMOUNTS }]);
    const move = { line: 0, component: 0, from: place('unallocated', 1), to: place('cancelled', 1), quantity };
    expect(moveUnits(parts, move)).toMatchObject({ ok: false, rejection: { code: 'units.illegal_move' } });
  });
});
