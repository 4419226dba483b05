import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_STATES } from './counted-states.ts';
import { mayBack } from './decide-allocate.ts';
import { type Receipt, decideReceive } from './decide-receive.ts';
import { decideShip } from './decide-ship.ts';
import type { Waiting } from './free-units.ts';
import { inTransit, onTheWay } from './inbound.ts';
import { type Reservation, open } from './reservation.ts';
import { shortPromisesOf } from './short-promises.ts';
import { type SkuSupply, type Supplies, rowAt, rowOf, suppliesAfter } from './supply.ts';
import { COUNTED_STATES } from './stock-states.ts';
import type { SupplyRow } from './supply-row.ts';
import { NOW, incoming, row } from './testing/arbitraries.ts';
import { backing, expectLawful, openOf, reserved } from './testing/reserved.ts';
import {
  type TestBook,
  TWO_CHANNELS,
  bookWith,
  line,
  onAllowance,
  onLine,
  standsOn,
  waitingWorld,
} from './testing/waiting.ts';

const TERMS = { rules: TWO_CHANNELS, now: NOW };
const BY_STATE = new Set(COUNTED_STATES);
const receipt = (over: Partial<Receipt> = {}): Receipt => ({
  sku: 1,
  node: 1,
  line: 1,
  units: 5,
  damaged: null,
  to: 'available',
  closes: false,
  isLate: false,
  counted: NO_STATES,
  ...over,
});

function receiveIn(
  supplies: Supplies,
  reservations: readonly Reservation[],
  over: Partial<Receipt>,
  waiting: Partial<Waiting> = {},
) {
  const made = receipt(over);
  const decided = decideReceive(
    made,
    { riders: reservations, waiting: { candidates: reservations, hasMore: false, budget: 100, ...waiting } },
    supplies,
    TERMS,
  );
  const all = suppliesAfter(supplies, decided.effect);
  const after = reservations.map(
    (one) => decided.effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one,
  );
  return { ...decided, all, book: all.get(1)!, after, standing: after.map(standsOn) };
}

/** Line 1 comes to node 1, where the book has `there`, and others wait. */
function receive(
  there: TestBook,
  over: Partial<Receipt>,
  reservations: readonly Reservation[] = [],
  waiting: Partial<Waiting> = {},
) {
  const supplies = bookWith(reservations, { lines: [line(1)], ...there });
  const { book, ...rest } = receiveIn(supplies, reservations, over, waiting);
  return { ...rest, stock: rowAt(book, 1), coming: rowOf(book, onTheWay(line(1))), lines: book.inbound };
}

