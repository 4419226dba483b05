/** Reservations and the book that stands behind them, for specs of what moves, ends or adds promises. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from '../arithmetic.ts';
import { NO_INBOUND } from '../inbound.ts';
import type { LineNo, NodeKey, SkuKey } from '../keys.ts';
import {
  type Backing,
  type OpenTally,
  type Reservation,
  type ReservationLine,
  TALLIES,
  emptyBacking,
  onStock,
  open,
  supplyOf,
  totalOf,
} from '../reservation.ts';
import { SellingRules } from '../selling-rules.ts';
import { type SkuSupply, type Supplies, type SupplyEffect, noSupply, rowOf, suppliesAfter } from '../supply.ts';
import { type SupplyPlace, type SupplyRow, emptyRow, isSamePlace, net, rowFault, stockAt } from '../supply-row.ts';
import { NOW, sellingChannel, sellingNode, threshold } from './arbitraries.ts';

/** Units on stock at a node, of line 0 and SKU 1 unless said. */
export const backing = (node: NodeKey, over: Partial<Backing> = {}): Backing => ({
  ...emptyBacking(0, onStock(0, 1, node)),
  ...over,
});
export const unbacked = (over: Partial<Backing> = {}): Backing => backing(0, { kind: 'unbacked', ...over });

/** A line for every number that a backing has, with all that stands behind it granted. */
export function reserved(
  backings: readonly Backing[],
  over: Partial<Reservation> = {},
  nodes: Readonly<Record<number, readonly NodeKey[]>> = {},
): Reservation {
  const numbers = [...new Set(backings.map(({ line }) => line))].toSorted((a, b) => a - b);
  const lines = numbers.map((no): ReservationLine => {
    const own = backings.filter(({ line }) => line === no);
    const granted = TALLIES.reduce((sum, tally) => sum + totalOf(own, tally), 0);
    const counts = { requested: granted, granted, added: 0, withdrawn: 0 };
    return { no, id: lineId(no), sku: own[0]?.sku ?? 1, ...counts, nodes: nodes[no] ?? null };
  });
  return {
    key: 1,
    channel: 1,
    version: 7,
    createdAt: NOW - 100,
    expiresAt: NOW + 100,
    controller: null,
    priority: 0,
    orderedAt: null,
    destination: null,
    lines,
    backings: backings.map((one, no) => ({ ...one, no })),
    ...over,
  };
}

/** `a` of line 0, `b` of line 1 … */
export const lineId = (no: LineNo): string => String.fromCodePoint(97 + no);

/** What stands where, in short: `a@1` is line a at node 1, `a@1#F` for a fulfilment, `a@-` on no row. Only where units are open. */
export const standing = ({
  lines,
  backings,
}: Reservation): Readonly<Record<string, Partial<Record<OpenTally, number>>>> =>
  Object.fromEntries(
    backings
      .filter((one) => open(one) > 0)
      .map(({ line, kind, node, fulfilment, held, confirmed }) => [
        `${lines[line]?.id ?? ''}@${kind === 'unbacked' ? '-' : node}${fulfilment === null ? '' : `#${fulfilment}`}`,
        { ...(held > 0 && { held }), ...(confirmed > 0 && { confirmed }) },
      ]),
  );

/** A book in which promises are what the reservations say; the rest as told by SKU and node. */
export function bookOf(
  reservations: readonly Reservation[],
  units: Readonly<Record<number, Readonly<Record<number, Partial<SupplyRow>>>>> = {},
): Supplies {
  const all = reservations.flatMap(({ backings }) => backings);
  const skus = new Set([1, ...Object.keys(units).map(Number), ...all.map(({ sku }) => sku)]);
  return new Map(
    [...skus].map((sku): [SkuKey, SkuSupply] => {
      const told = Object.entries(units[sku] ?? {}).map(([node, over]) => ({
        ...emptyRow(stockAt(Number(node))),
        ...over,
      }));
      const places = all.flatMap((one) => (one.sku === sku ? (supplyOf(one) ?? []) : []));
      const rows = [...told];
      for (const at of places) if (!rows.some((row) => isSamePlace(row, at))) rows.push(emptyRow(at));
      const promised = rows.map((row) => ({ ...row, ...promisedAt(all, sku, row) }));
      return [
        sku,
        {
          sku,
          rows: promised.filter(({ kind }) => kind === 'stock'),
          future: promised.filter(({ kind }) => kind !== 'stock'),
          inbound: NO_INBOUND,
        },
      ];
    }),
  );
}

