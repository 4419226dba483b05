import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mayBack } from './decide-allocate.ts';
import type { InboundLine } from './inbound.ts';
import { isOverdue, onTheWay } from './inbound.ts';
import { decideOverdue, hasOtherConcerns, hasOverdueLines, inboundConcernsOf } from './overdue.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import { shortPromisesOf } from './short-promises.ts';
import { rowAt, rowOf, suppliesAfter } from './supply.ts';
import { NOW } from './testing/arbitraries.ts';
import { expectLawful, reserved } from './testing/reserved.ts';
import { type TestBook, TWO_CHANNELS, bookWith, line, onLine, standsOn, waitingWorld } from './testing/waiting.ts';

const TERMS = { rules: TWO_CHANNELS, now: NOW };
const LATE = line(1, { dueAt: NOW - 1 });
const CONTROLLER = { actor: 'oms', order: 'o-1' };
const one = { confirmed: 1 };

function decide(reservations: readonly Reservation[], book: TestBook) {
  const supplies = bookWith(reservations, book);
  const decided = decideOverdue(1, reservations, supplies, TERMS);
  const { effects, effect } = decided.freeing;
  const after = reservations.map(
    (some) => effects.find(({ reservation }) => reservation.key === some.key)?.reservation ?? some,
  );
  expectLawful(supplies, effect, after);
  return { ...decided, after, book: suppliesAfter(supplies, effect).get(1)!, standing: after.map(standsOn) };
}

