/** Builders for specs of what becomes of promises: reservations that stand on rows of SKU 1, and what must hold after a verb. */
import fc from 'fast-check';
import { applyTransfers } from '../arithmetic.ts';
import type { VerbEffect } from '../decide-verb.ts';
import { NO_INBOUND } from '../inbound.ts';
import type { NodeKey } from '../keys.ts';
import {
  type Backing,
  type BackingPlace,
  type Reservation,
  STAGES,
  type Stage,
  TALLIES,
  type Tally,
  onNothing,
  onStock,
  open,
  supplyOf,
  totalOf,
  withUnits,
} from '../reservation.ts';
import { type SupplyPlace, type SupplyRow, emptyRow, isSamePlace, rowFault, stockAt } from '../supply-row.ts';
import { type Supplies, rowOf } from '../supply.ts';
import { NOW } from './arbitraries.ts';

/** What is there of SKU 1 at node 1, or elsewhere if it says so. */
export const stockRow = (units: Partial<SupplyRow> = {}): SupplyRow => ({ ...emptyRow(stockAt(1)), ...units });

/** Rows of SKU 1, with nodes from 1 on where they do not say. */
export function bookOf(...units: readonly Partial<SupplyRow>[]): Supplies {
  const rows = units.map((one, index) => stockRow({ node: index + 1, ...one }));
  const isStock = ({ kind }: SupplyRow): boolean => kind === 'stock';
  const future = rows.filter((row) => !isStock(row));
  return new Map([[1, { sku: 1, rows: rows.filter(isStock), future, inbound: NO_INBOUND }]]);
}

export type Units = Partial<Record<Tally | Stage, number>>;

/** Units of a line at a node, or at none (0). */
export const standing = (
  units: Units,
  { line = 0, node = 1, fulfilment = null }: Partial<Pick<BackingPlace, 'line' | 'node' | 'fulfilment'>> = {},
): readonly [BackingPlace, Units] => [node === 0 ? onNothing(line, 1) : onStock(line, 1, node, fulfilment), units];

/** A reservation of SKU 1 with as many lines as its units name. */
export function promising(
  parts: readonly (readonly [BackingPlace, Units])[],
  over: Partial<Reservation> = {},
): Reservation {
  const backings = parts.reduce<readonly Backing[]>((all, [at, units]) => withUnits(all, at, units), []);
  const count = Math.max(...backings.map(({ line }) => line + 1), 0);
  const lines = Array.from({ length: count }, (_, no) => {
    const granted = unitsOfLine(backings, no);
    return { no, id: `l${no}`, sku: 1, requested: granted, granted, added: 0, withdrawn: 0, nodes: null };
  });
  return {
    key: 1,
    channel: 1,
    version: 1,
    createdAt: NOW - 100,
    expiresAt: NOW + 100,
    controller: null,
    priority: 0,
    orderedAt: null,
    destination: null,
    lines,
    backings,
    ...over,
  };
}

/** Units that a line has or had, whatever became of them. */
const unitsOfLine = (backings: readonly Backing[], line: number): number => {
  const own = backings.filter((backing) => backing.line === line);
  return TALLIES.reduce((sum, tally) => sum + totalOf(own, tally), 0);
};

/** Backings that have units, or had some, without their numbers. */
export const standingOf = ({ backings }: Reservation): readonly (readonly [BackingPlace, Units])[] =>
  backings.flatMap(({ no: _, line, sku, kind, node, detail, fulfilment, fence: __, fenced: ___, ...units }) => {
    const some = Object.entries(units).filter(([, quantity]) => quantity > 0);
    return some.length === 0
      ? []
      : [[{ line, sku, kind, node, detail, fulfilment }, Object.fromEntries(some)] as const];
  });

export interface World {
  readonly reservation: Reservation;
  readonly supplies: Supplies;
}

const few = fc.integer({ min: 0, max: 4 });
const NODES: readonly NodeKey[] = [1, 2, 3];

const anyStanding = fc
  .record({
    line: fc.constantFrom(0, 1),
    node: fc.constantFrom<NodeKey>(0, ...NODES),
    fulfilment: fc.constantFrom('F1', 'F1', 'F2', null),
    held: few,
    confirmed: few,
    fulfilled: few,
    past: fc.tuple(few, few, few),
  })
  .map(({ line, node, fulfilment, held, confirmed, fulfilled, past }) => {
    const [shipped = 0, picked = 0, accepted = 0] = past.map((one) => Math.min(one, confirmed)).sort((a, b) => a - b);
    const works = node !== 0 && fulfilment !== null;
    const units = { held, confirmed, fulfilled: node === 0 ? 0 : fulfilled };
    return standing(works ? { ...units, accepted, picked, shipped } : units, { line, node, fulfilment });
  });

