import { describe, expect, it } from '@jest/globals';
import { supply } from './arithmetic.ts';
import { decideLeave } from './decide-verb.ts';
import {
  type FreedUnits,
  type Freeing,
  type Waiting,
  allAvailable,
  freeUnits,
  freedBy,
  offerAvailable,
  unappliedOf,
} from './free-units.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import { SellingRules } from './selling-rules.ts';
import { type SkuSupply, type Supplies, SupplyDraft, fenceUsesOf, rowAt, suppliesAfter } from './supply.ts';
import { stockAt } from './supply-row.ts';
import { NOW, fence, openRules, threshold } from './testing/arbitraries.ts';
import { backing, expectLawful, reserved } from './testing/reserved.ts';
import { type TestBook, TWO_CHANNELS, bookWith, line, onAllowance, onLine, standsOn } from './testing/waiting.ts';

const TERMS = { rules: TWO_CHANNELS, now: NOW };
const all = (candidates: readonly Reservation[], over: Partial<Waiting> = {}): Waiting => ({
  candidates,
  hasMore: false,
  budget: 100,
  ...over,
});
const afterwards = (before: readonly Reservation[], { effects }: Pick<Freeing, 'effects'>): readonly Reservation[] =>
  before.map((one) => effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one);
const supplyIn = (supplies: Supplies): SkuSupply => supplies.get(1)!;

/** One unit of an order, unless said; keys follow the place in the list. */
const orders = (...some: readonly (readonly [readonly Backing[], Partial<Reservation>?])[]): readonly Reservation[] =>
  some.map(([backings, over], place) => reserved(backings, { key: place + 1, ...over }));
const one = { confirmed: 1 };

/** Frees all that is available, and tells where each reservation stands. */
function free(reservations: readonly Reservation[], book: TestBook, over: Partial<Waiting> = {}, terms = TERMS) {
  const supplies = bookWith(reservations, book);
  const freeing = freeUnits(
    1,
    [...allAvailable(supplyIn(supplies)), ...unappliedOf(supplyIn(supplies))],
    all(reservations, over),
    supplies,
    terms,
  );
  const after = afterwards(reservations, freeing);
  expectLawful(supplies, freeing.effect, after);
  return { freeing, after, book: supplyIn(suppliesAfter(supplies, freeing.effect)), standing: after.map(standsOn) };
}

