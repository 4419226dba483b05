import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideLeave } from './decide-verb.ts';
import { decideMovements } from './decide-movements.ts';
import {
  type Measure,
  type Watermark,
  applyDifference,
  countedAsShipped,
  isLate,
  newerCount,
  resetDifference,
  rowKey,
} from './feed.ts';
import { STAGES, type Stage } from './reservation.ts';
import { type SupplyRow, rowFault } from './supply-row.ts';
import { rowAt } from './supply.ts';
import { backingsOf, reservation, row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';
import { type Count, FeedWorld } from './testing/feed-world.ts';

const COUNTED_AT = 1_000;
const countBy = (deductsAt: Stage | null): Watermark => ({ capturedAt: COUNTED_AT, deductsAt, source: 'erp' });
const watermarks = new Map([[rowKey(1, 1), countBy(null)]]);

describe('of two counts of a row', () => {
  it.each<[string, Partial<Watermark>, Partial<Watermark>]>([
    ['the later one', { capturedAt: COUNTED_AT + 1, deductsAt: 'accepted' }, {}],
    ['of one moment the one that leaves out nothing', {}, { deductsAt: 'shipped' }],
    ['of one moment the one that leaves out less', { deductsAt: 'picked' }, { deductsAt: 'accepted' }],
  ])('%s is the newest', (_, newest, other) => {
    const [one, another] = [
      { ...countBy(null), ...newest },
      { ...countBy(null), ...other },
    ];
    expect(newerCount(one, another)).toBe(one);
    expect(newerCount(another, one)).toBe(one);
  });
});

describe('an event and the count of its row', () => {
  it.each([
    ['before', COUNTED_AT - 1, true],
    ['at the same instant', COUNTED_AT, true],
    ['after', COUNTED_AT + 1, false],
  ])('%s: late is %s', (_, occurredAt, late) => {
    expect(isLate(countBy(null), occurredAt)).toBe(late);
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
    const count = countBy(null);
    expect(late).toEqual(told.map((units) => ({ index: 0, sku: 1, node: 1, state: null, quantity: units, count })));
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
    const mine = reservation({ backings: backingsOf({ confirmed: 3 }) });
    const decision = decideLeave('fulfil', mine, before, null, (_, quantity) => quantity);
    expect(decision.ok && rowAt(decision.value.effect.supplies.get(1)!, 1)).toEqual(
      row({ committed: 2, available: 1 }),
    );
    expect(decision.ok && decision.value.reservation.backings[0]!.fulfilled).toBe(3);
  });

  it('of a shipment that the count has seen in part, the book gives what the count had not', () => {
    const before = suppliesOf(supplyOf(1, [row({ committed: 5 })]));
    const mine = reservation({ backings: backingsOf({ confirmed: 5, fulfilment: 'f1', accepted: 2 }) });
    const decision = decideLeave('fulfil', mine, before, [{ quantity: 3 }], (backing, quantity) =>
      countedAsShipped(backing, quantity, countBy('accepted'), COUNTED_AT),
    );
    expect(decision.ok && rowAt(decision.value.effect.supplies.get(1)!, 1)).toEqual(
      row({ committed: 2, available: 1 }),
    );
    const out = decision.ok ? decision.value.effect.postings.filter(({ to }) => to === 'external') : [];
    expect(out.map(({ quantity }) => quantity)).toEqual([2]);
  });

  const [worked] = backingsOf({ confirmed: 6, fulfilment: 'f1', accepted: 4, picked: 3, shipped: 1 });
  it.each<[string, Stage | null, number, number]>([
    ['a physical count', null, 5, 5],
    ['a count without what was accepted', 'accepted', 5, 1],
    ['a count without what was picked', 'picked', 5, 2],
    ['a count without what was shipped', 'shipped', 5, 4],
    ['a count without what was accepted', 'accepted', 4, 0],
    ['a count without what was shipped', 'shipped', 1, 0],
  ])('%s (%s) has seen of a late shipment of %d units the leaving of %d', (_, deductsAt, quantity, seen) => {
    expect(countedAsShipped(worked!, quantity, countBy(deductsAt), COUNTED_AT)).toBe(seen);
    expect(countedAsShipped(worked!, quantity, countBy(deductsAt), COUNTED_AT + 1)).toBe(0);
    expect(countedAsShipped(worked!, quantity, undefined, COUNTED_AT)).toBe(0);
  });
});

describe('a difference', () => {
  const since = fc.record({
    physicalDelta: fc.integer({ min: -9, max: 9 }),
    acknowledged: fc.nat(9),
    sidelined: fc.integer({ min: -9, max: 9 }),
  });

  it('leaves a sound row that says what was counted and what happened since', () => {
    fc.assert(
      fc.property(
        validRow,
        fc.nat(30),
        fc.constantFrom<Measure>('physical', 'availability'),
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

  it('has units that wait in the book already: a count that saw them changes nothing', () => {
    const since = { physicalDelta: 0, acknowledged: 0, sidelined: 0 };
    expect(resetDifference(row({ available: 2, unapplied: 8 }), 10, 'physical', since)).toBe(0);
  });
});

describe('a count of availability, told after units were sidelined', () => {
  const CAPTURED_AT = 10;
  it.each<[string, (world: FeedWorld) => void, Partial<SupplyRow>]>([
    ['damaged before it', (world) => world.event('d', 'damage', 1, 2, 5), { available: 6, damaged: 2 }],
    ['damaged since', (world) => world.event('d', 'damage', 1, 2, 15), { available: 4, damaged: 2 }],
    [
      'damaged before it and scrapped since',
      (world) => (world.event('d', 'damage', 1, 2, 5), world.event('s', 'scrap', 1, 2, 15)),
      { available: 6, damaged: 0 },
    ],
    [
      'damaged since and scrapped since',
      (world) => (world.event('d', 'damage', 1, 2, 15), world.event('s', 'scrap', 1, 2, 16)),
      { available: 4, damaged: 0 },
    ],
  ])('has left out what was so at its capture: %s', (_, happen, expected) => {
    const world = new FeedWorld();
    world.event('r', 'receipt', 1, 10, 0);
    happen(world);
    expect(world.count({ node: 1, source: 'erp', deductsAt: 'accepted', capturedAt: CAPTURED_AT, counted: 6 })).toBe(
      true,
    );
    expect(world.row(1)).toMatchObject(expected);
  });
});

/** What the model knows: everything that was told, by the time at which it happened. */
interface Told {
  readonly node: number;
  readonly at: number;
  readonly units: number;
}
/** One unit of a promise: what nobody can tell apart in the book is told apart here. */
interface Unit {
  /** When it passed each stage. */
  readonly passedAt: Record<Stage, number>;
  shippedAt: number | null;
  cancelledAt: number | null;
}
interface Promise_ {
  readonly node: number;
  readonly units: readonly Unit[];
}
const isOpen = ({ shippedAt, cancelledAt }: Unit): boolean => shippedAt === null && cancelledAt === null;
const stagesOf = ({ passedAt }: Unit): number => STAGES.filter((stage) => passedAt[stage] < Infinity).length;
/** Of units that have come equally far, those that have longest. */
const mostAdvanced = (a: Unit, b: Unit): number =>
  stagesOf(b) - stagesOf(a) || Math.max(...timesOf(a)) - Math.max(...timesOf(b));
const timesOf = ({ passedAt }: Unit): readonly number[] => [
  0,
  ...Object.values(passedAt).filter((at) => at < Infinity),
];

/** Independent of the order in which things are told: the newest count, and what happened after it. */
class FeedModel {
  readonly events = new Map<string, Told>();
  readonly promises = new Map<number, Promise_>();
  readonly counts = new Map<number, Count>();

  net(node: number): number {
    const count = this.counts.get(node);
    const at = count?.capturedAt ?? -Infinity;
    const deductsAt = count?.deductsAt ?? null;
    const units = this.#unitsAt(node);
    const deducted = units.filter(({ passedAt }) => deductsAt !== null && passedAt[deductsAt] <= at);
    const others = units.filter((unit) => !deducted.includes(unit));
    const events = [...this.events.values()].filter((event) => event.node === node && event.at > at);
    return (
      (count?.counted ?? 0) +
      events.reduce((total, event) => total + event.units, 0) -
      others.filter(({ shippedAt }) => (shippedAt ?? -Infinity) > at).length +
      deducted.filter(({ shippedAt, cancelledAt }) => shippedAt === null && (cancelledAt ?? Infinity) > at).length
    );
  }

  open(node: number): number {
    return this.#unitsAt(node).filter(isOpen).length;
  }

  #unitsAt(node: number): readonly Unit[] {
    return [...this.promises.values()].filter((promise) => promise.node === node).flatMap(({ units }) => units);
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
const which = fc.nat(20);
const stage = fc.constantFrom(...STAGES);
const few = fc.integer({ min: 1, max: 4 });
const anyStep = [
  fc.record({ kind: fc.constant('event' as const), node, units: fc.constantFrom(-6, -1, 2, 5, 9, 14), lag }),
  fc.record({ kind: fc.constant('again' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('promise' as const), node, units: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('acknowledge' as const), which, stage, quantity: few }),
  fc.record({ kind: fc.constant('ship' as const), which, quantity: few, lag }),
  fc.record({ kind: fc.constant('cancel' as const), which, quantity: few }),
  fc.record({
    kind: fc.constant('count' as const),
    node,
    counted: fc.constantFrom(0, 3, 6, 12, 18, 30),
    lag,
    source: fc.constantFrom('a', 'b'),
    deductsAt: fc.oneof(fc.constant(null), stage),
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
    const fresh = (): Unit => ({
      passedAt: { accepted: Infinity, picked: Infinity, shipped: Infinity },
      shippedAt: null,
      cancelledAt: null,
    });
    this.model.promises.set(key, { node: at, units: Array.from({ length: units }, fresh) });
  }

  #count(count: Count): void {
    const newest = this.model.counts.get(count.node)?.capturedAt ?? -Infinity;
    expect(this.world.count(count)).toBe(count.capturedAt >= newest);
    if (count.capturedAt >= newest) this.model.counts.set(count.node, count);
  }

  #change(one: Extract<Step, { kind: 'acknowledge' | 'ship' | 'cancel' }>, now: number): void {
    const open = [...this.model.promises].filter(([, { units }]) => units.some(isOpen));
    const [key, promise] = open[one.which % Math.max(1, open.length)] ?? [];
    if (key === undefined || !promise) return;
    const units = promise.units.filter(isOpen).toSorted(mostAdvanced);
    if (one.kind === 'acknowledge') return this.#acknowledge(key, units, one, now);
    const taken = one.kind === 'ship' ? units.slice(0, one.quantity) : units.slice(-one.quantity);
    if (one.kind === 'cancel') {
      for (const unit of taken) unit.cancelledAt = now;
      return this.world.end(key, 'cancel', taken.length, now);
    }
    // A node cannot have shipped units before it had come so far with them.
    const shippedAt = Math.max(now - one.lag * 1_000, ...taken.flatMap(timesOf));
    for (const unit of taken) unit.shippedAt = shippedAt;
    return this.world.end(key, 'fulfil', taken.length, shippedAt);
  }

  #acknowledge(
    key: number,
    open: readonly Unit[],
    { stage: reached, quantity }: { readonly stage: Stage; readonly quantity: number },
    now: number,
  ): void {
    const taken = open.filter(({ passedAt }) => passedAt[reached] === Infinity).slice(0, quantity);
    for (const { passedAt } of taken)
      for (const stage of STAGES.slice(0, STAGES.indexOf(reached) + 1))
        passedAt[stage] = Math.min(passedAt[stage], now);
    this.world.acknowledge(key, reached, taken.length, now);
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
      { numRuns: 500 },
    );
  });
});