describe('a receipt', () => {
  it.each<[string, TestBook, Partial<Receipt>, Partial<SupplyRow>, Partial<SupplyRow>, object]>([
    ['brings what was expected', { coming: { 1: { available: 5 } } }, {}, { available: 5 }, {}, { over: 0, lost: 0 }],
    [
      'brings a part',
      { coming: { 1: { available: 8 } } },
      {},
      { available: 5 },
      { available: 3 },
      { over: 0, lost: 0 },
    ],
    [
      'brings more than was expected',
      { coming: { 1: { available: 3 } } },
      {},
      { available: 5 },
      {},
      { over: 2, lost: 0 },
    ],
    [
      'brings what nobody announced',
      { coming: { 1: { available: 3 } } },
      { line: null },
      { available: 5 },
      { available: 3 },
      { over: 5, lost: 0 },
    ],
    [
      'brings what was closed and forgotten',
      { coming: { 1: { available: 3 } } },
      { line: 77 },
      { available: 5 },
      { available: 3 },
      { over: 5 },
    ],
    [
      'closes with a loss',
      { coming: { 1: { available: 8, damaged: 1 } } },
      { closes: true },
      { available: 5 },
      {},
      { over: 0, lost: 4 },
    ],
    [
      'closes with nothing at all',
      { coming: { 1: { available: 8 } } },
      { units: 0, closes: true },
      {},
      {},
      { lost: 8 },
    ],
    [
      'finds some damaged',
      { coming: { 1: { available: 8 } } },
      { damaged: 2 },
      { available: 3, damaged: 2 },
      { available: 3 },
      {
        arrived: [
          { state: 'available', units: 3 },
          { state: 'damaged', units: 2 },
        ],
      },
    ],
    [
      'brings damaged units as they travelled, and sound ones first',
      { coming: { 1: { available: 3, damaged: 4 } } },
      {},
      { available: 3, damaged: 2 },
      { damaged: 2 },
      { over: 0 },
    ],
    [
      'brings units to inspect as they travelled',
      { coming: { 1: { available: 2, qualityControl: 3 } } },
      {},
      { available: 2, qualityControl: 3 },
      {},
      { toInspect: 3 },
    ],
    [
      'finds all sound that was said to be damaged',
      { coming: { 1: { available: 1, damaged: 4 } } },
      { damaged: 0 },
      { available: 5 },
      {},
      { over: 0 },
    ],
    [
      'goes to inspection where the node says so',
      { coming: { 1: { available: 5 } } },
      { to: 'quality_control', damaged: 1 },
      { qualityControl: 4, damaged: 1 },
      {},
      { toInspect: 4 },
    ],
    [
      'nets what was sold too much',
      { coming: { 1: { available: 5 } }, stock: { 1: { overdrawn: 3 } } },
      { to: 'quality_control' },
      { qualityControl: 2 },
      {},
      { toInspect: 5 },
    ],
    [
      'that a count has seen brings nothing, and drains its line',
      { coming: { 1: { available: 5 } }, stock: { 1: { available: 9 } } },
      { isLate: true },
      { available: 9 },
      {},
      { over: 0 },
    ],
    [
      'that a count has seen tells what is damaged',
      { coming: { 1: { available: 5 } }, stock: { 1: { available: 9 } } },
      { isLate: true, damaged: 2 },
      { available: 7, damaged: 2 },
      {},
      {},
    ],
    [
      'that a count has seen tells what is to be inspected',
      { coming: { 1: { available: 5 } }, stock: { 1: { available: 3 } } },
      { isLate: true, to: 'quality_control' },
      { qualityControl: 3 },
      {},
      { toInspect: 5 },
    ],
    [
      'whose damaged units a count of those has seen adds them to the others',
      { coming: { 1: { available: 5 } }, stock: { 1: { damaged: 3 } } },
      { damaged: 2, counted: BY_STATE },
      { available: 5, damaged: 3 },
      {},
      {
        arrived: [
          { state: 'available', units: 3 },
          { state: 'damaged', units: 2 },
        ],
      },
    ],
    [
      'that a count of what is inspected has seen opens no inspection again',
      { coming: { 1: { available: 5 } }, stock: { 1: { qualityControl: 5 } } },
      { to: 'quality_control', counted: BY_STATE },
      { available: 5, qualityControl: 5 },
      {},
      { toInspect: 0 },
    ],
    [
      'that counts of everything have seen changes nothing but its line',
      { coming: { 1: { available: 5 } }, stock: { 1: { available: 9, damaged: 2 } } },
      { isLate: true, damaged: 2, counted: BY_STATE },
      { available: 9, damaged: 2 },
      {},
      { over: 0 },
    ],
  ])('%s', (_, there, over, stock, coming, told) =>
    expect(receive(there, over)).toMatchObject({ stock: row(stock), coming: incoming(coming), ...told }),
  );

  it('closes its line when it says so', () => {
    expect(receive({ coming: { 1: { available: 5 } } }, { closes: true }).lines).toEqual([line(1, { isClosed: true })]);
    expect(receive({ coming: { 1: { available: 5 } } }, {}).lines).toEqual([line(1)]);
  });

  it('of 60 where 100 are expected and 30 promised: each promise has a unit, 40 are still to come', () => {
    const waiting = [
      reserved([onLine(1, { confirmed: 20 })], { key: 1 }),
      reserved([onLine(1, { held: 10 })], { key: 2 }),
    ];
    const { stock, coming, effect, freeing, standing } = receive(
      { coming: { 1: { available: 70 } } },
      { units: 60 },
      waiting,
    );
    expect([stock, coming]).toEqual([row({ available: 30, committed: 20, reserved: 10 }), incoming({ available: 40 })]);
    expect(effect.postings.map(({ at, from, to, quantity }) => `${at.kind} ${quantity} ${from} > ${to}`)).toEqual([
      'stock 60 external > available',
      'incoming 20 committed > available',
      'incoming 10 reserved > available',
      'stock 10 available > reserved',
      'stock 20 available > committed',
      'incoming 60 available > expected',
    ]);
    expect(freeing).toEqual({ node: 1, converted: 30, unapplied: 0, available: 30 });
    expect(standing).toEqual([{ 'a@1': 20 }, { 'a@1': 10 }]);
  });
});

