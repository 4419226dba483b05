import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { policyOf } from './allocation.ts';
import { DEFAULT_ALLOCATION, lowestKey } from './allocation-rules.ts';
import { type AmendedLine, type Amendment, decideAmend, linesAfter } from './decide-amend.ts';
import type { VerbEffect } from './decide-verb.ts';
import type { NodeKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { type Backing, type Reservation, open, statusOf } from './reservation.ts';
import { SellingRules } from './selling-rules.ts';
import type { Terms } from './settlement.ts';
import { type Supplies, rowAt } from './supply.ts';
import { NOW, notAt, openRules, sellingChannel, sellingNode, threshold } from './testing/arbitraries.ts';
import {
  NODES,
  backing,
  bookOf,
  expectLawful,
  lineId,
  openOf,
  reserved,
  reservedWorld,
  standing,
  tallied,
  unbacked,
} from './testing/reserved.ts';

const line = (id: string, quantity: number, over: Partial<AmendedLine> = {}): AmendedLine => ({
  id,
  sku: 1,
  quantity,
  nodes: null,
  ...over,
});
const amendment = (lines: readonly AmendedLine[], over: Partial<Amendment> = {}): Amendment => ({
  expectedVersion: 7,
  lines,
  channel: null,
  destination: undefined,
  priority: null,
  ...over,
});
const terms = (rules: SellingRules = openRules(), override: Terms['override'] = null): Terms => ({
  rules,
  now: NOW,
  override,
});
const rejectionOf = (decision: Decision<VerbEffect>): unknown => (decision.ok ? 'accepted' : decision.rejection);
const after = (decision: Decision<VerbEffect>): Reservation => {
  if (!decision.ok) throw new Error(`refused: ${JSON.stringify(decision.rejection)}`);
  return decision.value.reservation;
};
const short = (no: number, requested: number, atp: number, sku = 1): object => ({
  code: 'stock.insufficient',
  shortages: [{ line: no, sku, requested, atp }],
});

/** 3 confirmed at node 1, of which one was fulfilled long ago. */
const three = reserved([backing(1, { confirmed: 3, fulfilled: 1 })]);

describe('amending a quantity', () => {
  it.each<[string, Reservation, number, object, Partial<Backing>]>([
    ['less: confirmed units are cancelled', three, 2, { 'a@1': { confirmed: 1 } }, { cancelled: 2, fulfilled: 1 }],
    ['down to what was fulfilled', three, 1, {}, { cancelled: 3, fulfilled: 1 }],
    ['the same', three, 4, { 'a@1': { confirmed: 3 } }, { cancelled: 0, fulfilled: 1 }],
    ['more: as confirmed', three, 6, { 'a@1': { confirmed: 5 } }, { cancelled: 0 }],
    ['less: held units are released', reserved([backing(1, { held: 3 })]), 1, { 'a@1': { held: 1 } }, { released: 2 }],
    ['more: as held', reserved([backing(1, { held: 3 })]), 4, { 'a@1': { held: 4 } }, {}],
    [
      'more where some were cancelled: what the client wants is what it gets',
      reserved([backing(1, { confirmed: 1, cancelled: 2, broken: 1 })]),
      3,
      { 'a@1': { confirmed: 3 } },
      { cancelled: 2, broken: 1 },
    ],
  ])('to %s', (_, before, quantity, stands, tallies) => {
    const decision = decideAmend(
      before,
      amendment([line('a', quantity)]),
      bookOf([before], { 1: { 1: { available: 9 } } }),
      terms(),
    );
    const amended = after(decision);
    expect(standing(amended)).toEqual(stands);
    expect(amended.backings[0]).toMatchObject(tallies);
    expect(amended).toMatchObject({ version: 8, expiresAt: before.expiresAt });
    const [first] = amended.lines;
    expect(first!.granted + first!.added - first!.withdrawn).toBe(quantity);
    expect(first!.granted + first!.added).toBe(tallied(amended.backings, 0));
  });

  it('counts what was added and what was withdrawn, and forgets neither', () => {
    const supplies = bookOf([three], { 1: { 1: { available: 9 } } });
    const more = after(decideAmend(three, amendment([line('a', 6)]), supplies, terms()));
    expect(more.lines[0]).toMatchObject({ requested: 4, granted: 4, added: 2, withdrawn: 0 });
    const less = after(decideAmend(more, amendment([line('a', 3)], { expectedVersion: 8 }), bookOf([more]), terms()));
    expect(less.lines[0]).toMatchObject({ requested: 4, granted: 4, added: 2, withdrawn: 3 });
  });

  it('ends the least advanced units first', () => {
    const before = reserved([
      backing(1, { confirmed: 2, fulfilment: 'F', accepted: 2, picked: 1 }),
      backing(2, { confirmed: 2, fulfilment: 'G' }),
      backing(3, { confirmed: 2 }),
      backing(1, { confirmed: 2, kind: 'incoming', detail: 5 }),
      unbacked({ confirmed: 2 }),
    ]);
    const ended = (quantity: number) => {
      const decision = decideAmend(before, amendment([line('a', quantity)]), bookOf([before]), terms());
      return after(decision).backings.map(({ cancelled }) => cancelled);
    };
    expect(ended(9)).toEqual([0, 0, 0, 0, 1]);
    expect(ended(7)).toEqual([0, 0, 0, 1, 2]);
    expect(ended(5)).toEqual([0, 0, 1, 2, 2]);
    expect(ended(3)).toEqual([0, 1, 2, 2, 2]);
    expect(ended(1)).toEqual([1, 2, 2, 2, 2]);
    const one = after(decideAmend(before, amendment([line('a', 1)]), bookOf([before]), terms()));
    expect(one.backings[0]).toMatchObject({ confirmed: 1, accepted: 1, picked: 1, shipped: 0 });
  });

  it('ends held units before confirmed ones, where a backing has both', () => {
    const before = reserved([backing(1, { held: 2, confirmed: 2 })]);
    const amended = after(decideAmend(before, amendment([line('a', 1)]), bookOf([before]), terms()));
    expect(amended.backings[0]).toMatchObject({ held: 0, confirmed: 1, released: 2, cancelled: 1 });
  });

  it('gives units back to a short row before anybody can buy them', () => {
    const supplies = bookOf([three], { 1: { 1: { shortfall: 2 } } });
    const decision = decideAmend(three, amendment([line('a', 1)]), supplies, terms());
    expect(decision.ok && rowAt(decision.value.effect.supplies.get(1)!, 1)).toMatchObject({
      shortfall: 0,
      available: 1,
    });
  });

  const shipping = reserved([
    backing(1, { confirmed: 4, fulfilled: 2, fulfilment: 'F', accepted: 3, picked: 2, shipped: 1 }),
  ]);
  it.each([
    ['than was fulfilled', 1],
    ['than a node has shipped, too', 2],
  ])('is refused where it is less %s', (_, quantity) =>
    expect(rejectionOf(decideAmend(shipping, amendment([line('a', quantity)]), bookOf([shipping]), terms()))).toEqual({
      code: 'reservation.units_missing',
      at: { line: 'a', sku: 1, node: undefined, fulfilment: undefined },
      there: 3,
    }),
  );
  it('ends what a node works on as long as it has not shipped it', () => {
    const amended = after(decideAmend(shipping, amendment([line('a', 3)]), bookOf([shipping]), terms()));
    expect(amended.backings[0]).toMatchObject({ confirmed: 1, cancelled: 3, accepted: 1, picked: 1, shipped: 1 });
  });

  it('leaves lines that it does not name as they are', () => {
    const before = reserved([backing(1, { held: 1 }), backing(2, { held: 2, line: 1, sku: 2 })]);
    const amended = after(decideAmend(before, amendment([line('a', 0)]), bookOf([before]), terms()));
    expect(amended.lines[1]).toBe(before.lines[1]);
    expect(amended.backings[1]).toBe(before.backings[1]);
  });

  it('is refused as a whole where there is too little for one line, and names all of them', () => {
    const before = reserved([backing(1, { held: 1 }), backing(1, { held: 1, line: 1, sku: 2 })]);
    const supplies = bookOf([before], { 1: { 1: { available: 1 } }, 2: { 2: { available: 1 } } });
    const decision = decideAmend(before, amendment([line('b', 4, { sku: 2 }), line('a', 3)]), supplies, terms());
    expect(rejectionOf(decision)).toEqual({
      code: 'stock.insufficient',
      shortages: [
        { line: 0, sku: 1, requested: 2, atp: 1 },
        { line: 1, sku: 2, requested: 3, atp: 1 },
      ],
    });
  });

  it('takes no unit that the channel hides, at a node or as a whole, unless somebody overrides it', () => {
    const supplies = bookOf([three], { 1: { 1: { available: 2 }, 2: { available: 2 } } });
    const decide = (quantity: number, rules: SellingRules, override: Terms['override'] = null) =>
      decideAmend(three, amendment([line('a', quantity)]), supplies, terms(rules, override));
    const node = openRules([threshold({ node: 2, quantity: 1 })]);
    const network = openRules([threshold({ scope: 'network', quantity: 1 })]);
    expect(standing(after(decide(7, node)))).toEqual({ 'a@1': { confirmed: 5 }, 'a@2': { confirmed: 1 } });
    expect(rejectionOf(decide(8, node))).toEqual(short(0, 4, 3));
    expect(decide(7, network).ok).toBe(true);
    expect(rejectionOf(decide(8, network))).toEqual(short(0, 4, 3));
    expect(decide(8, node, 'sold').ok).toBe(true);
    expect(decide(8, network, 'by_hand').ok).toBe(true);
    expect(rejectionOf(decide(9, node, 'sold'))).toEqual(short(0, 5, 4));
  });

  it('allocates what is added by its policy, near its new destination', () => {
    const rules = new SellingRules(
      [sellingNode(1, { lat: 0, lng: 0 }), sellingNode(2, { lat: 0, lng: 10 }), sellingNode(3, { lat: 0, lng: 20 })],
      [sellingChannel()],
      [],
    );
    const before = reserved([backing(1, { held: 1 })], { destination: { lat: 0, lng: 0 } });
    const supplies = bookOf([before], { 1: { 1: { available: 5 }, 2: { available: 5 }, 3: { available: 5 } } });
    const where = (over: Partial<Amendment>, policy = DEFAULT_ALLOCATION) =>
      Object.keys(
        standing(after(decideAmend(before, amendment([line('a', 2)], over), supplies, terms(rules), policy))),
      );
    expect(where({})).toEqual(['a@1']);
    expect(where({ destination: { lat: 0, lng: 19 } })).toEqual(['a@1', 'a@3']);
    expect(where({}, policyOf([notAt(1), lowestKey]))).toEqual(['a@1', 'a@2']);
  });
});

describe('amending lines', () => {
  const held = reserved([backing(1, { held: 2 })]);

  it('adds one, with a number of its own', () => {
    const supplies = bookOf([held], { 1: { 2: { available: 5 } } });
    const decision = decideAmend(held, amendment([line('x', 2, { nodes: [2] })]), supplies, terms());
    const amended = after(decision);
    expect(standing(amended)).toEqual({ 'a@1': { held: 2 }, 'x@2': { held: 2 } });
    expect(amended.lines[1]).toEqual({
      no: 1,
      id: 'x',
      sku: 1,
      requested: 0,
      granted: 0,
      added: 2,
      withdrawn: 0,
      nodes: [2],
    });
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 1, sku: 1, node: null, quantity: 2, fulfilment: null, to: { node: 2, fulfilment: null } },
    ]);
  });

  it('says of a line that it would have added which one is short', () => {
    const asked = [line('y', 0), line('x', 2)];
    expect(rejectionOf(decideAmend(held, amendment(asked), bookOf([held]), terms()))).toEqual(short(2, 2, 0));
    expect(linesAfter(held, asked)[2]).toMatchObject({ id: 'x', no: 2 });
  });

  it('changes a SKU: the line goes on under another number, and what is left of the old one ends', () => {
    const before = reserved([backing(1, { confirmed: 2, fulfilled: 1 })]);
    const supplies = bookOf([before], { 2: { 3: { available: 5 } } });
    const amended = after(decideAmend(before, amendment([line('a', 2, { sku: 2 })]), supplies, terms()));
    expect(standing(amended)).toEqual({ 'a@3': { confirmed: 2 } });
    expect(amended.lines).toEqual([
      { no: 0, id: 'a', sku: 1, requested: 3, granted: 3, added: 0, withdrawn: 2, nodes: null },
      { no: 1, id: 'a', sku: 2, requested: 0, granted: 0, added: 2, withdrawn: 0, nodes: null },
    ]);
    expect(amended.backings[0]).toMatchObject({ cancelled: 2, fulfilled: 1 });
  });

  it('goes back to the SKU that it had: the number is the old one, and none is used twice', () => {
    const supplies = bookOf([held], { 1: { 1: { available: 5 } }, 2: { 1: { available: 5 } } });
    const there = after(decideAmend(held, amendment([line('a', 2, { sku: 2 })]), supplies, terms()));
    const free = bookOf([there], { 1: { 1: { available: 5 } } });
    const back = after(decideAmend(there, amendment([line('a', 3)], { expectedVersion: 8 }), free, terms()));
    expect(standing(back)).toEqual({ 'a@1': { held: 3 } });
    expect(back.lines).toMatchObject([
      { no: 0, sku: 1, granted: 2, added: 3, withdrawn: 2 },
      { no: 1, sku: 2, granted: 0, added: 2, withdrawn: 2 },
    ]);
  });

  it('keeps all the parts of a line that it names, and ends the others', () => {
    const parts = reserved([backing(1, { held: 1 }), backing(1, { held: 1, line: 1, sku: 2 })]);
    const kit = { ...parts, lines: parts.lines.map((one) => ({ ...one, id: 'kit' })) };
    const both = [line('kit', 1), line('kit', 1, { sku: 2 })];
    expect(standing(after(decideAmend(kit, amendment(both), bookOf([kit]), terms())))).toEqual(standing(kit));
    const [one] = both;
    expect(after(decideAmend(kit, amendment([one!]), bookOf([kit]), terms())).backings).toMatchObject([
      { held: 1 },
      { held: 0, released: 1 },
    ]);
  });

  it('does not change a SKU of which a node has shipped units', () => {
    const before = reserved([backing(1, { confirmed: 1, fulfilment: 'F', accepted: 1, picked: 1, shipped: 1 })]);
    const supplies = bookOf([before], { 2: { 1: { available: 5 } } });
    const decision = decideAmend(before, amendment([line('a', 1, { sku: 2 })]), supplies, terms());
    expect(rejectionOf(decision)).toMatchObject({ code: 'reservation.units_missing', there: 0 });
  });

  it('of the same name twice is a mistake of the caller', () =>
    expect(() => decideAmend(held, amendment([line('a', 1), line('a', 2)]), bookOf([held]), terms())).toThrow('twice'));

  it('lets one line take what another gives up, whatever the thresholds are', () => {
    const rules = openRules([threshold({ quantity: 9 }), threshold({ scope: 'network', quantity: 9 })]);
    const asked = amendment([line('x', 2, { nodes: [1] }), line('a', 0)]);
    const decision = decideAmend(held, asked, bookOf([held]), terms(rules));
    expect(standing(after(decision))).toEqual({ 'x@1': { held: 2 } });
    expect(decision.ok && decision.value.effect.postings).toEqual([]);
  });

  it('lets one line take what another gives up on a short row', () => {
    const supplies = bookOf([held], { 1: { 1: { shortfall: 2 } } });
    const asked = amendment([line('x', 1, { nodes: [1] }), line('a', 1)]);
    const decision = decideAmend(held, asked, supplies, terms());
    expect(standing(after(decision))).toEqual({ 'a@1': { held: 1 }, 'x@1': { held: 1 } });
  });

  it('counts only what is left of it after another line has taken it', () => {
    const supplies = bookOf([held], { 1: { 1: { available: 1 } } });
    const asked = (more: number) => amendment([line('a', 0), line('x', 2), line('y', more)]);
    expect(decideAmend(held, asked(1), supplies, terms()).ok).toBe(true);
    expect(rejectionOf(decideAmend(held, asked(2), supplies, terms()))).toEqual(short(2, 2, 1));
  });

  it('serves lines first that only few nodes may serve', () => {
    const supplies = bookOf([held], { 1: { 1: { available: 1 }, 2: { available: 1 }, 3: { available: 1 } } });
    const asked = amendment([line('x', 1), line('y', 1, { nodes: [1, 2] }), line('z', 1, { nodes: [1] })]);
    const amended = after(decideAmend(held, asked, supplies, terms()));
    expect(standing(amended)).toEqual({
      'a@1': { held: 2 },
      'z@1': { held: 1 },
      'y@2': { held: 1 },
      'x@3': { held: 1 },
    });
  });
});

