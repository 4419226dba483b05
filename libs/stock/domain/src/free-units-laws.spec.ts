/** What must be so whatever comes free and whoever waits, as properties of many worlds. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mayBack } from './decide-allocate.ts';
import { type FreedUnits, type Freeing, type Waiting, freeUnits, inWaitOrder, offerAvailable } from './free-units.ts';
import { isOverdue } from './inbound.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import { type SkuSupply, type Supplies, rowAt, rowOf, suppliesAfter } from './supply.ts';
import { NOW } from './testing/arbitraries.ts';
import { expectLawful, openOf, tallied } from './testing/reserved.ts';
import { TWO_CHANNELS, type WaitingWorld, standsOn, waitingWorld } from './testing/waiting.ts';

const TERMS = { rules: TWO_CHANNELS, now: NOW };
const afterwards = (before: readonly Reservation[], { effects }: Pick<Freeing, 'effects'>): readonly Reservation[] =>
  before.map((one) => effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one);
const supplyIn = (supplies: Supplies): SkuSupply => supplies.get(1)!;

/** Written without the offer: whether a node may serve open units of a backing, as things stand. */
function couldServe(reservation: Reservation, backing: Backing, node: number, book: SkuSupply): boolean {
  const { kind, detail, fulfilment } = backing;
  const channel = TWO_CHANNELS.channels.get(reservation.channel);
  const own = reservation.lines[backing.line];
  if (open(backing) === 0 || fulfilment !== null || !channel || !own) return false;
  if (!mayBack(own, channel, { node }, new Map([[1, book]]), { ...TERMS, override: null })) return false;
  if (kind === 'allowance') return backing.node === 0 || backing.node === node;
  if (kind !== 'incoming') return false;
  const inbound = book.inbound.find((some) => some.detail === detail);
  return (
    backing.node === node || isOverdue(inbound!, NOW) || rowOf(book, { kind, node: backing.node, detail }).shortfall > 0
  );
}

const offered = (supplies: Supplies): readonly FreedUnits[] =>
  [1, 2, 3].map((node) => ({ node, units: rowAt(supplyIn(supplies), node).available }));

describe('what is for sale already', () => {
  it('is never off sale but for those whom it serves, and serves everybody of the page whom it could', () => {
    fc.assert(
      fc.property(waitingWorld, ({ reservations, supplies }) => {
        const before = supplyIn(supplies);
        const freeing = offerAvailable(1, reservations, supplies, TERMS);
        const after = afterwards(reservations, freeing);
        expectLawful(supplies, freeing.effect, after);
        const book = supplyIn(suppliesAfter(supplies, freeing.effect));
        for (const { node, available, unapplied } of book.rows) {
          const converted = freeing.nodes.find((some) => some.node === node)?.converted ?? 0;
          expect([available, unapplied]).toEqual([
            rowAt(before, node).available - converted,
            rowAt(before, node).unapplied,
          ]);
          if (available === 0 || unapplied > 0) continue;
          for (const some of after)
            for (const backing of some.backings) expect(couldServe(some, backing, node, book)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('laws of freeing', () => {
  const run = ({ reservations, supplies }: WaitingWorld, over: Partial<Waiting> = {}, freed = offered(supplies)) => {
    const freeing = freeUnits(
      1,
      freed,
      { candidates: reservations, hasMore: false, budget: 100, ...over },
      supplies,
      TERMS,
    );
    return {
      freeing,
      after: afterwards(reservations, freeing),
      book: supplyIn(suppliesAfter(supplies, freeing.effect)),
    };
  };

  it('nothing physical changes, every promise keeps its units, and rows are what stands on them', () => {
    fc.assert(
      fc.property(waitingWorld, fc.boolean(), fc.nat(4), (world, hasMore, budget) => {
        const { freeing, after } = run(world, { hasMore, budget });
        expectLawful(world.supplies, freeing.effect, after);
        for (const [place, { lines, backings }] of after.entries())
          for (const { no } of lines) {
            const before = world.reservations[place]!.backings;
            expect(openOf(backings, no)).toEqual(openOf(before, no));
            expect(tallied(backings, no)).toBe(tallied(before, no));
          }
      }),
      { numRuns: 300 },
    );
  });

  it('nobody whom a node could serve waits beside an available unit of it', () => {
    fc.assert(
      fc.property(waitingWorld, (world) => {
        const { after, book } = run(world);
        for (const { node, available, unapplied } of book.rows) {
          expect(unapplied).toBe(0);
          if (available === 0) continue;
          const waits = after.flatMap((some) =>
            some.backings.filter((backing) => couldServe(some, backing, node, book)),
          );
          expect(waits).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('no shopper gets a freed unit while others may wait', () => {
    fc.assert(
      fc.property(waitingWorld, fc.nat(3), fc.nat(3), (world, units, budget) => {
        const freed = [1, 2, 3].map((node) => ({ node, units }));
        const { book, freeing } = run(world, { hasMore: true, budget }, freed);
        for (const { node, available } of supplyIn(world.supplies).rows)
          expect(rowAt(book, node).available).toBe(available - Math.min(units, available));
        expect(freeing.effects.flatMap(({ changes }) => changes).length).toBeLessThanOrEqual(budget);
      }),
      { numRuns: 300 },
    );
  });

  it('whoever waits on is outranked by all who were served at a node that could have served it', () => {
    fc.assert(
      fc.property(waitingWorld, (world) => {
        const sound = supplyIn(world.supplies).future.every(({ shortfall }) => shortfall === 0);
        fc.pre(sound);
        const { after, book, freeing } = run(world, {}, offered(world.supplies).slice(0, 1));
        const served = freeing.effects.map(({ reservation }) => reservation);
        const waiting = after.filter((some) => some.backings.some((backing) => couldServe(some, backing, 1, book)));
        for (const some of waiting) for (const other of served) expect(inWaitOrder(other, some)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });

  it('slice after slice comes to what one would have done', () => {
    fc.assert(
      fc.property(waitingWorld, fc.integer({ min: 1, max: 2 }), (world, budget) => {
        fc.pre(supplyIn(world.supplies).future.every(({ shortfall }) => shortfall === 0));
        const [first] = offered(world.supplies);
        const whole = run(world, {}, [first!]);
        let { supplies, reservations } = world;
        let freed: readonly FreedUnits[] = [first!];
        for (let slice = 0; slice < 20; slice++) {
          const { freeing, after } = run({ supplies, reservations }, { budget }, freed);
          supplies = suppliesAfter(supplies, freeing.effect);
          reservations = after;
          freed = [{ node: 1, units: 0 }];
          if (rowAt(supplyIn(supplies), 1).unapplied === 0) break;
        }
        expect(rowAt(supplyIn(supplies), 1)).toEqual(rowAt(whole.book, 1));
        expect(reservations.map(standsOn)).toEqual(whole.after.map(standsOn));
      }),
      { numRuns: 300 },
    );
  });
});