describe('who is served by a receipt', () => {
  const early = reserved([onAllowance({ confirmed: 4 })], { key: 1, priority: 9 });
  const mine = reserved([onLine(1, { confirmed: 2 })], { key: 2 });

  it.each<[string, TestBook, Partial<Receipt>, readonly Readonly<Record<string, number>>[]]>([
    [
      'is whoever ranks first, while more is to come for the others',
      { coming: { 1: { available: 5 } } },
      { units: 3 },
      [{ 'a@1': 3, 'a~0': 1 }, { 'a<1': 2 }],
    ],
    [
      'is who was promised the last units of the line',
      { coming: { 1: { available: 3 } } },
      { units: 5 },
      [{ 'a@1': 3, 'a~0': 1 }, { 'a@1': 2 }],
    ],
    [
      'is who was promised units of a line that closes',
      { coming: { 1: { available: 5 } } },
      { units: 3, closes: true },
      [{ 'a@1': 1, 'a~0': 3 }, { 'a@1': 2 }],
    ],
    [
      'is nobody where units are to be inspected',
      { coming: { 1: { available: 5 } } },
      { units: 3, to: 'quality_control' },
      [{ 'a~0': 4 }, { 'a<1': 2 }],
    ],
    [
      'is nobody where the node owes them',
      { coming: { 1: { available: 5 } }, stock: { 1: { overdrawn: 3 } } },
      { units: 3 },
      [{ 'a~0': 4 }, { 'a<1': 2 }],
    ],
    [
      'is who was promised them, of what a count has seen',
      { coming: { 1: { available: 0 } }, stock: { 1: { available: 1 } } },
      { units: 2, isLate: true },
      [{ 'a~0': 4 }, { 'a@1': 1, 'a<1': 1 }],
    ],
  ])('%s', (_, there, over, expected) => expect(receive(there, over, [early, mine]).standing).toEqual(expected));

  it('may be settled later: what is left waits, and the promises of the line keep their claim', () => {
    const { stock, coming, freeing } = receive(
      { coming: { 1: { available: 0 } } },
      { units: 3, closes: true },
      [early, mine],
      { hasMore: true, candidates: [early] },
    );
    expect(freeing).toEqual({ node: 1, converted: 1, unapplied: 2, available: 0 });
    expect([stock, coming]).toEqual([row({ committed: 1, unapplied: 2 }), incoming({ committed: 2, shortfall: 2 })]);
  });

  it('are short if the line closes without their units', () => {
    const controller = { actor: 'oms', order: 'o-1' };
    const theirs = { ...mine, controller };
    const there = { coming: { 1: { available: 0 } } };
    const { coming, after } = receive(there, { units: 0, closes: true }, [early, theirs]);
    expect(coming).toEqual(incoming({ committed: 2, shortfall: 2 }));
    expect(shortPromisesOf(1, coming, after)).toMatchObject({
      sku: 1,
      at: onTheWay(line(1)),
      quantity: 2,
      promises: [{ reservation: 2, line: 0, fulfilment: null, quantity: 2, controller }],
    });
  });
});

