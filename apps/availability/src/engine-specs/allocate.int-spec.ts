import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StockEngine } from '@onepool/stock-data-access';
import { OTHER_SPEC, type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import {
  type AllocationGroup,
  type EngineAnswer,
  type Move,
  type SpecReads,
  act,
  allocate,
  backedBy,
  codeOf,
  done,
  hold,
  move,
  readsOf,
  receipt,
  record,
  sale,
  shift,
} from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
let sku: string;
let used = 0;
beforeAll(async () => {
  pool = await createPoolFixture(3, 60);
  [engine, other] = [pool.engine({ queues: 1 }), pool.engine()];
  reads = readsOf(engine);
});
afterAll(() => pool.close());
beforeEach(() => {
  sku = `sku${++used}`;
});
afterEach(async () => {
  expect(await brokenLaws(pool.dataSource, [sku])).toEqual([]);
  await pool.catalog.putChannels([{ channel: 'web', nodes: 'all' }]);
  await pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 0 }]);
});

/** Reservations and commands of this test. */
const id = (name: string): string => `${sku}-${name}`;
const rowOf = async (code: string, node: string) => (await reads.stock(code)).rows.find((row) => row.node === node);
/** A confirmed reservation, free to move to any node. */
const promiseAnywhere = async (name: string, quantity: number): Promise<void> => {
  done(await hold(engine, name, [[sku, quantity]]));
  done(await act(engine, name, 'confirm', {}));
};