describe('amending where a line may be served', () => {
  const spread = reserved([backing(1, { confirmed: 2 }), backing(2, { confirmed: 1, held: 1 })]);
  const at = (nodes: readonly NodeKey[] | null, quantity = 4, override: Terms['override'] = null) =>
    decideAmend(
      spread,
      amendment([line('a', quantity, { nodes })]),
      bookOf([spread], { 1: { 3: { available: 3 } } }),
      terms(openRules(), override),
    );

  it('moves the units that may no longer be where they are, as what they are, and leaves the others', () => {
    const decision = at([1, 3]);
    expect(standing(after(decision))).toEqual({ 'a@1': { confirmed: 2 }, 'a@3': { held: 1, confirmed: 1 } });
    expect(after(decision).lines[0]).toMatchObject({ nodes: [1, 3], added: 0, withdrawn: 0 });
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: 2, quantity: 2, fulfilment: null, to: { node: 3, fulfilment: null } },
    ]);
  });

  it('is refused where the other nodes have too little', () => expect(rejectionOf(at([3]))).toEqual(short(0, 4, 3)));

  it('keeps to the nodes even by hand', () => expect(rejectionOf(at([3], 4, 'by_hand'))).toEqual(short(0, 4, 3)));

  it('ends what would have to move before what may stay', () =>
    expect(standing(after(at([1], 2)))).toEqual({ 'a@1': { confirmed: 2 } }));

  it('serves what moves before what is added, with units of several nodes', () => {
    const supplies = bookOf([spread], { 1: { 3: { available: 3 }, 4: { available: 2 } } });
    const asked = amendment([line('a', 5, { nodes: [3, 4] })]);
    expect(standing(after(decideAmend(spread, asked, supplies, terms())))).toEqual({
      'a@3': { confirmed: 3 },
      'a@4': { held: 2 },
    });
  });

  it('lets two lines swap their nodes with nothing free', () => {
    const before = reserved([backing(1, { held: 2 }), backing(2, { held: 2, line: 1 })], {}, { 0: [1], 1: [2] });
    const asked = amendment([line('a', 2, { nodes: [2] }), line('b', 2, { nodes: [1] })]);
    const decision = decideAmend(before, asked, bookOf([before]), terms(openRules([threshold({ quantity: 5 })])));
    expect(standing(after(decision))).toEqual({ 'a@2': { held: 2 }, 'b@1': { held: 2 } });
    expect(decision.ok && decision.value.effect.postings).toEqual([]);
  });

  it.each<[string, readonly NodeKey[] | null]>([
    ['its nodes are said again', [3, 4]],
    ['more nodes will do', [2, 3, 4]],
    ['one of its nodes will not do any more', [4]],
    ['any node will do', null],
  ])('leaves units where somebody has put them by hand when %s', (_, nodes) => {
    const before = reserved([backing(1, { held: 2 })], {}, { 0: [4, 3] });
    expect(
      standing(after(decideAmend(before, amendment([line('a', 2, { nodes })]), bookOf([before]), terms()))),
    ).toEqual({
      'a@1': { held: 2 },
    });
  });

  it('leaves units at a node that has closed', () => {
    const before = reserved([backing(1, { held: 2 })]);
    const closed = new SellingRules([sellingNode(1, { activeTo: NOW })], [sellingChannel()], []);
    const asked = amendment([line('a', 1, { nodes: [1, 2] })]);
    expect(standing(after(decideAmend(before, asked, bookOf([before]), terms(closed))))).toEqual({
      'a@1': { held: 1 },
    });
  });

  it('leaves what stands on no row, and on an allowance of any node', () => {
    const before = reserved([unbacked({ held: 1 }), backing(0, { kind: 'allowance', held: 1 })]);
    const asked = amendment([line('a', 2, { nodes: [3] })]);
    expect(after(decideAmend(before, asked, bookOf([before]), terms())).backings).toEqual(before.backings);
  });

  it('moves what was to come to another node', () => {
    const before = reserved([backing(1, { kind: 'incoming', detail: 5, held: 1 })]);
    const supplies = bookOf([before], { 1: { 3: { available: 1 } } });
    const decision = decideAmend(before, amendment([line('a', 1, { nodes: [3] })]), supplies, terms());
    expect(standing(after(decision))).toEqual({ 'a@3': { held: 1 } });
    expectLawful(supplies, (decision as { value: VerbEffect }).value.effect, [after(decision)]);
  });

  it('is refused where a node works on units that would have to move', () => {
    const before = reserved([backing(1, { confirmed: 2 }), backing(2, { confirmed: 1, fulfilment: 'F' })]);
    const supplies = bookOf([before], { 1: { 3: { available: 9 } } });
    const decide = (quantity: number, nodes: readonly NodeKey[]) =>
      decideAmend(before, amendment([line('a', quantity, { nodes })]), supplies, terms());
    const pinned = { code: 'reservation.pinned', at: { line: 'a', sku: 1, node: 2, fulfilment: 'F' } };
    expect(rejectionOf(decide(3, [3]))).toEqual(pinned);
    expect(rejectionOf(decide(1, [1]))).toEqual(pinned);
    expect(standing(after(decide(3, [2, 3])))).toEqual({ 'a@2#F': { confirmed: 1 }, 'a@3': { confirmed: 2 } });
    expect(standing(after(decide(0, [3])))).toEqual({});
  });
});