describe('riders', () => {
  const riding = reserved([onLine(1, { confirmed: 4, fulfilment: 'F' })], { key: 5 });
  const first = reserved([onAllowance({ confirmed: 9 })], { key: 1, priority: 9 });
  const both = reserved([onLine(1, { confirmed: 4, fulfilment: 'F' }), onAllowance({ line: 1, confirmed: 1 })], {
    key: 6,
  });

  it.each<
    [string, TestBook, Partial<Receipt>, Partial<SupplyRow>, Partial<SupplyRow>, Readonly<Record<string, number>>]
  >([
    ['are first', { coming: { 1: { available: 1 } } }, { units: 5 }, { committed: 5 }, {}, { 'a@1#F': 4 }],
    [
      'come as far as there are sound units',
      { coming: { 1: { available: 1 } } },
      { units: 5, damaged: 2 },
      { committed: 3, damaged: 2 },
      { committed: 1, shortfall: 1 },
      { 'a@1#F': 3, 'a<1#F': 1 },
    ],
    [
      'are not held up for an inspection',
      { coming: { 1: { available: 1 } } },
      { units: 5, to: 'quality_control' },
      { committed: 4, qualityControl: 1 },
      {},
      { 'a@1#F': 4 },
    ],
    [
      'land at a node that owes, and are short',
      { coming: { 1: { available: 2 } }, stock: { 1: { overdrawn: 3, shortfall: 0 } } },
      { units: 5 },
      { committed: 4, shortfall: 2 },
      { available: 1 },
      { 'a@1#F': 4 },
    ],
    [
      'land on what a count has seen',
      { coming: { 1: { available: 1 } }, stock: { 1: { available: 6 } } },
      { units: 5, isLate: true },
      { available: 2, committed: 4 },
      {},
      { 'a@1#F': 4 },
    ],
    [
      'land, though a count has not seen them',
      { coming: { 1: { available: 1 } } },
      { units: 5, isLate: true },
      { committed: 4, shortfall: 4 },
      {},
      { 'a@1#F': 4 },
    ],
    [
      'are lost with their line',
      { coming: { 1: { available: 1 } } },
      { units: 3, closes: true },
      { committed: 3 },
      { committed: 1, shortfall: 1 },
      { 'a@1#F': 3, 'a<1#F': 1 },
    ],
  ])('%s', (_, there, over, stock, coming, standing) => {
    const received = receive(there, over, [first, riding]);
    expect(received).toMatchObject({ stock: row(stock), coming: incoming(coming), landed: standing['a@1#F'] });
    expect(received.standing[1]).toEqual(standing);
  });

  it('at a node that owes 3 and is short of 2: of 5 that arrive 4 ride, and 4 are short', () => {
    const there = reserved([backing(1, { confirmed: 2 })], { key: 7 });
    const { stock, coming } = receive(
      { coming: { 1: { available: 2 } }, stock: { 1: { overdrawn: 3, shortfall: 2 } } },
      {},
      [riding, there],
    );
    expect(stock).toEqual(row({ committed: 6, shortfall: 4 }));
    expect(coming).toEqual(incoming({ available: 1 }));
  });

  it('that wait for other units as well are not served of these before their turn', () => {
    const supplies = bookWith([first, both], { lines: [line(1)], coming: { 1: { available: 1 } } });
    const parts = { riders: [both], waiting: { candidates: [], hasMore: true, budget: 9 } };
    const { effects, freeing } = decideReceive(receipt({ units: 5 }), parts, supplies, TERMS);
    expect(effects.map(({ reservation }) => standsOn(reservation))).toEqual([{ 'a@1#F': 4, 'b~0': 1 }]);
    expect(freeing).toMatchObject({ converted: 0, unapplied: 1 });
  });

  it('keep line and fulfilment from node to node', () => {
    const order = reserved([
      backing(1, { confirmed: 2, fulfilment: 'F' }),
      backing(1, { line: 1, confirmed: 1, fulfilment: 'F' }),
    ]);
    const transfer = line(11, { brings: 'transfer' });
    const supplies = bookWith([order], { stock: { 1: { available: 3 } } });
    const rider = { reservation: order, selected: { fulfilment: 'F', quantity: 3 } };
    const sent = decideShip(
      [{ sku: 1, from: 1, line: transfer, units: 5, state: null, riders: [rider], isLate: false, counted: NO_STATES }],
      supplies,
      TERMS,
    );
    if (!sent.ok) throw new Error(sent.rejection.code);
    const { reservation } = sent.value.effects[0]!;
    const { book, standing } = receiveIn(suppliesAfter(supplies, sent.value.effect), [reservation], {
      node: 2,
      line: 11,
      closes: true,
    });
    expect(standing).toEqual([{ 'a@2#F': 2, 'b@2#F': 1 }]);
    expect([rowAt(book, 1), rowAt(book, 2)]).toEqual([
      row({ available: 1 }),
      row({ node: 2, available: 2, committed: 3 }),
    ]);
  });
});

