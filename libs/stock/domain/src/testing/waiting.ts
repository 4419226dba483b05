/** Promises on what is not there yet, with the book and the lines behind them, for specs of how they are served. */
import fc from 'fast-check';
import { type InboundLine, onTheWay } from '../inbound.ts';
import type { NodeKey } from '../keys.ts';
import { type Backing, type Reservation, open } from '../reservation.ts';
import { SellingRules } from '../selling-rules.ts';
import type { SkuSupply, Supplies } from '../supply.ts';
import { type SupplyRow, emptyRow } from '../supply-row.ts';
import { NOW, inboundLine, sellingChannel, sellingNode } from './arbitraries.ts';
import { backing, bookOf, lineId, reserved } from './reserved.ts';

/** Units that wait on an allowance, of any node unless said. */
export const onAllowance = (over: Partial<Backing> = {}): Backing => backing(0, { kind: 'allowance', ...over });
/** Units that wait for a line; of those, lines 1 to 9 come to node 1, 10 to 19 to node 2, and so on. */
export const onLine = (detail: number, over: Partial<Backing> = {}): Backing =>
  backing(nodeOf(detail), { kind: 'incoming', detail, ...over });

const nodeOf = (detail: number): NodeKey => 1 + Math.trunc(detail / 10);
export const line = (detail: number, over: Partial<InboundLine> = {}): InboundLine =>
  inboundLine({ detail, node: nodeOf(detail), dueAt: NOW + 1000, ...over });

export interface TestBook {
  /** By node. */
  readonly stock?: Readonly<Record<number, Partial<SupplyRow>>>;
  readonly lines?: readonly InboundLine[];
  /** Of rows of lines, by detail, besides their promises. */
  readonly coming?: Readonly<Record<number, Partial<SupplyRow>>>;
}

/** A book of SKU 1 in which promises are what the reservations say, and which has a row for every line. */
export function bookWith(
  reservations: readonly Reservation[],
  { stock = {}, lines = [], coming = {} }: TestBook,
): Supplies {
  const book = bookOf(reservations, { 1: stock });
  const found = book.get(1);
  if (!found) throw new Error('a book of SKU 1 has it');
  const future = lines.map((one): SupplyRow => {
    const own = found.future.find(({ detail }) => detail === one.detail);
    return { ...emptyRow(onTheWay(one)), ...own, ...coming[one.detail] };
  });
  const others = found.future.filter(({ kind }) => kind === 'allowance');
  const supply: SkuSupply = { ...found, future: [...others, ...future], inbound: lines };
  return new Map([...book, [1, supply]]);
}

/** Where open units stand, in short: `a@1` is line a at node 1, `a~0` on the allowance of any node, `a<1` on line 1, `#F` with a fulfilment. */
export const standsOn = ({ backings }: Reservation): Readonly<Record<string, number>> =>
  Object.fromEntries(
    backings
      .filter((one) => open(one) > 0)
      .map((one) => [
        `${lineId(one.line)}${placeOf(one)}${one.fulfilment === null ? '' : `#${one.fulfilment}`}`,
        open(one),
      ]),
  );

const placeOf = ({ kind, node, detail }: Backing): string => {
  if (kind === 'allowance') return `~${node}`;
  if (kind === 'incoming') return `<${detail}`;
  return kind === 'stock' ? `@${node}` : '-';
};

/** Channel 1 sells from everywhere, channel 2 from node 1 only. */
export const TWO_CHANNELS = new SellingRules(
  [1, 2, 3].map((key) => sellingNode(key)),
  [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1]) })],
  [],
);

export interface WaitingWorld {
  readonly reservations: readonly Reservation[];
  readonly supplies: Supplies;
}