describe('handing a reservation over to another channel', () => {
  const pos = sellingChannel({ key: 2, code: 'POS', nodes: new Set([2, 3]) });
  const rules = (...thresholds: readonly Parameters<typeof threshold>[0][]): SellingRules =>
    new SellingRules(
      NODES.map((key) => sellingNode(key)),
      [sellingChannel(), pos],
      thresholds.map(threshold),
    );
  const before = reserved([backing(1, { held: 2 }), backing(2, { held: 1 })]);
  const handOver = (
    given: SellingRules,
    over: Partial<Amendment> = {},
    { of = before, override = null }: { readonly of?: Reservation; readonly override?: Terms['override'] } = {},
  ) =>
    decideAmend(
      of,
      amendment([], { channel: 2, ...over }),
      bookOf([of], { 1: { 3: { available: 3 } } }),
      terms(given, override),
    );

  it('moves the units of all lines that stand where it may not sell', () => {
    const amended = after(handOver(rules()));
    expect(standing(amended)).toEqual({ 'a@2': { held: 1 }, 'a@3': { held: 2 } });
    expect(amended.channel).toBe(2);
  });

  it('takes by the rules of the new channel, and keeps what it need not take', () => {
    expect(handOver(rules({ channel: 1, quantity: 9 })).ok).toBe(true);
    expect(handOver(rules({ channel: 2, node: 2, quantity: 9 })).ok).toBe(true);
    expect(rejectionOf(handOver(rules({ channel: 2, node: 3, quantity: 2 })))).toEqual(short(0, 2, 1));
    expect(handOver(rules({ scope: 'network', channel: 2, quantity: 1 })).ok).toBe(true);
    expect(rejectionOf(handOver(rules({ scope: 'network', channel: 2, quantity: 2 })))).toEqual(short(0, 2, 1));
  });

  it('adds for the new channel, too', () => {
    const more = [line('a', 4)];
    expect(standing(after(handOver(rules(), { lines: more })))).toEqual({ 'a@2': { held: 1 }, 'a@3': { held: 3 } });
    expect(rejectionOf(handOver(rules(), { lines: [line('a', 5)] }))).toEqual(short(0, 4, 3));
  });

  it('is refused where a node works on units from which it may not sell', () => {
    const of = reserved([backing(1, { confirmed: 1, fulfilment: 'F' })]);
    const at = { line: 'a', sku: 1, node: 1, fulfilment: 'F' };
    expect(rejectionOf(handOver(rules(), {}, { of }))).toEqual({ code: 'reservation.pinned', at });
    expect(handOver(rules(), {}, { of, override: 'by_hand' }).ok).toBe(true);
  });

  it('leaves everything where it is by hand', () =>
    expect(standing(after(handOver(rules(), {}, { override: 'by_hand' })))).toEqual(standing(before)));

  it('goes nowhere where nobody knows the channel', () =>
    expect(rejectionOf(handOver(rules(), { channel: 9 }))).toEqual(short(0, 3, 0)));

  it('has nothing to do for a channel that has it already', () =>
    expect(after(handOver(rules(), { channel: 1 })).backings).toEqual(before.backings));
});