describe('units that come free', () => {
  it.each<[string, readonly Reservation[], TestBook, readonly Readonly<Record<string, number>>[]]>([
    [
      'serve who waits on an allowance of any node',
      orders([[onAllowance(one)]]),
      { stock: { 3: { available: 1 } } },
      [{ 'a@3': 1 }],
    ],
    [
      'serve who waits on an allowance of that node',
      orders([[onAllowance({ node: 2, ...one })]]),
      { stock: { 2: { available: 1 } } },
      [{ 'a@2': 1 }],
    ],
    [
      'do not serve who waits on the allowance of another node',
      orders([[onAllowance({ node: 2, ...one })]]),
      { stock: { 3: { available: 1 } } },
      [{ 'a~2': 1 }],
    ],
    [
      'serve who waits for a line of that node',
      orders([[onLine(1, one)]]),
      { stock: { 1: { available: 1 } }, lines: [line(1)] },
      [{ 'a@1': 1 }],
    ],
    [
      'do not serve who waits for a line of another node',
      orders([[onLine(1, one)]]),
      { stock: { 2: { available: 1 } }, lines: [line(1)] },
      [{ 'a<1': 1 }],
    ],
    [
      'serve who waits for a late line of another node',
      orders([[onLine(1, one)]]),
      { stock: { 2: { available: 1 } }, lines: [line(1, { dueAt: NOW - 1 })] },
      [{ 'a@2': 1 }],
    ],
    [
      'serve who waits for a closed line of another node',
      orders([[onLine(1, one)]]),
      { stock: { 2: { available: 1 } }, lines: [line(1, { isClosed: true })], coming: { 1: { shortfall: 1 } } },
      [{ 'a@2': 1 }],
    ],
    [
      'serve of a short line of another node as many as it is short of',
      orders([[onLine(1, one)]], [[onLine(1, one)]]),
      { stock: { 2: { available: 2 } }, lines: [line(1)], coming: { 1: { shortfall: 1 } } },
      [{ 'a@2': 1 }, { 'a<1': 1 }],
    ],
    [
      'do not serve what rides',
      orders([[onLine(1, { ...one, fulfilment: 'F' })]]),
      { stock: { 1: { available: 1 } }, lines: [line(1)] },
      [{ 'a<1#F': 1 }],
    ],
    [
      'serve only channels that sell from the node',
      orders([[onAllowance(one)], { channel: 2 }]),
      { stock: { 2: { available: 1 } } },
      [{ 'a~0': 1 }],
    ],
    [
      'serve none whose channel is gone',
      orders([[onAllowance(one)], { channel: 7 }]),
      { stock: { 2: { available: 1 } } },
      [{ 'a~0': 1 }],
    ],
    [
      'serve only lines that the node may back',
      [reserved([onAllowance(one)], {}, { 0: [1, 3] })],
      { stock: { 2: { available: 1 } } },
      [{ 'a~0': 1 }],
    ],
    [
      'of the same line, serve first what nobody knows the time of',
      orders([[onLine(1, one), onAllowance(one)]]),
      { stock: { 1: { available: 1 } }, lines: [line(1)] },
      [{ 'a<1': 1, 'a@1': 1 }],
    ],
    [
      'take nothing from who has a unit',
      orders([[onAllowance(one)], { priority: 9 }]),
      { stock: { 1: { available: 0, committed: 0 } } },
      [{ 'a~0': 1 }],
    ],
  ])('%s', (_, reservations, book, expected) => expect(free(reservations, book).standing).toEqual(expected));

  it.each<[string, readonly Reservation[], number]>([
    [
      'of the highest priority',
      orders([[onAllowance(one)], { orderedAt: 1 }], [[onAllowance(one)], { priority: 1 }]),
      2,
    ],
    [
      'that was ordered first',
      orders([[onAllowance(one)], { orderedAt: 8 }], [[onAllowance(one)], { orderedAt: 7 }]),
      2,
    ],
    [
      'that is oldest, without an order',
      orders([[onAllowance(one)], { createdAt: 8 }], [[onAllowance(one)], { createdAt: 7, orderedAt: 9 }]),
      1,
    ],
    [
      'that is oldest, whatever kind it waits on',
      orders([[onLine(1, one)], { createdAt: 8 }], [[onAllowance(one)], { createdAt: 7 }]),
      2,
    ],
    ['of the lowest key, of equals', orders([[onAllowance(one)]], [[onAllowance(one)]]), 1],
  ])('serve first the one %s', (_, reservations, key) => {
    const { freeing } = free(reservations, { stock: { 1: { available: 1 } }, lines: [line(1)] });
    expect(freeing.effects.map(({ reservation }) => reservation.key)).toEqual([key]);
  });

  it('leave held units held and confirmed ones confirmed, on the same line', () => {
    const waiting = orders(
      [[onAllowance({ held: 1 }), onAllowance({ line: 1, held: 2 })]],
      [[onAllowance({ confirmed: 2 })]],
    );
    const { after, freeing, book } = free(waiting, { stock: { 1: { available: 9 } } });
    expect(
      after.flatMap(({ backings }) =>
        backings.filter((b) => open(b) > 0).map(({ line: no, held, confirmed }) => [no, held, confirmed]),
      ),
    ).toEqual([
      [0, 1, 0],
      [1, 2, 0],
      [0, 0, 2],
    ]);
    expect(rowAt(book, 1)).toMatchObject({ available: 4, reserved: 3, committed: 2 });
    expect(freeing.effects.map(({ reservation }) => reservation.version)).toEqual([8, 8]);
    expect(freeing.effects[0]?.changes[0]).toEqual({
      line: 0,
      sku: 1,
      node: 0,
      quantity: 1,
      fulfilment: null,
      ahead: { kind: 'allowance', detail: 0 },
      to: { node: 1, fulfilment: null },
    });
  });

  it('are written once for each row and state', () => {
    const waiting = orders([[onAllowance(one)]], [[onAllowance(one)]], [[onLine(1, { held: 1 })]]);
    const { freeing } = free(waiting, { stock: { 1: { available: 5 } }, lines: [line(1)] });
    expect(
      freeing.effect.postings.map(({ at, from, to, quantity }) => `${at.kind} ${quantity} ${from} > ${to}`),
    ).toEqual([
      'allowance 2 committed > expected',
      'incoming 1 reserved > available',
      'stock 1 available > reserved',
      'stock 2 available > committed',
    ]);
  });

  it('serve past thresholds, which are for shoppers', () => {
    const rules = openRules([threshold({ quantity: 5 }), threshold({ scope: 'network', quantity: 5 })]);
    const { standing } = free(
      orders([[onAllowance(one)]]),
      { stock: { 1: { available: 1 } } },
      {},
      { rules, now: NOW },
    );
    expect(standing).toEqual([{ 'a@1': 1 }]);
  });

  it('are of whatever has ended: a cancelled unit serves who waits, a cancelled backorder nobody', () => {
    const ordered = reserved([backing(1, { confirmed: 2 })], { key: 1 });
    const backorder = reserved([onAllowance({ confirmed: 2 })], { key: 2 });
    const waiting = reserved([onAllowance({ confirmed: 1 })], { key: 3, priority: 1 });
    const before = bookWith([ordered, backorder, waiting], {});
    const cancelled = (one: Reservation): Freeing => {
      const ended = decideLeave('cancel', one, before, null);
      if (!ended.ok) throw new Error(ended.rejection.code);
      const after = suppliesAfter(before, ended.value.effect);
      return freeUnits(1, freedBy(supplyIn(before), supplyIn(after)), all([waiting, backorder]), after, TERMS);
    };
    const served = ({ effects }: Freeing) => effects.map(({ reservation }) => [reservation.key, standsOn(reservation)]);
    expect(served(cancelled(ordered))).toEqual([
      [3, { 'a@1': 1 }],
      [2, { 'a@1': 1, 'a~0': 1 }],
    ]);
    expect(cancelled(backorder)).toMatchObject({ effects: [], nodes: [] });
  });

  it('leave to others what is fenced for them, and charge the fence of those whom they serve', () => {
    const fenced = new SellingRules([...TWO_CHANNELS.nodes.values()], [...TWO_CHANNELS.channels.values()], [], {
      fences: [fence({ key: 7, channels: new Set([2]), quantity: 2 })],
    });
    const waiting = orders(
      [[onAllowance({ confirmed: 9 })], { priority: 9 }],
      [[onAllowance({ confirmed: 1 })], { channel: 2 }],
    );
    const { standing, book, after } = free(
      waiting,
      { stock: { 1: { available: 5 } } },
      {},
      { rules: fenced, now: NOW },
    );
    expect(standing).toEqual([{ 'a@1': 3, 'a~0': 6 }, { 'a@1': 1 }]);
    expect(rowAt(book, 1)).toMatchObject({ available: 1, committed: 4 });
    expect(fenceUsesOf(book)).toEqual([{ node: 1, fence: 7, used: 1 }]);
    expect(after[1]?.backings.find(({ kind }) => kind === 'stock')).toMatchObject({ fence: 7, fenced: 1 });
  });

  it('serve who comes first with all that a share leaves as it shrinks, before who comes after', () => {
    const shared = new SellingRules([...TWO_CHANNELS.nodes.values()], [...TWO_CHANNELS.channels.values()], [], {
      fences: [fence({ key: 7, channels: new Set([2]), measure: 'percent', quantity: 40 })],
    });
    const waiting = orders([[onAllowance({ confirmed: 3 })]], [[onAllowance({ confirmed: 1 })]]);
    const { standing } = free(waiting, { stock: { 1: { available: 3 } } }, {}, { rules: shared, now: NOW });
    expect(standing).toEqual([{ 'a@1': 3 }, { 'a~0': 1 }]);
  });

  it('serve nobody where sales are stopped', () => {
    const stop = { node: 1, channel: null, drains: false, until: null };
    const stopped = new SellingRules([...TWO_CHANNELS.nodes.values()], [...TWO_CHANNELS.channels.values()], [], {
      stops: [stop],
    });
    const waiting = orders([[onAllowance({ confirmed: 2 })]]);
    const stock = { 1: { available: 1 }, 2: { available: 1 } };
    expect(free(waiting, { stock }, {}, { rules: stopped, now: NOW }).standing).toEqual([{ 'a@2': 1, 'a~0': 1 }]);
  });

  it('are only those that a decision freed: what nobody could have before is nobody’s now', () => {
    const waiting = orders([[onAllowance({ confirmed: 3 })]]);
    const before = bookWith(waiting, { stock: { 1: { available: 2 }, 2: { reserved: 0 } } });
    const draft = new SupplyDraft(before);
    draft.change(1, stockAt(1), (row) => supply(row, 1));
    const after = suppliesAfter(before, draft.effect());
    const freed = freedBy(supplyIn(before), supplyIn(after));
    expect(freed).toEqual([{ node: 1, units: 1 }]);
    expect(freeUnits(1, freed, all(waiting), after, TERMS).nodes).toEqual([
      { node: 1, converted: 1, unapplied: 0, available: 0 },
    ]);
  });

  it('pass by what was served of a line that is gone', () => {
    const one = reserved([onLine(11, { confirmed: 0 }), onAllowance({ confirmed: 2 })], { key: 1 });
    const supplies = bookWith([one], { stock: { 1: { available: 3 } } });
    const { inbound, future } = supplyIn(supplies);
    expect([inbound, future.filter(({ kind }) => kind === 'incoming')]).toEqual([[], []]);
    const { effects } = freeUnits(1, allAvailable(supplyIn(supplies)), all([one]), supplies, TERMS);
    expect(effects.map(({ reservation }) => standsOn(reservation))).toEqual([{ 'a@1': 2 }]);
  });

  it('are offered node by node, in whichever order the rows were read', () => {
    const waiting = orders([[onAllowance({ confirmed: 1 })]]);
    const found = supplyIn(
      bookWith(waiting, { stock: { 1: { available: 1, unapplied: 1 }, 2: { available: 1, unapplied: 1 } } }),
    );
    const nodesOf = (units: readonly FreedUnits[]): readonly number[] => units.map(({ node }) => node);
    for (const rows of [found.rows, found.rows.toReversed()]) {
      const supply = { ...found, rows };
      expect(nodesOf(allAvailable(supply))).toEqual([1, 2]);
      expect(nodesOf(unappliedOf(supply))).toEqual([1, 2]);
      expect(nodesOf(freedBy({ ...supply, rows: [] }, supply))).toEqual([1, 2]);
    }
  });

  it('go first to those of a line that has lost their unit, however low they rank', () => {
    const waiting = orders([[onAllowance({ confirmed: 5 })], { priority: 9 }], [[onLine(1, one)]], [[onLine(1, one)]]);
    const book = { lines: [line(1)], coming: { 1: { shortfall: 1 } } };
    expect(free(waiting, { ...book, stock: { 1: { available: 3 } } }).standing).toEqual([
      { 'a@1': 2, 'a~0': 3 },
      { 'a@1': 1 },
      { 'a<1': 1 },
    ]);
    expect(free(waiting, { ...book, stock: { 1: { available: 1 } } }).standing).toEqual([
      { 'a~0': 5 },
      { 'a@1': 1 },
      { 'a<1': 1 },
    ]);
    const gone = [waiting[0]!, { ...waiting[1]!, channel: 7 }, { ...waiting[2]!, channel: 7 }];
    expect(free(gone, { ...book, stock: { 1: { available: 2 } } }).standing[0]).toEqual({ 'a@1': 2, 'a~0': 3 });
  });
});