export function promisedAt(
  backings: readonly Backing[],
  sku: SkuKey,
  at: SupplyPlace,
): Readonly<Record<'reserved' | 'committed', number>> {
  const own = backings.filter((one) => {
    const place = supplyOf(one);
    return one.sku === sku && place !== null && isSamePlace(place, at);
  });
  return { reserved: totalOf(own, 'held'), committed: totalOf(own, 'confirmed') };
}

const rowsOf = ({ rows, future }: SkuSupply): readonly SupplyRow[] => [...rows, ...future];

/**
 * Every row is sound, promises what the reservations say, and follows from its postings; and of what is there, as many units have come
 * as is said: none where nothing physical happened.
 */
export const expectLawful = (
  before: Supplies,
  effect: SupplyEffect,
  all: readonly Reservation[],
  came: (node: NodeKey) => number = () => 0,
): void => expect(faultsOf(before, effect, all, came)).toEqual([]);

function faultsOf(
  before: Supplies,
  effect: SupplyEffect,
  all: readonly Reservation[],
  came: (node: NodeKey) => number,
): readonly string[] {
  const backings = all.flatMap((one) => one.backings);
  const faults = backings.map(backingFault);
  for (const [sku, supply] of suppliesAfter(before, effect)) {
    for (const row of rowsOf(supply)) {
      const then = rowOf(before.get(sku) ?? noSupply(sku), row);
      const own = effect.postings.filter((posting) => posting.sku === sku && isSamePlace(posting.at, row));
      const { reserved, committed } = promisedAt(backings, sku, row);
      const of = `${sku} ${JSON.stringify(row)}`;
      faults.push(
        rowFault(row),
        row.reserved === reserved && row.committed === committed
          ? null
          : `promises of ${of}: ${reserved}, ${committed}`,
        row.kind !== 'stock' || net(row) === net(then) + came(row.node) ? null : `units of ${of}`,
        JSON.stringify(applyTransfers(then, own)) === JSON.stringify(row) ? null : `postings of ${of}`,
      );
    }
    for (const one of backings) {
      const at = one.sku === sku ? supplyOf(one) : null;
      const isThere = at === null || open(one) === 0 || rowsOf(supply).some((row) => isSamePlace(row, at));
      if (!isThere) faults.push(`no row for ${JSON.stringify(one)}`);
    }
  }
  return faults.filter((fault) => fault !== null);
}

/** What is wrong with a backing, or null. */
export function backingFault(one: Backing): string | null {
  const counts = [...TALLIES.map((tally) => one[tally]), one.accepted, one.picked, one.shipped];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return 'a count below nothing';
  if (one.accepted > open(one) || one.picked > one.accepted || one.shipped > one.picked) return 'stages out of order';
  if (one.kind === 'unbacked' && (one.node !== 0 || one.fulfilment !== null || one.accepted > 0))
    return 'unbacked, and at a node';
  return null;
}

export const tallied = (backings: readonly Backing[], line: LineNo): number => {
  const own = backings.filter((one) => one.line === line);
  return TALLIES.reduce((sum, tally) => sum + totalOf(own, tally), 0);
};
export const openOf = (backings: readonly Backing[], line: LineNo): Readonly<Record<OpenTally, number>> => {
  const own = backings.filter((one) => one.line === line);
  return { held: totalOf(own, 'held'), confirmed: totalOf(own, 'confirmed') };
};

export const NODES: readonly NodeKey[] = [1, 2, 3, 4];
export const SKUS: readonly SkuKey[] = [1, 2];

export interface ReservedWorld {
  readonly supplies: Supplies;
  readonly reservations: readonly Reservation[];
  readonly rules: SellingRules;
}

const few = fc.nat(3);
const someNodes = fc.option(fc.subarray([...NODES], { minLength: 1 }), { nil: null, freq: 2 });