const LINES = [1, 2, 11, 12];
const few = fc.nat(3);
const waitingBacking = fc
  .record({
    place: fc.constantFrom('any', 'one', ...LINES, 'stock'),
    fulfilment: fc.constantFrom(null, null, null, 'F'),
    units: fc.integer({ min: 1, max: 3 }),
    isHeld: fc.boolean(),
  })
  .map(({ place, fulfilment, units, isHeld }): Backing => {
    const tallies = isHeld && fulfilment === null ? { held: units } : { confirmed: units };
    if (place === 'any') return onAllowance(tallies);
    if (place === 'one') return onAllowance({ node: 1, ...tallies });
    if (place === 'stock') return backing(1, { ...tallies, fulfilment });
    return onLine(Number(place), { ...tallies, fulfilment });
  });

const waitingReservation = fc
  .record({
    backings: fc.uniqueArray(fc.tuple(fc.constantFrom(0, 1), waitingBacking), {
      selector: ([no, { kind, node, detail, fulfilment }]) => `${no}${kind}${node}${detail}${fulfilment ?? ''}`,
      minLength: 1,
      maxLength: 3,
    }),
    channel: fc.constantFrom(1, 1, 2),
    priority: fc.constantFrom(0, 0, 5),
    age: fc.nat(3),
    orderedAt: fc.constantFrom(null, NOW - 500),
    nodes: fc.constantFrom(null, null, [2], [1, 2]),
  })
  .map(({ backings, channel, priority, age, orderedAt, nodes }) => {
    const [first] = backings;
    // Lines are numbered from 0.
    const own = backings.map(([no, one]) => ({ ...one, line: first && backings.every(([n]) => n > 0) ? 0 : no }));
    return reserved(own, { channel, priority, createdAt: NOW - 100 + age, orderedAt }, nodes ? { 0: nodes } : {});
  });

/**
 * Reservations that stand on stock, on allowances and on lines, some of them late, closed or short, and some riding; and stock of
 * any kind at three nodes.
 */
export const waitingWorld: fc.Arbitrary<WaitingWorld> = fc
  .record({
    some: fc.array(waitingReservation, { minLength: 1, maxLength: 5 }),
    free: fc.array(fc.record({ available: fc.nat(4), unapplied: fc.constantFrom(0, 0, 0, 2), damaged: few }), {
      minLength: 3,
      maxLength: 3,
    }),
    lines: fc.array(
      fc.record({
        dueAt: fc.constantFrom(null, NOW - 1, NOW + 1),
        isClosed: fc.constantFrom(false, false, true),
        spare: few,
        short: fc.constantFrom(0, 0, 1, 3),
      }),
      { minLength: LINES.length, maxLength: LINES.length },
    ),
    shortStock: fc.constantFrom(0, 0, 2),
  })
  .map(({ some, free, lines, shortStock }) => {
    const reservations = some.map((one, index) => ({ ...one, key: index + 1 }));
    const inbound = LINES.map((detail, place) =>
      line(detail, { dueAt: lines[place]?.dueAt ?? null, isClosed: lines[place]?.isClosed ?? false }),
    );
    const bare = bookWith(reservations, { lines: inbound }).get(1);
    const promisedOn = (detail: number): number => {
      const row = bare?.future.find((one) => one.detail === detail);
      return row ? row.committed + row.reserved : 0;
    };
    const coming = Object.fromEntries(
      LINES.map((detail, place) => {
        const { spare = 0, short = 0, isClosed = false } = lines[place] ?? {};
        const shortfall = isClosed ? promisedOn(detail) : Math.min(short, promisedOn(detail));
        return [detail, shortfall > 0 || isClosed ? { shortfall } : { available: spare }];
      }),
    );
    const atOne = bare?.rows.find(({ node }) => node === 1);
    const short = Math.min(shortStock, atOne ? atOne.committed + atOne.reserved : 0);
    const stock = Object.fromEntries(
      free.map((units, place) => [
        place + 1,
        place === 0 && short > 0 ? { shortfall: short, damaged: units.damaged } : units,
      ]),
    );
    return { reservations, supplies: bookWith(reservations, { stock, lines: inbound, coming }) };
  });