describe('a line that does not bring what was promised of it', () => {
  it.each<[string, Partial<Reservation>, InboundLine, number, Readonly<Record<string, number>>]>([
    ['is late: its promises move to where units are', {}, LATE, 0, { 'a@2': 1 }],
    ['is late: what an order controls stays where it is', { controller: CONTROLLER }, LATE, 0, { 'a<1': 1 }],
    ['is closed: its promises move', {}, line(1, { isClosed: true }), 1, { 'a@2': 1 }],
    [
      'is closed: what an order controls stays',
      { controller: CONTROLLER },
      line(1, { isClosed: true }),
      1,
      { 'a<1': 1 },
    ],
    ['is short: its promises move', {}, line(1), 1, { 'a@2': 1 }],
    ['is neither: its promises stay', {}, line(1), 0, { 'a<1': 1 }],
  ])('%s', (_, over, inbound, shortfall, expected) => {
    const mine = reserved([onLine(1, one)], over);
    const { standing } = decide([mine], {
      lines: [inbound],
      coming: { 1: { shortfall } },
      stock: { 2: { available: 1 } },
    });
    expect(standing).toEqual([expected]);
  });

  it('is told with the promises that found no unit, and who decides about them', () => {
    const some = [
      reserved([onLine(1, one)], { key: 1 }),
      reserved([onLine(1, one)], { key: 2 }),
      reserved([onLine(1, one)], { key: 3, controller: CONTROLLER }),
    ];
    const closed = line(1, { isClosed: true });
    const { concerns, book, after } = decide(some, {
      lines: [closed],
      coming: { 1: { shortfall: 3 } },
      stock: { 2: { available: 1 } },
    });
    expect(shortPromisesOf(1, rowOf(book, onTheWay(closed)), after)).toMatchObject({
      quantity: 2,
      promises: [
        { reservation: 3, quantity: 1, controller: CONTROLLER },
        { reservation: 2, quantity: 1, controller: null },
      ],
    });
    expect(concerns).toEqual([{ code: 'inbound.short', line: closed, quantity: 2, promised: 2 }]);
  });

  it.each<[string, InboundLine, TestBook, Partial<Backing>, readonly (readonly [string, number, number])[]]>([
    [
      'is late with all that it was to bring',
      LATE,
      { coming: { 1: { available: 4, damaged: 1 } } },
      one,
      [['inbound.overdue', 6, 1]],
    ],
    [
      'is late, and short as well',
      LATE,
      { coming: { 1: { shortfall: 1 } } },
      { confirmed: 3 },
      [
        ['inbound.overdue', 2, 3],
        ['inbound.short', 1, 3],
      ],
    ],
    ['is late without anything', LATE, {}, {}, []],
    ['is not late', line(1), { coming: { 1: { available: 4 } } }, one, []],
    [
      'is not short while its node has units to settle',
      line(1),
      { coming: { 1: { shortfall: 1 } }, stock: { 1: { unapplied: 1 } } },
      one,
      [],
    ],
  ])('is a concern if it %s', (_, inbound, book, units, expected) => {
    const supply = bookWith([reserved([onLine(1, units)])], { ...book, lines: [inbound] }).get(1)!;
    expect(inboundConcernsOf(supply, NOW).map(({ code, quantity, promised }) => [code, quantity, promised])).toEqual(
      expected,
    );
  });

  it.each<[string, Partial<InboundLine>, Partial<Backing>, boolean, number?]>([
    ['is late with promises', { dueAt: NOW - 1 }, one, true],
    ['is short', {}, one, true, 1],
    ['is closed with promises', { isClosed: true }, one, true],
    ['is late now', { dueAt: NOW }, one, false],
    ['is late without promises', { dueAt: NOW - 1 }, {}, false],
  ])('is due for a look if it %s', (_, over, units, expected, shortfall = 0) => {
    const book = { lines: [line(1, over)], coming: { 1: { shortfall } } };
    expect(hasOverdueLines(bookWith([reserved([onLine(1, units)])], book).get(1)!, NOW)).toBe(expected);
  });

  it('leaves what is free to everybody, however many others wait', () => {
    const pickup = reserved([onLine(1, one)], {}, { 0: [1] });
    const supplies = bookWith([pickup], { lines: [LATE], stock: { 2: { available: 1 } } });
    const { freeing } = decideOverdue(1, [pickup], supplies, TERMS);
    expect(freeing.nodes).toEqual([{ node: 2, converted: 0, unapplied: 0, available: 1 }]);
  });

  it.each<[string, TestBook, TestBook, boolean]>([
    ['a line was late and has come', { coming: { 1: { available: 4 } } }, {}, true],
    [
      'a line was late and has come in part',
      { coming: { 1: { available: 4 } } },
      { coming: { 1: { available: 3 } } },
      true,
    ],
    ['a line is late as before', { coming: { 1: { available: 4 } } }, { coming: { 1: { available: 4 } } }, false],
    ['a line is short now', {}, { coming: { 1: { shortfall: 1 } } }, true],
    [
      'a line is given more time',
      { coming: { 1: { available: 4 } } },
      { coming: { 1: { available: 4 } }, lines: [line(1)] },
      true,
    ],
  ])('is another concern if %s', (_, then, now, expected) => {
    const promises = [reserved([onLine(1, one)])];
    const [before, after] = [then, now].map((book) => bookWith(promises, { lines: [LATE], ...book }).get(1)!);
    expect(hasOtherConcerns(before!, after!, NOW)).toBe(expected);
  });

  it('leaves units that wait for a slice to the slice, which serves everybody', () => {
    const mine = reserved([onLine(1, one)]);
    const { standing, book } = decide([mine], { lines: [LATE], stock: { 2: { available: 1, unapplied: 1 } } });
    expect([standing, rowAt(book, 2)]).toMatchObject([[{ 'a<1': 1 }], { available: 1, unapplied: 1 }]);
  });

  it('leaves no free promise waiting for it beside a unit that could serve it, and moves none that is controlled', () => {
    const controlled = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(waitingWorld, controlled, ({ reservations: bare, supplies }, isControlled) => {
        const reservations = bare.map((some, place) =>
          isControlled[place] ? { ...some, controller: CONTROLLER } : some,
        );
        const { freeing } = decideOverdue(1, reservations, supplies, TERMS);
        const after = reservations.map(
          (some) => freeing.effects.find(({ reservation }) => reservation.key === some.key)?.reservation ?? some,
        );
        expectLawful(supplies, freeing.effect, after);
        expect(freeing.effects.every(({ reservation }) => reservation.controller === null)).toBe(true);
        const book = suppliesAfter(supplies, freeing.effect).get(1)!;
        const lost = book.inbound.filter((some) => isOverdue(some, NOW)).map(({ detail }) => detail);
        for (const { node } of book.rows.filter(({ available, unapplied }) => available > 0 && unapplied === 0))
          for (const some of after.filter(({ controller }) => controller === null))
            for (const { kind, detail, fulfilment, line: no, ...units } of some.backings) {
              if (kind !== 'incoming' || !lost.includes(detail) || fulfilment !== null || open(units) === 0) continue;
              const channel = TWO_CHANNELS.channels.get(some.channel)!;
              expect(mayBack(some.lines[no]!, channel, { node }, supplies, { ...TERMS, override: null })).toBe(false);
            }
      }),
      { numRuns: 300 },
    );
  });
});
