/** Generators and small builders that the specs of this library share. Not part of its public face. */
import fc from 'fast-check';
import type { AllocationFilter } from '../allocation.ts';
import * as arithmetic from '../arithmetic.ts';
import type { RowChange } from '../arithmetic.ts';
import type { Perspective } from '../atp.ts';
import type { Fence, FenceUse } from '../fence.ts';
import { type InboundLine, NO_INBOUND } from '../inbound.ts';
import type { NodeKey, SkuKey } from '../keys.ts';
import { ACCOUNTS, type Account, type Transfer } from '../posting.ts';
import {
  type Backing,
  type Reservation,
  type ReservationLine,
  TALLIES,
  emptyBacking,
  onStock,
} from '../reservation.ts';
import { type Limits, type SellingChannel, type SellingNode, SellingRules, type Threshold } from '../selling-rules.ts';
import type { Stop } from '../stop.ts';
import { type SupplyRow, emptyRow, onHand, stockAt } from '../supply-row.ts';
import { NO_FUTURE, type SkuSupply, type Supplies } from '../supply.ts';

export const NOW = 1_000_000;

/** A row with the named units, the rest empty; of what is at node 1 unless said. */
export const row = (units: Partial<SupplyRow> = {}): SupplyRow => ({ ...emptyRow(stockAt(1)), ...units });
/** A row of what is on its way to node 1, in line 1 of what brings it, unless said. */
export const incoming = (units: Partial<SupplyRow> = {}): SupplyRow => row({ kind: 'incoming', detail: 1, ...units });

export const supplyOf = (
  sku: SkuKey,
  rows: readonly SupplyRow[],
  future: readonly SupplyRow[] = NO_FUTURE,
  inbound: readonly InboundLine[] = NO_INBOUND,
): SkuSupply => ({ sku, rows, future, inbound });
export const suppliesOf = (...supplies: readonly SkuSupply[]): Supplies =>
  new Map(supplies.map((supply) => [supply.sku, supply]));
export const available = (sku: SkuKey, units: readonly number[]): SkuSupply =>
  supplyOf(
    sku,
    units.map((quantity, index) => row({ node: index + 1, available: quantity })),
  );

export const sellingNode = (key: NodeKey, over: Partial<SellingNode> = {}): SellingNode => ({
  key,
  code: `N${key}`,
  type: 'store',
  lat: null,
  lng: null,
  activeFrom: null,
  activeTo: null,
  ...over,
});
export const sellingChannel = (over: Partial<SellingChannel> = {}): SellingChannel => ({
  key: 1,
  code: 'WEB',
  nodeTypes: 'all',
  nodes: 'all',
  ...over,
});
export const threshold = (over: Partial<Threshold>): Threshold => ({
  scope: 'node',
  channel: null,
  node: null,
  sku: null,
  quantity: 0,
  ...over,
});

/** Five units of anything anywhere for channel 1, unless said. */
export const fence = (over: Partial<Fence> = {}): Fence => ({
  key: 1,
  channels: new Set([1]),
  nodes: 'all',
  skus: 'all',
  measure: 'units',
  quantity: 5,
  until: null,
  ...over,
});
/** Of everything, everywhere, and without draining, unless said. */
export const stop = (over: Partial<Stop> = {}): Stop => ({
  node: null,
  channel: null,
  drains: false,
  until: null,
  ...over,
});
export const limited = (supply: SkuSupply, stops: readonly Stop[], fenceUses: readonly FenceUse[] = []): SkuSupply => ({
  ...supply,
  limits: { stops, fenceUses },
});

export const WEB = sellingChannel();
export const SHOP = sellingChannel({ key: 2, code: 'SHOP' });
export const WHOLESALE = sellingChannel({ key: 3, code: 'WHOLESALE' });
/** Four stores, from all of which three channels sell. */
export const limitedRules = (limits: Limits, thresholds: readonly Threshold[] = []): SellingRules =>
  new SellingRules(
    [1, 2, 3, 4].map((key) => sellingNode(key)),
    [WEB, SHOP, WHOLESALE],
    thresholds,
    limits,
  );
/** Four stores, one channel that sells from all of them, nothing hidden unless said. */
export const openRules = (thresholds: readonly Threshold[] = [], channel: SellingChannel = WEB): SellingRules =>
  new SellingRules(
    [1, 2, 3, 4].map((key) => sellingNode(key)),
    [channel],
    thresholds,
  );
export const fromAll = (over: Partial<Perspective> = {}): Perspective => ({
  channel: WEB,
  nodes: null,
  now: NOW,
  ...over,
});

/** A rule of allocation that refuses one node. */
export const notAt = (node: NodeKey): AllocationFilter => ({
  kind: 'filter',
  name: `not_at_${node}`,
  refuse: ({ node: key }) => (key === node ? { code: 'node.closed', message: `node ${node} is closed` } : null),
});

/** Backings by their numbers: of line 0, SKU 1, on what is at node 1, for no fulfilment, unless said. */
export const backingsOf = (...parts: readonly Partial<Backing>[]): readonly Backing[] =>
  parts.map((part, no) => ({ ...emptyBacking(no, onStock(0, 1, 1)), ...part }));

const idOf = (no: number): string => `line-${no}`;

/** Line 0, of SKU 1, unless said. */
export const lineOf = (over: Partial<ReservationLine> = {}): ReservationLine => ({
  no: 0,
  id: idOf(over.no ?? 0),
  sku: 1,
  requested: 0,
  granted: 0,
  added: 0,
  withdrawn: 0,
  nodes: null,
  ...over,
});