/** Where units of a line stand: mostly on stock, with a fulfilment or none; some on their way, beyond that, or nowhere. */
const place = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('stock' as const), node: fc.constantFrom(...NODES) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('incoming' as const), node: fc.constantFrom(1, 2) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'allowance' as const, node: 0 }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unbacked' as const, node: 0 }) },
);
const someBacking = fc
  .record({
    place,
    fulfilment: fc.constantFrom(null, null, null, 'F', 'G'),
    held: few,
    confirmed: few,
    ended: fc.record({ fulfilled: fc.nat(1), released: fc.nat(1), expired: fc.nat(1) }),
    stages: fc.tuple(few, few, few),
  })
  .map(({ place: { kind, node }, fulfilment, held, confirmed, ended, stages: [a, b, c] }) => {
    const worked = kind === 'stock' && fulfilment !== null;
    const accepted = worked ? Math.min(a, held + confirmed) : 0;
    const picked = Math.min(b, accepted);
    const stages = { accepted, picked, shipped: Math.min(c, picked) };
    const at = { kind, detail: kind === 'incoming' ? 5 : 0, fulfilment: worked ? fulfilment : null };
    return backing(node, { ...at, held, confirmed, ...ended, ...stages });
  });

const someLine = fc.record({
  sku: fc.constantFrom(...SKUS),
  nodes: someNodes,
  backings: fc.uniqueArray(someBacking, {
    selector: ({ kind, node, fulfilment }) => `${kind}:${node}:${fulfilment ?? ''}`,
    minLength: 1,
    maxLength: 3,
  }),
});
const someReservation = fc
  .record({
    channel: fc.constantFrom(1, 1, 2),
    /** A reservation is held or confirmed; at times a mixture, which no verb makes. */
    only: fc.constantFrom<OpenTally | null>('held', 'confirmed', null),
    lines: fc.array(someLine, { minLength: 1, maxLength: 3 }),
  })
  .map(({ channel, only, lines }): Reservation => {
    const backings = lines.flatMap((line, no) =>
      line.backings.map((one) => {
        const units = only === null ? {} : { held: 0, confirmed: 0, [only]: open(one) };
        return { ...one, ...units, line: no, sku: line.sku };
      }),
    );
    const nodes = lines.flatMap((line, no) => (line.nodes ? [[no, line.nodes] as const] : []));
    return reserved(backings, { channel }, Object.fromEntries(nodes));
  });

/** Reservations of two SKUs over four nodes, the book behind them with free, short and overdrawn rows, and rules that hide some. */
export const reservedWorld: fc.Arbitrary<ReservedWorld> = fc
  .record({
    some: fc.array(someReservation, { minLength: 1, maxLength: 4 }),
    stock: fc.array(
      fc.record({
        free: fc.nat(5),
        unapplied: fc.constantFrom(0, 0, 2),
        short: fc.constantFrom(0, 0, 0, 0, 0, 1, 3, 99),
      }),
      { minLength: 12, maxLength: 12 },
    ),
    served: fc.option(fc.subarray([...NODES]), { nil: null }),
    thresholds: fc.array(
      fc.record({
        scope: fc.constantFrom('node' as const, 'network' as const),
        channel: fc.constantFrom(null, 1, 2),
        quantity: fc.nat(3),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ some, stock, served, thresholds }) => {
    const reservations = some.map((one, index) => ({ ...one, key: index + 1 }));
    const promises = bookOf(reservations, { 1: allNodes, 2: allNodes });
    const supplies = new Map(
      [...promises].map(([sku, { rows, future, inbound }]): [SkuKey, SkuSupply] => {
        const shortOrFree = (row: SupplyRow, index: number): SupplyRow => {
          const { free = 0, unapplied = 0, short = 0 } = stock[(index + 6 * sku) % stock.length] ?? {};
          const promised = row.reserved + row.committed;
          if (row.kind === 'allowance') return row;
          const shortfall = Math.min(short, promised);
          if (shortfall === 0) return { ...row, available: free, unapplied: row.kind === 'stock' ? unapplied : 0 };
          const overdrawn = row.kind === 'stock' && short === 99 ? free : 0;
          return { ...row, shortfall, overdrawn };
        };
        return [sku, { sku, rows: rows.map(shortOrFree), future: future.map(shortOrFree), inbound }];
      }),
    );
    const web = sellingChannel();
    const pos = sellingChannel({ key: 2, code: 'POS', nodes: served ? new Set(served) : 'all' });
    const rules = new SellingRules(
      NODES.map((key) => sellingNode(key)),
      [web, pos],
      thresholds.map(threshold),
    );
    return { supplies, reservations, rules };
  });

const allNodes = Object.fromEntries(NODES.map((node) => [node, {}]));
