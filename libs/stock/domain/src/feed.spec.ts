import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideLeave } from './decide-verb.ts';
import { decideMovements } from './decide-movements.ts';
import { applyDifference, isLate, isShipmentCounted, resetDifference, rowKey } from './feed.ts';
import { newBacking } from './reservation.ts';
import { rowFault } from './supply-row.ts';
import { rowAt } from './supply.ts';
import { reservation, row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';
import { type Count, FeedWorld } from './testing/feed-world.ts';

const COUNTED_AT = 1_000;
const watermarks = new Map([[rowKey(1, 1), { capturedAt: COUNTED_AT, measure: 'physical' as const, source: 'erp' }]]);

describe('an event and the count of its row', () => {
  it.each([
    ['before', COUNTED_AT - 1, true],
    ['at the same instant', COUNTED_AT, true],
    ['after', COUNTED_AT + 1, false],
  ])('%s: late is %s', (_, occurredAt, late) => {
    expect(isLate({ capturedAt: COUNTED_AT, measure: 'physical', source: 'erp' }, occurredAt)).toBe(late);
    expect(isLate(undefined, occurredAt)).toBe(false);
  });

  it.each([
    ['sale', 2, {}],
    ['receipt', 2, {}],
    ['found', 2, {}],
    ['adjustment', -2, {}],
    ['damage', 2, { available: 3, damaged: 2 }],
    ['safety_stock', 2, { available: 3, safetyStock: 2 }],
  ] as const)('a late %s moves states, never the book', (type, quantity, change) => {
    const before = suppliesOf(supplyOf(1, [row({ available: 5 })]));
    const movement = { type, sku: 1, node: 1, toNode: null, quantity };
    const decision = decideMovements([movement], before, { occurredAt: COUNTED_AT, watermarks });
    const after = decision.ok ? (decision.value.supplies.get(1) ?? before.get(1)!) : null;
    expect(after && rowAt(after, 1)).toEqual(row({ available: 5, ...change }));
  });

  it.each([
    ['sale', 2, [-2]],
    ['receipt', 2, [2]],
    ['adjustment', -2, [-2]],
    ['damage', 2, []],
    ['safety_stock', 2, []],
  ] as const)('a late %s of %d says which units the count had seen: %j', (type, quantity, told) => {
    const before = suppliesOf(supplyOf(1, [row({ available: 5 })]));
    const movement = { type, sku: 1, node: 1, toNode: null, quantity };
    const decision = decideMovements([movement], before, { occurredAt: COUNTED_AT, watermarks });
    const late = decision.ok ? decision.value.late : [];
    const count = { capturedAt: COUNTED_AT, measure: 'physical', source: 'erp' };
    expect(late).toEqual(told.map((units) => ({ index: 0, sku: 1, node: 1, quantity: units, count })));
  });

  it('each leg of a transfer is judged by its own node', () => {
    const before = suppliesOf(supplyOf(1, [row({ available: 5 })]));
    const movement = { type: 'transfer', sku: 1, node: 1, toNode: 2, quantity: 2 } as const;
    const decision = decideMovements([movement], before, { occurredAt: COUNTED_AT, watermarks });
    const after = decision.ok ? decision.value.supplies.get(1)! : null;
    expect(after && [rowAt(after, 1).available, rowAt(after, 2).available]).toEqual([5, 2]);
  });

  it('a shipment that the count has seen ends the promise, heals what is short, and takes nothing', () => {
    const before = suppliesOf(supplyOf(1, [row({ committed: 5, shortfall: 2 })]));
    const mine = reservation({ backings: [newBacking(1, 1, { confirmed: 3 })] });
    const decision = decideLeave('fulfil', mine, before, null, () => true);
    expect(decision.ok && rowAt(decision.value.effect.supplies.get(1)!, 1)).toEqual(
      row({ committed: 2, available: 1 }),
    );
    expect(decision.ok && decision.value.reservation.backings[0]!.fulfilled).toBe(3);
  });

  it.each([
    ['physical', null, true],
    ['physical', COUNTED_AT, true],
    ['availability', null, true],
    ['availability', COUNTED_AT + 1, true],
    ['availability', COUNTED_AT, false],
  ] as const)('a %s count has a shipment of units acknowledged at %s: %s', (measure, acknowledgedAt, counted) => {
    expect(isShipmentCounted({ capturedAt: COUNTED_AT, measure, source: 'erp' }, COUNTED_AT, acknowledgedAt)).toBe(
      counted,
    );
    expect(isShipmentCounted({ capturedAt: COUNTED_AT, measure, source: 'erp' }, COUNTED_AT + 1, acknowledgedAt)).toBe(
      false,
    );
  });
});

describe('a difference', () => {
  const since = fc.record({ physicalDelta: fc.integer({ min: -9, max: 9 }), acknowledged: fc.nat(9) });

  it('leaves a sound row that says what was counted and what happened since', () => {
    fc.assert(
      fc.property(
        validRow,
        fc.nat(30),
        fc.constantFrom('physical', 'availability'),
        since,
        (before, counted, measure, then) => {
          const difference = resetDifference(before, counted, measure, then);
          fc.pre(difference !== 0);
          const { row: after } = applyDifference(before, difference);
          expect(rowFault(after)).toBeNull();
          // Told and applied again, it changes nothing.
          if (measure === 'physical') expect(resetDifference(after, counted, measure, then)).toBe(0);
          expect([after.committed, after.reserved]).toEqual([before.committed, before.reserved]);
        },
      ),
    );
  });
});

/** What the model knows: everything that was told, by the time at which it happened. */
interface Told {
  readonly node: number;
  readonly at: number;
  readonly units: number;
}
interface Promise_ {
  readonly node: number;
  readonly units: number;
  acknowledgedAt: number;
  shippedAt: number | null;
  cancelledAt: number | null;
}

/** Independent of the order in which things are told: the newest count, and what happened after it. */
class FeedModel {
  readonly events = new Map<string, Told>();
  readonly promises = new Map<number, Promise_>();
  readonly counts = new Map<number, Count>();

  net(node: number): number {
    const count = this.counts.get(node);
    const at = count?.capturedAt ?? -Infinity;
    const sum = (units: readonly number[]): number => units.reduce((total, one) => total + one, 0);
    const here = [...this.promises.values()].filter((promise) => promise.node === node);
    const deducted = here.filter(({ acknowledgedAt }) => count?.measure === 'availability' && acknowledgedAt <= at);
    const others = here.filter((promise) => !deducted.includes(promise));
    const events = [...this.events.values()].filter((event) => event.node === node && event.at > at);
    return (
      (count?.counted ?? 0) +
      sum(events.map(({ units }) => units)) -
      sum(others.filter(({ shippedAt }) => (shippedAt ?? -Infinity) > at).map(({ units }) => units)) +
      sum(
        deducted
          .filter(({ shippedAt, cancelledAt }) => shippedAt === null && (cancelledAt === null || cancelledAt > at))
          .map(({ units }) => units),
      )
    );
  }

  open(node: number): number {
    const open = [...this.promises.values()].filter(
      (promise) => promise.node === node && promise.shippedAt === null && promise.cancelledAt === null,
    );
    return open.reduce((sum, { units }) => sum + units, 0);
  }

  expectedRow(node: number) {
    const [net, promised] = [this.net(node), this.open(node)];
    return row({
      node,
      available: Math.max(0, net - promised),
      committed: promised,
      shortfall: Math.min(promised, Math.max(0, promised - net)),
      overdrawn: Math.max(0, -net),
    });
  }
}

const node = fc.constantFrom(1, 1, 1, 2);
/** Steps by which something is told late. Picked from a list: of a range, small numbers would come far too often. */
const lag = fc.constantFrom(0, 1, 2, 3, 4, 5, 6);
const anyStep = [
  fc.record({ kind: fc.constant('event' as const), node, units: fc.constantFrom(-6, -1, 2, 5, 9, 14), lag }),
  fc.record({ kind: fc.constant('again' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('promise' as const), node, units: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('ship' as const), which: fc.nat(20), lag }),
  fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }),
  fc.record({
    kind: fc.constant('count' as const),
    node,
    counted: fc.constantFrom(0, 3, 6, 12, 18, 30),
    lag,
    source: fc.constantFrom('a', 'b'),
    measure: fc.constantFrom('physical' as const, 'availability' as const),
  }),
] as const;
const [event, again, promise, acknowledge, ship, cancel, count] = anyStep;
/** Promises are what everything else happens to, so there are many. */
const step = fc.oneof(event, again, promise, promise, promise, acknowledge, acknowledge, ship, ship, cancel, count);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class History {
  readonly world = new FeedWorld();
  readonly model = new FeedModel();
  readonly #told: { readonly id: string; readonly event: Told }[] = [];

  take(one: Step, index: number): void {
    const now = (index + 1) * 1_000;
    switch (one.kind) {
      case 'event':
        return this.#event({ id: `e${index}`, event: { node: one.node, at: now - one.lag * 1_000, units: one.units } });
      case 'again': {
        const earlier = this.#told[one.which % Math.max(1, this.#told.length)];
        return earlier && this.#event(earlier);
      }
      case 'promise':
        return this.#promise(index, one.node, one.units, now);
      case 'count':
        return this.#count({ ...one, capturedAt: now - one.lag * 1_000 - 500 + index });
      case 'acknowledge':
      case 'ship':
      case 'cancel':
        return this.#change(one, now);
    }
  }

  #event(told: { readonly id: string; readonly event: Told }): void {
    const { id, event } = told;
    this.#told.push(told);
    this.world.event(id, event.units > 0 ? 'receipt' : 'sale', event.node, Math.abs(event.units), event.at);
    this.model.events.set(id, event);
  }

  #promise(key: number, at: number, units: number, now: number): void {
    const expected = this.model.net(at) - this.model.open(at) >= units;
    expect(this.world.promise(key, at, units, now)).toBe(expected);
    if (!expected) return;
    this.model.promises.set(key, { node: at, units, acknowledgedAt: Infinity, shippedAt: null, cancelledAt: null });
  }

  #count(count: Count): void {
    const newest = this.model.counts.get(count.node)?.capturedAt ?? -Infinity;
    expect(this.world.count(count)).toBe(count.capturedAt >= newest);
    if (count.capturedAt >= newest) this.model.counts.set(count.node, count);
  }

  #change(one: Extract<Step, { kind: 'acknowledge' | 'ship' | 'cancel' }>, now: number): void {
    const open = [...this.model.promises].filter(
      ([, { shippedAt, cancelledAt }]) => shippedAt === null && cancelledAt === null,
    );
    const [key, promise] = open[one.which % Math.max(1, open.length)] ?? [];
    if (key === undefined || !promise) return;
    if (one.kind === 'acknowledge') {
      if (promise.acknowledgedAt !== Infinity) return;
      promise.acknowledgedAt = now;
      return this.world.acknowledge(key, now);
    }
    if (one.kind === 'cancel') {
      promise.cancelledAt = now;
      return this.world.end(key, 'cancel', now);
    }
    // A node cannot have shipped units before it knew of them.
    const earliest = promise.acknowledgedAt === Infinity ? 0 : promise.acknowledgedAt;
    promise.shippedAt = Math.max(earliest, now - one.lag * 1_000);
    return this.world.end(key, 'fulfil', promise.shippedAt);
  }
}

describe('histories of counts, events and promises', () => {
  it('come to what an independent model says, whatever is told late, twice or out of order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const history = new History();
        for (const [index, one] of steps.entries()) {
          history.take(one, index);
          for (const at of [1, 2]) expect(history.world.row(at)).toEqual(history.model.expectedRow(at));
        }
      }),
      { numRuns: 300 },
    );
  });
});