/** The lines that backings belong to, each as if all of its units had been granted at first. */
function linesOf(backings: readonly Backing[]): readonly ReservationLine[] {
  const count = Math.max(0, ...backings.map(({ line }) => line + 1));
  return Array.from({ length: count }, (_, no) => {
    const own = backings.filter(({ line }) => line === no);
    const granted = own.reduce((sum, backing) => sum + talliedUnits(backing), 0);
    return lineOf({ no, sku: own[0]?.sku ?? 1, requested: granted, granted });
  });
}

/** Units of a backing in all its tallies: none comes and none goes as long as it lives. */
export const talliedUnits = (backing: Backing): number => TALLIES.reduce((sum, tally) => sum + backing[tally], 0);

/** Without lines, they follow from the backings. */
export const reservation = (over: Partial<Reservation> = {}): Reservation => ({
  key: 1,
  channel: 1,
  version: 1,
  createdAt: NOW - 100,
  expiresAt: NOW + 100,
  controller: null,
  priority: 0,
  orderedAt: null,
  destination: null,
  lines: linesOf(over.backings ?? []),
  backings: [],
  ...over,
});

/** Mostly few units, so that edges meet; at times as many as a line may have. */
export const units = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_000_000 }) },
);

/** Any row of stock that the laws allow: with free units, with promises it no longer covers, or sold below nothing. */
export const validRow: fc.Arbitrary<SupplyRow> = fc
  .record({
    kind: fc.constantFrom('free', 'short', 'overdrawn'),
    a: units,
    b: units,
    unapplied: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: units }),
    committed: units,
    reserved: units,
    damaged: units,
    qualityControl: units,
  })
  .map(({ kind, a, b, unapplied, committed, reserved, damaged, qualityControl }) => {
    const sum = committed + reserved;
    const rest = { committed, reserved, damaged, qualityControl };
    if (kind === 'free') return row({ available: a, safetyStock: b, unapplied, ...rest });
    if (kind === 'short') return row({ shortfall: Math.min(a, sum), ...rest });
    return row({ shortfall: sum, overdrawn: a, committed, reserved });
  });

/** Any row of what is on its way that the laws allow: some free, or promised beyond what is still expected. */
export const futureRow: fc.Arbitrary<SupplyRow> = fc
  .record({ isShort: fc.boolean(), a: units, committed: units, reserved: units })
  .map(({ isShort, a, committed, reserved }) =>
    isShort
      ? incoming({ shortfall: Math.min(a, committed + reserved), committed, reserved })
      : incoming({ available: a, committed, reserved }),
  );

/** Any row of what is on its way: some of it may travel damaged or to be looked at. */
export const inboundRow: fc.Arbitrary<SupplyRow> = fc
  .tuple(futureRow, units, units)
  .map(([sound, damaged, qualityControl]) => ({ ...sound, damaged, qualityControl }));

/** Line 1 of a receipt for node 1, due now, unless said. */
export const inboundLine = (over: Partial<InboundLine> = {}): InboundLine => ({
  detail: 1,
  node: 1,
  brings: 'receipt',
  dueAt: NOW,
  isClosed: false,
  ...over,
});

/** What may happen to one row; `quantity` is cut to what the operation's contract allows. */
export interface Operation {
  readonly name: keyof typeof LIMIT;
  readonly quantity: number;
}

/** How many units an operation may take from a row; physical truth has no limit. */
const LIMIT = {
  hold: (r: SupplyRow) => r.available,
  confirm: (r: SupplyRow) => r.reserved,
  release: (r: SupplyRow) => r.reserved,
  cancel: (r: SupplyRow) => r.committed,
  fulfil: (r: SupplyRow) => r.committed,
  writeOff: (r: SupplyRow) => r.committed,
  sell: () => Number.POSITIVE_INFINITY,
  supply: () => Number.POSITIVE_INFINITY,
  restore: () => Number.POSITIVE_INFINITY,
  damage: (r: SupplyRow) => arithmetic.damageable(r),
  setAside: (r: SupplyRow) => r.available,
  free: (r: SupplyRow) => r.safetyStock,
} as const;

export const OPERATIONS = Object.keys(LIMIT) as readonly (keyof typeof LIMIT)[];
export const operation: fc.Arbitrary<Operation> = fc.record({ name: fc.constantFrom(...OPERATIONS), quantity: units });
/** What may happen to promises, and to nothing else: the same on every kind of row. */
export const promising: fc.Arbitrary<Operation> = fc.record({
  name: fc.constantFrom('hold', 'confirm', 'release', 'cancel'),
  quantity: units,
});

export function operate(before: SupplyRow, { name, quantity: wished }: Operation): RowChange {
  const quantity = Math.min(wished, LIMIT[name](before));
  switch (name) {
    case 'release':
      return arithmetic.giveBack(before, 'reserved', quantity);
    case 'cancel':
      return arithmetic.giveBack(before, 'committed', quantity);
    case 'free':
      return arithmetic.setAside(before, -quantity);
    default:
      return arithmetic[name](before, quantity);
  }
}

/** Balances by account, summed from transfers alone. */
export function replay(transfers: readonly Transfer[]): Record<Account, number> {
  const balances = Object.fromEntries(ACCOUNTS.map((account) => [account, 0])) as Record<Account, number>;
  for (const { from, to, quantity } of transfers) {
    balances[from] -= quantity;
    balances[to] += quantity;
  }
  return balances;
}

/** The same balances, read off a row of stock. */
export const balancesOf = (r: SupplyRow): Record<Account, number> => ({
  external: r.overdrawn - onHand(r) - r.unapplied || 0,
  expected: 0,
  available: r.available,
  committed: r.committed,
  reserved: r.reserved,
  safety_stock: r.safetyStock,
  damaged: r.damaged,
  quality_control: r.qualityControl,
  shortfall: -r.shortfall || 0,
  overdrawn: -r.overdrawn || 0,
  unapplied: r.unapplied,
});