describe('what else an amendment says', () => {
  const before = reserved([backing(1, { held: 1 })], { priority: 3, destination: { lat: 1, lng: 2 } });
  it.each<[string, Partial<Amendment>, Partial<Reservation>]>([
    ['nothing', {}, { priority: 3, destination: { lat: 1, lng: 2 } }],
    ['a priority', { priority: 0 }, { priority: 0 }],
    ['a destination', { destination: { lat: 5, lng: 6 } }, { destination: { lat: 5, lng: 6 } }],
    ['no destination any more', { destination: null }, { destination: null, priority: 3 }],
  ])('is kept: %s', (_, over, expected) => {
    const decision = decideAmend(before, amendment([], over), bookOf([before]), terms());
    expect(after(decision)).toEqual({ ...before, version: 8, ...expected });
    expect(decision.ok && decision.value.effect.postings).toEqual([]);
  });

  it.each([6, 8])('is refused when it was decided on another version than 7: %i', (expectedVersion) =>
    expect(rejectionOf(decideAmend(before, amendment([], { expectedVersion }), bookOf([before]), terms()))).toEqual({
      code: 'reservation.conflict',
      version: 7,
    }),
  );

  it.each(['fulfilled', 'released', 'expired', 'cancelled', 'broken'] as const)(
    'comes too late for what is all %s',
    (tally) => {
      const closed = reserved([backing(1, { [tally]: 2 })]);
      const supplies = bookOf([closed], { 1: { 1: { available: 9 } } });
      expect(rejectionOf(decideAmend(closed, amendment([line('a', 3)]), supplies, terms()))).toEqual({
        code: 'reservation.not_held',
        at: null,
      });
    },
  );
});