describe('moves of one reservation', () => {
  beforeEach(async () => {
    await pool.receive(sku, 'n1', 5);
    await promiseAnywhere(id('r1'), 4);
    await pool.receive(sku, 'n2', 3);
  });

  it('take promised units to another node, and tell both', async () => {
    expect(done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 3)]))).toEqual({
      id: id('r1'),
      owner: SPEC.actor,
      version: 3,
    });
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 1, n2: 3 });
    expect(await rowOf(sku, 'n1')).toMatchObject({ available: 4, committed: 1 });
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 0, committed: 3 });
  });

  it('decided on a stale version are a conflict that names the current one', async () => {
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 1)]));
    expect(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 1)], id('late'))).toMatchObject({
      rejection: { code: 'reservation.conflict', details: { reservation: 0, version: 3 } },
    });
  });

  it.each<[string, () => Move[], string]>([
    ['more units than are backed there', () => [shift(sku, 'n1', 'n2', 5)], 'reservation.units_missing'],
    ['a node that backs nothing', () => [shift(sku, 'n2', 'n1', 1)], 'reservation.units_missing'],
    ['a SKU that is not reserved', () => [shift('sku60', 'n1', 'n2', 1)], 'reservation.units_missing'],
    [
      'a line that is not there',
      () => [{ line: '2', quantity: 1, from: { node: 'n1' }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    [
      'a fulfilment that has none of them',
      () => [{ sku, quantity: 1, from: { node: 'n1', fulfilment: 'ful_1' }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    [
      'units that stand at no node',
      () => [{ sku, quantity: 1, from: { node: null }, to: { node: 'n2' } }],
      'reservation.units_missing',
    ],
    ['more units than the destination has', () => [shift(sku, 'n1', 'n2', 4)], 'stock.insufficient'],
    [
      'one good and one bad move: neither happens',
      () => [shift(sku, 'n1', 'n2', 1), shift(sku, 'n1', 'n3', 1)],
      'stock.insufficient',
    ],
    ['the same units twice', () => [shift(sku, 'n1', 'n2', 3), shift(sku, 'n1', 'n2', 2)], 'reservation.units_missing'],
  ])('are refused for %s', async (_, movesOf, code) => {
    expect(codeOf(await move(engine, id('r1'), 2, movesOf()))).toBe(code);
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 4 });
    expect((await reads.reservation(SPEC, id('r1'))).version).toBe(2);
  });

  it('from a node onto itself change nothing but the version', async () => {
    const book = await reads.stock(sku);
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n1', 1)]));
    expect(backedBy(await reads.reservation(SPEC, id('r1')), 'confirmed')).toEqual({ n1: 4 });
    expect({ ...(await reads.stock(sku)), asOf: book.asOf }).toEqual(book);
  });

  it('give short units back to the book, not to other buyers', async () => {
    done(await record(engine, id('pos'), [sale(sku, 'n1', 4)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ shortfall: 3, available: 0 });
    done(await move(engine, id('r1'), 2, [shift(sku, 'n1', 'n2', 3)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ shortfall: 0, available: 0, committed: 1, onHand: 1 });
    done(await record(engine, id('wms'), [receipt(sku, 'n1', 1)]));
    expect(await rowOf(sku, 'n1')).toMatchObject({ available: 1 });
  });
});

type Moves = AllocationGroup['reservations'][number];
/** Moves of a reservation of one SKU, which its confirmation has brought to version 2. */
const moving = (name: string, from: string, to: string, quantity = 1, expectedVersion = 2): Moves => ({
  id: id(name),
  expectedVersion,
  moves: [shift(sku, from, to, quantity)],
});
/** Confirmed reservations of one unit each at these nodes, which have no other units. */
const promiseEach = async (at: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, node] of Object.entries(at)) {
    await pool.receive(sku, node, 1);
    done(await hold(engine, id(name), [[sku, 1]], { nodes: ['n1', 'n2', 'n3'] }));
    done(await act(engine, id(name), 'confirm', {}));
  }
};
/** At which nodes open units of reservations are. */
const placesOf = async (...names: string[]): Promise<unknown[]> => {
  const views = await Promise.all(names.map((name) => reads.reservation(SPEC, id(name))));
  return views.map((view) => [view.version, { ...backedBy(view, 'held'), ...backedBy(view, 'confirmed') }]);
};
/** What became of each group: its code, or nothing where it is done. */
const codesOf = (answer: EngineAnswer<Parameters<typeof codeOf>[0][]>): unknown[] => done(answer).map(codeOf);
const groupsOf = async (commandId: string, groups: Moves[][], by = engine): Promise<unknown[]> =>
  codesOf((await allocate(by, id(commandId), groups)) as never);

describe('a group of moves', () => {
  it('swaps the nodes of two orders with nothing free, and changes nothing in the book', async () => {
    await promiseEach({ a: 'n1', b: 'n2' });
    const book = await reads.stock(sku);
    const answer = await allocate(engine, id('swap'), [[moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1')]]);
    const owner = SPEC.actor;
    expect(done(answer)).toEqual([
      {
        ok: true,
        value: {
          reservations: [
            { id: id('a'), owner, version: 3 },
            { id: id('b'), owner, version: 3 },
          ],
        },
        replayed: false,
      },
    ]);
    expect(await placesOf('a', 'b')).toEqual([
      [3, { n2: 1 }],
      [3, { n1: 1 }],
    ]);
    expect({ ...(await reads.stock(sku)), asOf: book.asOf }).toEqual(book);
  });

  it('moves three orders at three nodes in a circle, with nothing free', async () => {
    await promiseEach({ a: 'n1', b: 'n2', c: 'n3' });
    const circle = [moving('a', 'n1', 'n2'), moving('b', 'n2', 'n3'), moving('c', 'n3', 'n1')];
    expect(await groupsOf('circle', [circle])).toEqual([null]);
    expect(await placesOf('a', 'b', 'c')).toEqual([
      [3, { n2: 1 }],
      [3, { n3: 1 }],
      [3, { n1: 1 }],
    ]);
  });

  it('swaps what is held for what is confirmed', async () => {
    await promiseEach({ a: 'n1' });
    await pool.receive(sku, 'n2', 1);
    done(await hold(engine, id('b'), [[sku, 1]]));
    expect(await groupsOf('swap', [[moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1', 1, 1)]])).toEqual([null]);
    expect(await rowOf(sku, 'n1')).toMatchObject({ available: 0, committed: 0, reserved: 1 });
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 0, committed: 1, reserved: 0 });
  });

  it('that takes no more from a node than it gives there asks for no ATP, whatever is kept back', async () => {
    await promiseEach({ a: 'n1', b: 'n2' });
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 50 }]);
    expect(await groupsOf('swap', [[moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1')]])).toEqual([null]);
  });

  it('swaps units that a sale has taken: who stands on the short row is short', async () => {
    await promiseEach({ a: 'n1', b: 'n2' });
    done(await record(engine, id('pos'), [sale(sku, 'n1', 1)]));
    expect(await groupsOf('swap', [[moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1')]])).toEqual([null]);
    expect(await rowOf(sku, 'n1')).toMatchObject({ committed: 1, shortfall: 1 });
    expect(await rowOf(sku, 'n2')).toMatchObject({ committed: 1, shortfall: 0 });
  });

  it('happens whole or not at all, and its refusal names the reservation and the move', async () => {
    await promiseEach({ a: 'n1', b: 'n1' });
    await pool.receive(sku, 'n2', 1);
    const both = [moving('a', 'n1', 'n2'), moving('b', 'n1', 'n3')];
    expect(done(await allocate(engine, id('both'), [both]))).toMatchObject([
      {
        rejection: {
          code: 'stock.insufficient',
          details: { shortages: [{ line: '1', sku, requested: 1, atp: 0 }], reservation: 1 },
        },
      },
    ]);
    expect(await placesOf('a', 'b')).toEqual([
      [2, { n1: 1 }],
      [2, { n1: 1 }],
    ]);
  });

  it('is refused while another of the same request is done', async () => {
    await promiseEach({ a: 'n1', b: 'n1' });
    await pool.receive(sku, 'n2', 2);
    const groups = [[moving('a', 'n1', 'n2', 1, 7)], [moving('b', 'n1', 'n2')]];
    expect(await groupsOf('two', groups)).toEqual(['reservation.conflict', null]);
    expect(await placesOf('a', 'b')).toEqual([
      [2, { n1: 1 }],
      [3, { n2: 1 }],
    ]);
  });

  it('names each reservation once; another group that moves it as well finds that it has changed', async () => {
    await promiseEach({ a: 'n1' });
    await pool.receive(sku, 'n2', 1);
    expect(await groupsOf('twice', [[moving('a', 'n1', 'n2'), moving('a', 'n1', 'n2')]])).toEqual([
      'reservation.duplicate',
    ]);
    const codes = await groupsOf('both', [[moving('a', 'n1', 'n2')], [moving('a', 'n1', 'n2')]]);
    expect(new Set(codes)).toEqual(new Set([null, 'reservation.conflict']));
  });

  it('is refused while one of its reservations belongs to an order of somebody else', async () => {
    await promiseEach({ a: 'n1', b: 'n2' });
    const theirs = {
      verb: 'attach',
      body: { commandId: id('attach'), owner: SPEC.actor, order: id('order') },
    } as const;
    done(await other.verb(OTHER_SPEC, id('b'), theirs));
    const swap = [moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1', 1, 3)];
    expect(done(await allocate(engine, id('swap'), [swap]))).toMatchObject([
      { rejection: { code: 'reservation.attached', details: { order: id('order'), reservation: 1 } } },
    ]);
  });

  it('of a hold that has run out is decided on what is gone: a conflict', async () => {
    await pool.receive(sku, 'n1', 1);
    await pool.receive(sku, 'n2', 1);
    done(await hold(engine, id('a'), [[sku, 1]], { expiresInSeconds: 0 }));
    expect(await groupsOf('late', [[moving('a', 'n1', 'n2', 1, 1)]])).toEqual(['reservation.conflict']);
  });

  it('leaves lines where they may be, though another line of the same SKU may go', async () => {
    await pool.receive(sku, 'n1', 2);
    const lines = [
      { id: 'pickup', sku, quantity: 1, nodes: ['n1'] },
      { id: 'shipped', sku, quantity: 1 },
    ];
    done(await hold(engine, id('a'), [], { lines }));
    await pool.receive(sku, 'n2', 2);
    const of = (line: string): Move => ({ line, quantity: 1, from: { node: 'n1' }, to: { node: 'n2' } });
    expect(codeOf(await move(engine, id('a'), 1, [of('pickup')]))).toBe('stock.insufficient');
    done(await move(engine, id('a'), 1, [of('shipped')]));
    const { lines: told } = await reads.reservation(SPEC, id('a'));
    expect(told.map(({ backings }) => backings.filter(({ held }) => held > 0).map(({ node }) => node))).toEqual([
      ['n1'],
      ['n2'],
    ]);
  });
});

describe('fulfilments', () => {
  const atNode = (node: string, fulfilment: string) => ({ node, fulfilment });

  it('are given to units and taken from them where they are, even at a node that sells no more', async () => {
    await promiseEach({ a: 'n1' });
    await pool.catalog.putChannels([{ channel: 'web', nodes: ['n3'] }]);
    const pin = { ...shift(sku, 'n1', 'n1', 1), to: atNode('n1', 'f1') };
    done(await move(engine, id('a'), 2, [pin], id('pin')));
    const passOn = { ...shift(sku, 'n1', 'n1', 1), from: atNode('n1', 'f1'), to: atNode('n1', 'f2') };
    done(await move(engine, id('a'), 3, [passOn], id('pass')));
    const { backings = [] } = (await reads.reservation(SPEC, id('a'))).lines[0] ?? {};
    expect(backings.map(({ fulfilment, confirmed }) => [fulfilment, confirmed])).toEqual([
      [undefined, 0],
      ['f1', 0],
      ['f2', 1],
    ]);
  });

  it('keep what a node has told of their units while these stay there, and lose it with them', async () => {
    await promiseEach({ a: 'n1' });
    await pool.receive(sku, 'n2', 1);
    done(await move(engine, id('a'), 2, [{ ...shift(sku, 'n1', 'n1', 1), to: atNode('n1', 'f1') }], id('pin')));
    done(await act(engine, id('a'), 'acknowledge', { fulfilment: 'f1', stage: 'accepted', quantity: 1 }));
    const stages = async () => {
      const { backings = [] } = (await reads.reservation(SPEC, id('a'))).lines[0] ?? {};
      return backings.map(({ fulfilment, accepted = 0 }) => [fulfilment, accepted]);
    };
    const passOn = { ...shift(sku, 'n1', 'n1', 1), from: atNode('n1', 'f1'), to: atNode('n1', 'f2') };
    done(await move(engine, id('a'), 4, [passOn], id('pass')));
    expect(await stages()).toEqual([
      [undefined, 0],
      ['f1', 0],
      ['f2', 1],
    ]);
    expect(await brokenLaws(pool.dataSource, [sku])).toEqual([]);
    const away = { ...shift(sku, 'n1', 'n2', 1), from: atNode('n1', 'f2'), to: atNode('n2', 'f3') };
    done(await move(engine, id('a'), 5, [away], id('away')));
    expect((await stages()).map(([, accepted]) => accepted)).toEqual([0, 0, 0, 0]);
  });
});

describe('an override', () => {
  const KEPT_BACK = { plain: 'stock.insufficient', sold: null, by_hand: null };
  const NOT_THERE = { plain: 'stock.insufficient', sold: 'stock.insufficient', by_hand: 'stock.insufficient' };

  it.each<[string, () => Promise<unknown>, Record<string, string | null>]>([
    [
      'a threshold keeps back',
      () => pool.catalog.putThresholds([{ scope: 'node', node: 'n2', quantity: 3 }]),
      KEPT_BACK,
    ],
    ['are at a node that is not among the line’s', () => Promise.resolve(), KEPT_BACK],
    [
      'are at a node that the channel does not have',
      () => pool.catalog.putChannels([{ channel: 'web', nodes: ['n1'] }]),
      KEPT_BACK,
    ],
    ['are not there', () => record(engine, id('pos'), [sale(sku, 'n2', 3)]), NOT_THERE],
  ])('for units that %s', async (what, prepare, expected) => {
    await pool.receive(sku, 'n1', 3);
    const nodes = what.includes('the line’s') ? { nodes: ['n1'] } : {};
    for (const name of Object.keys(expected)) done(await hold(engine, id(name), [[sku, 1]], nodes));
    await pool.receive(sku, 'n2', 3);
    await prepare();
    for (const [name, code] of Object.entries(expected)) {
      const override = name === 'plain' ? {} : { override: name as 'sold' | 'by_hand' };
      const answer = await allocate(engine, id(`${name}-move`), [[moving(name, 'n1', 'n2', 1, 1)]], override);
      expect([name, done(answer).map(codeOf)]).toEqual([name, [code]]);
    }
  });
});

describe('a request with many groups', () => {
  it('asked again, of whichever replica, is answered the same and changes nothing', async () => {
    await promiseEach({ a: 'n1', b: 'n2', c: 'n1' });
    const groups = [[moving('a', 'n1', 'n2'), moving('b', 'n2', 'n1')], [moving('c', 'n1', 'n1')]];
    const first = done(await allocate(engine, id('all'), groups)).map((group) => done(group));
    const book = await reads.stock(sku);
    for (const replica of [other, engine]) {
      const again = done(await allocate(replica, id('all'), groups));
      expect(again).toEqual(first.map((value) => ({ ok: true, value, replayed: true })));
    }
    expect({ ...(await reads.stock(sku)), asOf: book.asOf }).toEqual(book);
    expect((await placesOf('a', 'b', 'c')).map((place) => (place as unknown[])[0])).toEqual([3, 3, 3]);
  });

  it('asked again finishes what was refused, and leaves what was done', async () => {
    await promiseEach({ a: 'n1', b: 'n1' });
    await pool.receive(sku, 'n2', 1);
    const groups = [[moving('a', 'n1', 'n2')], [moving('b', 'n1', 'n3')]];
    expect(await groupsOf('two', groups)).toEqual([null, 'stock.insufficient']);
    await pool.receive(sku, 'n3', 1);
    expect(await groupsOf('two', groups, other)).toEqual([null, null]);
    expect(await placesOf('a', 'b')).toEqual([
      [3, { n2: 1 }],
      [3, { n3: 1 }],
    ]);
  });

  const [toN2, toN3] = [(name: string) => [moving(name, 'n1', 'n2')], (name: string) => [moving(name, 'n1', 'n3')]];
  it.each<[string, () => Moves[][], () => Moves[][]]>([
    ['one group', () => [toN2('a')], () => [toN3('b')]],
    ['more groups', () => [toN2('a')], () => [toN2('a'), toN2('b')]],
    ['other groups behind the same first one', () => [toN2('a'), toN2('c')], () => [toN2('a'), toN2('b')]],
    ['fewer groups', () => [toN2('a'), toN2('c')], () => [toN2('b')]],
    ['fewer groups, when the first was refused', () => [[moving('a', 'n1', 'n2', 1, 9)], toN2('c')], () => [toN2('b')]],
    ['its groups in another order', () => [toN2('a'), toN2('c')], () => [toN2('c'), toN2('a')]],
  ])('with another body under the same id, %s, does nothing', async (_, first, second) => {
    await promiseEach({ a: 'n1', b: 'n1', c: 'n1' });
    await pool.receive(sku, 'n2', 3);
    await pool.receive(sku, 'n3', 3);
    done(await allocate(engine, id('key'), first()));
    const before = await placesOf('a', 'b', 'c');
    expect(codeOf(await allocate(other, id('key'), second()))).toBe('idempotency.mismatch');
    expect(await placesOf('a', 'b', 'c')).toEqual(before);
  });

  it.each([[1], [2]])('under the id of another verb does nothing, with %s groups', async (count) => {
    await promiseEach({ a: 'n1', b: 'n1' });
    await pool.receive(sku, 'n2', 2);
    const groups = [toN2('a'), toN2('b')].slice(0, count);
    expect(codeOf(await allocate(engine, `${id('a')}-confirm`, groups))).toBe('idempotency.mismatch');
    done(await allocate(engine, id('key'), groups));
    expect(codeOf(await act(engine, id('b'), 'cancel', { commandId: id('key') }))).toBe('idempotency.mismatch');
  });

  it('of more than 500 reservations or 4,000 moves is refused before anything happens', async () => {
    await promiseEach({ a: 'n1' });
    await pool.receive(sku, 'n2', 1);
    const others = numbered('nobody', 500).map((name) => toN2(name));
    expect(await allocate(engine, id('all'), [toN2('a'), ...others])).toMatchObject({
      rejection: {
        code: 'allocation.too_large',
        details: { reservations: 501, moves: 501, limits: { reservations: 500, moves: 4_000 } },
      },
    });
    const often = { ...moving('a', 'n1', 'n2'), moves: Array.from({ length: 2_001 }, () => shift(sku, 'n1', 'n2', 1)) };
    expect(codeOf(await allocate(engine, id('often'), [[often], [often]]))).toBe('allocation.too_large');
    expect(await placesOf('a')).toEqual([[2, { n1: 1 }]]);
  });

  it('moves 500 reservations in one group', async () => {
    await pool.receive(sku, 'n1', 500);
    const names = numbered('r', 500);
    (await Promise.all(names.map((name) => hold(engine, id(name), [[sku, 1]])))).forEach(done);
    await pool.receive(sku, 'n2', 500);
    expect(await groupsOf('all', [names.map((name) => moving(name, 'n1', 'n2', 1, 1))])).toEqual([null]);
    expect(await rowOf(sku, 'n2')).toMatchObject({ available: 0, reserved: 500 });
  });
});
