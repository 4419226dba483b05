/** Random books of one SKU, with what was counted of it and all that a count looks at. */
import {
  type Account,
  COUNTED_STATES,
  type CountedState,
  type Stage,
  type SupplyRow,
  STAGES,
  emptyRow,
  net,
  promised,
  stockAt,
} from '@onepool/stock-domain';
import fc from 'fast-check';

export const NODES = [1, 2, 3];
export const nodeCode = (node: number): string => `node-${node}`;
export const SOURCES = ['wms', 'erp'] as const;
/** The source that counts. */
export const COUNTING = SOURCES[0];

/** All times are milliseconds after a moment that all share; few, so that many fall together. */
export interface CountedBook {
  readonly version: number;
  readonly rows: readonly SupplyRow[];
  /** At most one a node. */
  readonly counts: readonly Count[];
  /** What is on its way, which no count speaks of. */
  readonly future: readonly SupplyRow[];
  /** At nodes that have a row. */
  readonly events: readonly LedgerEvent[];
  readonly promises: readonly OpenPromise[];
  /** Open ones of broken promises, at most one a node. */
  readonly exceptions: readonly { readonly node: number; readonly quantity: number }[];
  readonly task: { readonly isDue: boolean; readonly beforeKey: number | null } | null;
  /** Earlier counts. */
  readonly marks: readonly Mark[];
}

export interface Count {
  readonly node: number;
  readonly quantity: number;
  readonly at: number;
  readonly hasRecordId: boolean;
}

export interface LedgerEvent {
  readonly node: number;
  readonly from: Account;
  readonly to: Account;
  readonly reason: string;
  readonly quantity: number;
  readonly at: number;
}

/** Units of a fulfilment. Those past a stage are past the ones before. */
export interface OpenPromise extends Readonly<Record<Stage, number>> {
  readonly node: number;
  readonly held: number;
  readonly confirmed: number;
  /** By how many the units past a stage became more or fewer. */
  readonly steps: readonly { readonly stage: Stage; readonly units: number; readonly at: number }[];
}

export interface Mark {
  readonly node: number;
  readonly source: (typeof SOURCES)[number];
  /** Null of a physical count; of one of availability, from which stage on its source left promised units out. */
  readonly deductsAt: Stage | null;
  /** Of a count of one state; null of one of all that is there, or of availability. */
  readonly state: CountedState | null;
  readonly at: number;
}

const units = fc.oneof(fc.constant(0), fc.nat(5), fc.nat(100_000_000));
const node = fc.constantFrom(...NODES);
const time = fc.integer({ min: -4, max: 4 });

/** A row that keeps every law: shortfall leaves nothing free, overdrawn leaves nothing on hand. */
const soundRow: fc.Arbitrary<SupplyRow> = fc
  .record({
    kind: fc.constantFrom('free', 'short', 'overdrawn'),
    node,
    part: fc.nat(100),
    promises: fc.record({ committed: units, reserved: units }),
    free: fc.record({ available: units, safetyStock: units, unapplied: units }),
    unsold: fc.record({ damaged: units, qualityControl: units }),
    overdrawn: units,
  })
  .map(({ kind, node: at, part, promises, free, unsold, overdrawn }) => {
    const row = { ...emptyRow(stockAt(at)), ...promises };
    if (kind === 'free') return { ...row, ...free, ...unsold };
    if (kind === 'overdrawn') return { ...row, shortfall: promised(row), overdrawn };
    return { ...row, ...unsold, shortfall: Math.ceil((promised(row) * part) / 100) };
  });

const incoming: fc.Arbitrary<SupplyRow> = fc
  .record({ node, detail: fc.integer({ min: 1, max: 9 }), units: fc.record({ available: units, committed: units }) })
  .map(({ units: there, ...place }) => ({ ...emptyRow({ ...place, kind: 'incoming' }), ...there }));