/** Lines of a reservation and new ones, with any quantity and nodes, and at times another SKU. */
const someLines = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom(...[0, 1, 2, 3].map(lineId)),
    sku: fc.constantFrom(1, 2),
    quantity: fc.nat(7),
    nodes: fc.option(fc.subarray([...NODES], { minLength: 1 }), { nil: null, freq: 2 }),
  }),
  { selector: ({ id, sku }) => `${id}:${sku}`, maxLength: 4 },
);
const someAmendment = fc.record({
  lines: someLines,
  channel: fc.constantFrom(null, null, 1, 2),
  override: fc.constantFrom<Terms['override']>(null, null, 'sold'),
});

interface Amended {
  readonly before: Reservation;
  readonly others: readonly Reservation[];
  readonly supplies: Supplies;
  readonly rules: SellingRules;
  readonly asked: Amendment;
  readonly decision: Decision<VerbEffect>;
}

/** Half of the amendments change one line a little, so that many are accepted. */
const amended: fc.Arbitrary<Amended> = fc
  .record({ world: reservedWorld, some: someAmendment, near: fc.boolean(), step: fc.constantFrom(-2, -1, 0, 0, 1) })
  .map(({ world: { supplies, reservations, rules }, some, near, step }) => {
    const [before, ...others] = reservations as [Reservation, ...Reservation[]];
    const lines = near ? some.lines.slice(0, 1).map((one) => nearTo(before, one, step)) : some.lines;
    const asked = amendment(lines, { channel: some.channel });
    const decision = decideAmend(before, asked, supplies, terms(rules, some.override));
    return { before, others, supplies, rules, asked, decision };
  });