describe('laws of receiving', () => {
  const world = fc.record({
    world: waitingWorld,
    line: fc.constantFrom(1, 11, 2, null),
    units: fc.nat(8),
    damaged: fc.constantFrom(null, 0, 1),
    to: fc.constantFrom('available' as const, 'available' as const, 'quality_control' as const),
    closes: fc.boolean(),
    isLate: fc.boolean(),
    counted: fc.constantFrom(NO_STATES, NO_STATES, BY_STATE),
  });
  const nodeOf = (detail: number | null): number => (detail === 11 ? 2 : 1);
  const comingIn = (book: SkuSupply, detail: number | null): SupplyRow =>
    detail === null ? incoming() : rowOf(book, { kind: 'incoming', node: nodeOf(detail), detail });

  it('what arrives is there, what is gone from the way has arrived or is lost, and no promise is made or dropped', () => {
    fc.assert(
      fc.property(
        world,
        fc.boolean(),
        fc.nat(3),
        ({ world: { reservations, supplies }, damaged, ...rest }, hasMore, budget) => {
          const over = {
            ...rest,
            node: nodeOf(rest.line),
            damaged: damaged === null ? null : Math.min(damaged, rest.units),
          };
          const received = receiveIn(supplies, reservations, over, { hasMore, budget });
          expectLawful(supplies, received.effect, received.after, (node) =>
            node === over.node && !over.isLate ? over.units : 0,
          );
          const before = inTransit(comingIn(supplies.get(1)!, over.line));
          const left = inTransit(comingIn(received.book, over.line));
          expect(before - left).toBe(over.units - received.over + received.lost);
          if (over.closes && over.line !== null) expect(left).toBe(0);
          for (const [place, { lines, backings }] of received.after.entries())
            for (const { no } of lines) expect(openOf(backings, no)).toEqual(openOf(reservations[place]!.backings, no));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a line that brings all that it was to bring leaves no promise behind that its node may back', () => {
    fc.assert(
      fc.property(world, ({ world: { reservations, supplies }, line: detail }) => {
        const book = supplies.get(1)!;
        const coming = comingIn(book, detail);
        const there = rowAt(book, nodeOf(detail));
        fc.pre(detail !== null && coming.shortfall === 0 && there.shortfall + there.overdrawn === 0);
        const over = { node: nodeOf(detail), line: detail, units: inTransit(coming), closes: true };
        const { after } = receiveIn(supplies, reservations, over);
        for (const some of after)
          for (const one of some.backings) {
            if (one.kind !== 'incoming' || one.detail !== detail || open(one) === 0) continue;
            const channel = TWO_CHANNELS.channels.get(some.channel)!;
            expect(
              mayBack(some.lines[one.line]!, channel, { node: over.node }, supplies, { ...TERMS, override: null }),
            ).toBe(false);
          }
      }),
      { numRuns: 400 },
    );
  });
});