/** A row with these promises and others', in any lawful state: with free units, with promises that it no longer covers, or sold below nothing. */
const anyRow = fc
  .record({
    state: fc.constantFrom('free', 'short', 'overdrawn'),
    confirmed: few,
    held: few,
    free: fc.record({ available: few, unapplied: few, safetyStock: few }),
    aside: fc.record({ damaged: few, qualityControl: few }),
    missing: few,
  })
  .map(({ state, confirmed, held, free, aside, missing }) => (own: Pick<SupplyRow, 'committed' | 'reserved'>) => {
    const promises = { committed: own.committed + confirmed, reserved: own.reserved + held };
    const sum = promises.committed + promises.reserved;
    if (state === 'free') return { ...promises, ...free, ...aside };
    if (state === 'short') return { ...promises, ...aside, shortfall: Math.min(missing, sum) };
    return { ...promises, shortfall: sum, overdrawn: missing };
  });

/** Any row that the laws allow. */
export const lawfulRow: fc.Arbitrary<SupplyRow> = anyRow.map((rowWith) =>
  stockRow(rowWith({ committed: 0, reserved: 0 })),
);

/** A reservation of two lines, at three nodes and at none, with the book that it stands on. */
export const anyWorld: fc.Arbitrary<World> = fc
  .tuple(fc.array(anyStanding, { minLength: 1, maxLength: 6 }), fc.tuple(anyRow, anyRow, anyRow))
  .map(([parts, rows]) => {
    const reservation = promising(parts);
    const supplies = bookOf(...rows.map((rowWith, index) => rowWith(promisesOn(reservation, stockAt(index + 1)))));
    return { reservation, supplies };
  });

function promisesOn({ backings }: Reservation, at: SupplyPlace): Pick<SupplyRow, 'committed' | 'reserved'> {
  const own = backings.filter((backing) => {
    const row = supplyOf(backing);
    return row !== null && isSamePlace(row, at);
  });
  return { committed: totalOf(own, 'confirmed'), reserved: totalOf(own, 'held') };
}

export const rowsOf = (supplies: Supplies): readonly SupplyRow[] =>
  [...supplies.values()].flatMap(({ rows, future }) => [...rows, ...future]);

/** The book after a verb. */
export const bookAfter = ({ supplies }: World, { effect }: VerbEffect): Supplies =>
  new Map([...supplies, ...effect.supplies]);

/** What a verb may never do, whichever it is; empty if it did none of it. */
export function faultsAfter(world: World, after: VerbEffect): readonly string[] {
  const { reservation } = world;
  const book = bookAfter(world, after);
  const faults: string[] = [];
  if (after.reservation.version !== reservation.version + 1) faults.push('the version is not the next one');
  for (const { no } of reservation.lines)
    if (unitsOfLine(after.reservation.backings, no) !== unitsOfLine(reservation.backings, no))
      faults.push(`units of line ${no} came or went`);
  faults.push(...after.reservation.backings.flatMap(faultOfBacking));
  for (const row of rowsOf(book)) faults.push(...faultsOfRow(world, after, row));
  return faults;
}

function faultOfBacking(backing: Backing): readonly string[] {
  const { no, kind, fulfilment, accepted, picked, shipped } = backing;
  const faults: string[] = [];
  const units = [...TALLIES, ...STAGES].map((one) => backing[one]);
  if (units.some((one) => one < 0)) faults.push(`backing ${no} has less than nothing`);
  if (shipped > picked || picked > accepted || accepted > open(backing)) faults.push(`stages of backing ${no}`);
  if (kind === 'unbacked' && (fulfilment !== null || accepted > 0)) faults.push(`a node works on unbacked ${no}`);
  return faults;
}

function faultsOfRow({ reservation, supplies }: World, after: VerbEffect, row: SupplyRow): readonly string[] {
  const faults: string[] = [];
  const fault = rowFault(row);
  if (fault) faults.push(fault);
  const before = supplies.get(1);
  if (!before) throw new Error('Broken invariant: a world without SKU 1');
  const was = rowOf(before, row);
  const others = (one: SupplyRow, of: Reservation): readonly number[] => [
    one.committed - promisesOn(of, one).committed,
    one.reserved - promisesOn(of, one).reserved,
  ];
  if (others(row, after.reservation).join() !== others(was, reservation).join())
    faults.push(`row ${row.node} does not promise what its backings do`);
  const told = applyTransfers(
    was,
    after.effect.postings.filter(({ at }) => isSamePlace(at, row)),
  );
  if (JSON.stringify(told) !== JSON.stringify(row)) faults.push(`postings do not lead to row ${row.node}`);
  return faults;
}