const nearTo = ({ lines, backings }: Reservation, { id, nodes }: AmendedLine, step: number): AmendedLine => {
  const known = lines.find((one) => one.id === id) ?? lines[0]!;
  return {
    id: known.id,
    sku: known.sku,
    nodes: nodes ?? [3, 4],
    quantity: Math.max(0, live(backings, known.no) + step),
  };
};

const live = (backings: readonly Backing[], no: number): number =>
  backings.filter((b) => b.line === no).reduce((sum, b) => sum + open(b) + b.fulfilled, 0);

describe('laws of amending', () => {
  it('is accepted often enough for the laws to mean something', () => {
    const decisions = fc.sample(amended, { numRuns: 400, seed: 7 }).map(({ decision }) => decision);
    const accepted = decisions.flatMap((decision) => (decision.ok ? [decision.value] : []));
    expect(accepted.length).toBeGreaterThan(100);
    expect(
      accepted.filter(({ changes }) => changes.some(({ node, to }) => to && node !== null)).length,
    ).toBeGreaterThan(10);
    expect(accepted.filter(({ changes }) => changes.some(({ to }) => !to)).length).toBeGreaterThan(20);
    const codes = new Set(decisions.map((decision) => (decision.ok ? 'accepted' : decision.rejection.code)));
    expect(codes).toEqual(
      new Set([
        'accepted',
        'stock.insufficient',
        'reservation.pinned',
        'reservation.units_missing',
        'reservation.not_held',
      ]),
    );
  });

  it('leaves a lawful book behind, in which promises are what the reservations say', () => {
    fc.assert(
      fc.property(amended, ({ before, others, supplies, decision }) => {
        expectLawful(supplies, { supplies: new Map(), postings: [] }, [before, ...others]);
        if (!decision.ok) return;
        expectLawful(supplies, decision.value.effect, [decision.value.reservation, ...others]);
      }),
      { numRuns: 250 },
    );
  });

  it('gives every named line what was asked for, and leaves out nothing that was ever granted or added', () => {
    fc.assert(
      fc.property(amended, ({ before, asked, decision }) => {
        if (!decision.ok) return;
        const { lines, backings } = decision.value.reservation;
        for (const { no, id, sku, granted, added, withdrawn } of lines) {
          expect(tallied(backings, no)).toBe(granted + added);
          expect(withdrawn).toBeGreaterThanOrEqual(before.lines[no]?.withdrawn ?? 0);
          const named = asked.lines.find((one) => one.id === id && one.sku === sku);
          if (named)
            expect([live(backings, no), granted + added - withdrawn]).toEqual([named.quantity, named.quantity]);
          else if (asked.lines.some((one) => one.id === id))
            expect(openOf(backings, no)).toEqual({ held: 0, confirmed: 0 });
          else expect(openOf(backings, no)).toEqual(openOf(before.backings, no));
        }
        expect(lines.map(({ no }) => no)).toEqual(lines.map((_, place) => place));
        expect(new Set(lines.map(({ id, sku }) => `${id}:${sku}`)).size).toBe(lines.length);
      }),
      { numRuns: 250 },
    );
  });

  it('keeps on the very same backings as much as the new quantity and nodes allow', () => {
    fc.assert(
      fc.property(amended, ({ before, rules, decision }) => {
        if (!decision.ok) return;
        const { reservation } = decision.value;
        const channel = rules.channels.get(reservation.channel)!;
        const isHandedOver = reservation.channel !== before.channel;
        for (const { no, nodes } of before.lines) {
          const own = before.backings.filter((one) => one.line === no);
          const chosen = reservation.lines[no]!.nodes;
          const loses = (node: NodeKey) => (nodes?.includes(node) ?? true) && !(chosen?.includes(node) ?? true);
          const mayStay = own.filter(
            ({ kind, node }) =>
              kind === 'unbacked' ||
              node === 0 ||
              (!loses(node) && (!isHandedOver || rules.isEligible(channel, node, NOW))),
          );
          const sum = (some: readonly Backing[]) => some.reduce((total, one) => total + open(one), 0);
          const kept = own.reduce((total, one) => total + Math.min(open(one), open(reservation.backings[one.no]!)), 0);
          const wanted = sum(reservation.backings.filter((one) => one.line === no));
          expect(kept).toBeGreaterThanOrEqual(Math.min(wanted, sum(mayStay)));
        }
      }),
      { numRuns: 250 },
    );
  });

  it('moves or ends no unit on which a node works, unless there are fewer wanted, and none that was shipped', () => {
    fc.assert(
      fc.property(amended, ({ before, decision }) => {
        if (!decision.ok) return;
        for (const one of before.backings.filter(({ fulfilment }) => fulfilment !== null)) {
          const now = decision.value.reservation.backings[one.no]!;
          expect(now.held + now.released).toBe(one.held + one.released);
          expect(now.confirmed + now.cancelled).toBe(one.confirmed + one.cancelled);
          expect(now.shipped).toBe(one.shipped);
          expect(now.fulfilled).toBe(one.fulfilled);
        }
        expect(decision.value.changes.every(({ fulfilment, to }) => fulfilment === null || to === undefined)).toBe(
          true,
        );
      }),
      { numRuns: 250 },
    );
  });

  it('adds as what the reservation is, and ends as what the units were', () => {
    fc.assert(
      fc.property(amended, ({ before, decision }) => {
        if (!decision.ok) return;
        const { backings } = decision.value.reservation;
        for (const one of before.backings)
          for (const [from, to] of [
            ['held', 'released'],
            ['confirmed', 'cancelled'],
          ] as const)
            expect(backings[one.no]![to]).toBeLessThanOrEqual(one[to] + one[from]);
        const untouched = statusOf(before.backings) === 'held' ? 'confirmed' : 'held';
        const sum = (of: readonly Backing[]) =>
          of.reduce((all, one) => all + one[untouched] + one[untouched === 'held' ? 'released' : 'cancelled'], 0);
        expect(sum(backings)).toBe(sum(before.backings));
      }),
      { numRuns: 250 },
    );
  });

  it('takes of a row no more, by its net effect, than the channel may have of it', () => {
    fc.assert(
      fc.property(reservedWorld, someAmendment, ({ supplies, reservations, rules }, { lines, channel }) => {
        const [before] = reservations as [Reservation];
        const decision = decideAmend(before, amendment(lines, { channel }), supplies, terms(rules));
        if (!decision.ok) return;
        const seller = rules.channels.get(decision.value.reservation.channel)!;
        for (const [sku, { rows }] of decision.value.effect.supplies)
          for (const row of rows) {
            const then = rowAt(supplies.get(sku)!, row.node);
            const taken = row.reserved + row.committed - then.reserved - then.committed;
            const hidden = rules.nodeThreshold(seller.key, sku, row.node);
            if (taken > 0) expect(taken).toBeLessThanOrEqual(then.available - hidden);
          }
      }),
      { numRuns: 250 },
    );
  });

  it('changes nothing of what it was given', () => {
    fc.assert(
      fc.property(reservedWorld, someAmendment, ({ supplies, reservations, rules }, { lines, channel }) => {
        const copy = structuredClone([[...supplies], reservations]);
        decideAmend(reservations[0]!, amendment(lines, { channel }), supplies, terms(rules));
        expect([[...supplies], reservations]).toEqual(copy);
      }),
    );
  });

  it('asked for what it has it moves nothing', () => {
    fc.assert(
      fc.property(reservedWorld, ({ supplies, reservations, rules }) => {
        const [before] = reservations as [Reservation];
        fc.pre(statusOf(before.backings) !== 'closed');
        const same = before.lines.map(({ no, id, sku, nodes }) => ({
          id,
          sku,
          nodes,
          quantity: live(before.backings, no),
        }));
        const decision = decideAmend(before, amendment(same), supplies, terms(rules));
        expect(decision.ok && decision.value.effect.postings).toEqual([]);
        expect(decision.ok && decision.value.reservation.backings).toEqual(before.backings);
      }),
    );
  });
});