describe('a slice', () => {
  const waiting = orders([[onAllowance(one)]], [[onAllowance(one)]], [[onAllowance(one)]]);

  it.each<[string, Partial<Waiting>, number, readonly number[]]>([
    ['that serves everybody leaves the rest for sale', {}, 5, [3, 0, 2]],
    ['with exactly as many as it may serve leaves the rest for sale', { budget: 3 }, 5, [3, 0, 2]],
    ['that may serve fewer keeps the rest', { budget: 2 }, 5, [2, 3, 0]],
    ['that has not loaded all keeps the rest', { hasMore: true }, 5, [3, 2, 0]],
    ['without units keeps nothing', { hasMore: true }, 0, [0, 0, 0]],
    ['that may serve fewer than there are, and has no more units, keeps nothing', { budget: 2 }, 2, [2, 0, 0]],
  ])('%s', (_, over, available, [converted, unapplied, left]) => {
    const { freeing, book } = free(waiting, { stock: { 1: { available } } }, over);
    expect(freeing.nodes).toEqual(available === 0 ? [] : [{ node: 1, converted, unapplied, available: left }]);
    expect(rowAt(book, 1)).toMatchObject({ available: left, unapplied, committed: converted });
  });

  it('goes on with what the last one left, and adds what has come since', () => {
    const { freeing, book } = free(
      waiting,
      { stock: { 1: { unapplied: 2, available: 2 } } },
      { hasMore: true, budget: 3 },
    );
    expect(freeing.nodes).toEqual([
      { node: 1, converted: 3, unapplied: 1, available: 0 },
      { node: 1, converted: 0, unapplied: 1, available: 0 },
    ]);
    expect(rowAt(book, 1)).toMatchObject({ unapplied: 1, available: 0 });
    expect(
      freeing.effect.postings
        .filter(({ at }) => at.kind === 'stock')
        .map(({ from, to, quantity }) => `${quantity} ${from} > ${to}`),
    ).toEqual(['1 unapplied > available', '3 available > committed']);
  });

  it('ends with what waited being for sale', () => {
    const { book } = free(orders([[onAllowance(one)]]), { stock: { 1: { unapplied: 3 } } });
    expect(rowAt(book, 1)).toMatchObject({ unapplied: 0, available: 2, committed: 1 });
  });
});

describe('what is for sale already', () => {
  it.each<[string, TestBook, object]>([
    [
      'is offered at every node, and what is left stays for sale',
      { stock: { 1: { available: 1 }, 3: { available: 4 } } },
      [
        { node: 1, converted: 1, unapplied: 0, available: 0 },
        { node: 3, converted: 1, unapplied: 0, available: 3 },
      ],
    ],
    ['is left to the slice where units wait for one', { stock: { 1: { available: 1, unapplied: 1 } } }, []],
  ])('%s', (_, book, nodes) => {
    const waiting = orders([[onAllowance(one)]], [[onAllowance(one)]]);
    expect(offerAvailable(1, waiting, bookWith(waiting, book), TERMS).nodes).toEqual(nodes);
  });
});