/** Units past a stage are as many as are told, or as those past the one before it. */
const promise: fc.Arbitrary<OpenPromise> = fc
  .record({
    node,
    held: fc.nat(3),
    confirmed: fc.nat(3),
    accepted: fc.nat(6),
    picked: fc.nat(6),
    shipped: fc.nat(6),
    steps: fc.array(fc.record({ stage: fc.constantFrom(...STAGES), units: fc.constantFrom(-2, -1, 1, 2), at: time }), {
      maxLength: 3,
    }),
  })
  .map(({ accepted: told, picked, shipped, ...one }) => {
    const accepted = Math.min(told, one.held + one.confirmed);
    return { ...one, accepted, picked: Math.min(picked, accepted), shipped: Math.min(shipped, picked, accepted) };
  });

/** What the engine writes when units come, go or are let go of, and what it does in between. */
const MOVES = [
  ['receipt', 'external', 'available'],
  ['receipt', 'external', 'overdrawn'],
  ['found', 'external', 'shortfall'],
  ['sale', 'available', 'external'],
  ['sale', 'shortfall', 'external'],
  ['fulfil', 'committed', 'external'],
  ['fulfil', 'committed', 'shortfall'],
  ['cancel', 'committed', 'available'],
  ['cancel', 'committed', 'shortfall'],
  ['release', 'reserved', 'available'],
  ['expire', 'reserved', 'shortfall'],
  ['confirm', 'reserved', 'committed'],
  ['damage', 'available', 'damaged'],
  ['receipt', 'external', 'damaged'],
  ['scrap', 'damaged', 'external'],
  ['state', 'damaged', 'available'],
  ['state', 'shortfall', 'quality_control'],
  ['state', 'quality_control', 'damaged'],
] as const;
const event: fc.Arbitrary<LedgerEvent> = fc
  .record({ move: fc.constantFrom(...MOVES), node, quantity: fc.integer({ min: 1, max: 5 }), at: time })
  .map(({ move: [reason, from, to], ...event }) => ({ ...event, reason, from, to }));

/** Many counts say what the book says. */
const count = fc.record({
  node,
  quantity: fc.oneof(fc.constant(null), fc.nat(12), fc.nat(100_000_000)),
  at: time,
  hasRecordId: fc.boolean(),
});

const oneANode = <T extends { readonly node: number }>(one: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<T[]> =>
  fc.uniqueArray(one, { selector: (found) => found.node, minLength, maxLength: NODES.length });

export const countedBook: fc.Arbitrary<CountedBook> = fc
  .record({
    version: fc.nat(5),
    rows: oneANode(soundRow),
    counts: oneANode(count, 1),
    events: fc.oneof(fc.constant([]), fc.array(event, { maxLength: 6 })),
    future: fc.oneof(fc.constant([]), fc.uniqueArray(incoming, { selector: ({ detail }) => detail, maxLength: 2 })),
    promises: fc.array(promise, { maxLength: 4 }),
    exceptions: oneANode(fc.record({ node, quantity: fc.integer({ min: 1, max: 9 }) })),
    task: fc.option(fc.record({ isDue: fc.boolean(), beforeKey: fc.option(fc.integer({ min: 1, max: 9 })) })),
    marks: fc.array(
      fc.record({
        node,
        source: fc.constantFrom(...SOURCES),
        deductsAt: fc.constantFrom(null, ...STAGES),
        state: fc.constantFrom(null, null, ...COUNTED_STATES),
        at: time,
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ counts, rows, ...book }) => {
    const known = new Set(rows.map((row) => row.node));
    const used = new Set([...book.events, ...book.promises].map((one) => one.node));
    const all = [...rows, ...[...used].filter((at) => !known.has(at)).map((at) => emptyRow(stockAt(at)))];
    return {
      ...book,
      rows: all,
      counts: counts.map((told) => ({ ...told, quantity: told.quantity ?? onTheBook(all, told.node) })),
    };
  });

function onTheBook(rows: readonly SupplyRow[], at: number): number {
  const row = rows.find((one) => one.node === at) ?? emptyRow(stockAt(at));
  return Math.max(0, net(row));
}
