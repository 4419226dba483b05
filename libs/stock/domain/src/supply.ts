/** The supply of one SKU across nodes, and a draft in which one decision tries its changes before they count. */
import type { RowChange } from './arithmetic.ts';
import { type FenceUse, NO_FENCE_USES } from './fence.ts';
import { type InboundLine, NO_INBOUND } from './inbound.ts';
import type { FenceKey, NodeKey, SkuKey } from './keys.ts';
import type { Posting } from './posting.ts';
import { NO_STOPS, type Stop } from './stop.ts';
import { type SupplyPlace, type SupplyRow, emptyRow, isSamePlace, stockAt } from './supply-row.ts';

export interface SkuSupply {
  readonly sku: SkuKey;
  /** What is there, at most one row for each node. */
  readonly rows: readonly SupplyRow[];
  /** What is on its way, and what may be promised beyond that. Most SKUs have none. */
  readonly future: readonly SupplyRow[];
  /** The lines that bring what is on its way: at least those that have a row among `future`. */
  readonly inbound: readonly InboundLine[];
  /** Most SKUs have none. */
  readonly limits?: SkuLimits | undefined;
}

/** What limits the sale of one SKU, and is guarded by its gate like its rows. */
export interface SkuLimits {
  readonly fenceUses: readonly FenceUse[];
  /** Those that name this SKU. */
  readonly stops: readonly Stop[];
}

export type Supplies = ReadonlyMap<SkuKey, SkuSupply>;

export const NO_FUTURE: readonly SupplyRow[] = [];

export const noSupply = (sku: SkuKey): SkuSupply => ({ sku, rows: [], future: NO_FUTURE, inbound: NO_INBOUND });

/** What is there at a node. */
export function rowAt(supply: SkuSupply, node: NodeKey): SupplyRow {
  for (const row of supply.rows) if (row.node === node) return row;
  return emptyRow(stockAt(node));
}

/** Any row, by its place. */
export function rowOf(supply: SkuSupply, place: SupplyPlace): SupplyRow {
  if (place.kind === 'stock') return rowAt(supply, place.node);
  return supply.future.find((row) => isSamePlace(row, place)) ?? emptyRow(place);
}

const sum = (rows: readonly SupplyRow[], state: 'shortfall' | 'available'): number =>
  rows.reduce((total, row) => total + row[state], 0);
export const shortfallOf = ({ rows, future }: SkuSupply): number => sum(rows, 'shortfall') + sum(future, 'shortfall');
export const availableOf = ({ rows }: SkuSupply): number => sum(rows, 'available');

/** A row keeps its place among the others, and a new one comes last. */
function withRow(supply: SkuSupply, row: SupplyRow): SkuSupply {
  const { sku, rows, future, inbound, limits } = supply;
  const after =
    row.kind === 'stock'
      ? { sku, rows: replaced(rows, row), future, inbound }
      : { sku, rows, future: replaced(future, row), inbound };
  return limits === undefined ? after : { ...after, limits };
}

export const fenceUsesOf = ({ limits }: SkuSupply): readonly FenceUse[] => limits?.fenceUses ?? NO_FENCE_USES;
export const stopsOf = ({ limits }: SkuSupply): readonly Stop[] => limits?.stops ?? NO_STOPS;

export const withStops = (supply: SkuSupply, stops: readonly Stop[]): SkuSupply => ({
  ...supply,
  limits: { fenceUses: fenceUsesOf(supply), stops },
});

/** Charges units to a fence, or gives them back to it (< 0). A use keeps its place, and a new one comes last. */
function withFenceUse(supply: SkuSupply, { node, fence, used: units }: FenceUse): SkuSupply {
  const uses = fenceUsesOf(supply);
  const at = uses.findIndex((use) => use.node === node && use.fence === fence);
  const used = (uses[at]?.used ?? 0) + units;
  if (used < 0) throw new Error(`Broken invariant: a fence has ${used} units in use`);
  const changed = { node, fence, used };
  const fenceUses = at < 0 ? [...uses, changed] : uses.with(at, changed);
  return { ...supply, limits: { fenceUses, stops: stopsOf(supply) } };
}

function replaced(rows: readonly SupplyRow[], row: SupplyRow): readonly SupplyRow[] {
  const at = rows.findIndex((one) => isSamePlace(one, row));
  return at < 0 ? [...rows, row] : rows.with(at, row);
}

/**
 * Changes over a base that stays as it is: dropping the draft gives every tentative unit back, so that a cart that
 * fails leaves its units to later requests of the batch.
 */
export class SupplyDraft {
  readonly #base: Supplies;
  readonly #changed = new Map<SkuKey, SkuSupply>();
  readonly #postings: Posting[] = [];

  constructor(base: Supplies) {
    this.#base = base;
  }

  /** The supply of a SKU as the draft has it; a SKU outside the base is a broken invariant (its gate isn't locked). */
  supply(sku: SkuKey): SkuSupply {
    const found = this.#changed.get(sku) ?? this.#base.get(sku);
    if (!found) throw new Error(`Broken invariant: SKU ${sku} was decided on without its gate`);
    return found;
  }

  change(sku: SkuKey, at: SupplyPlace, decide: (row: SupplyRow) => RowChange): void {
    const before = this.supply(sku);
    const { row, transfers } = decide(rowOf(before, at));
    // Where no unit moved nothing has changed: the SKU keeps its version, of which the ledger has an entry for each.
    if (transfers.length === 0) return;
    this.#changed.set(sku, withRow(before, row));
    for (const transfer of transfers) this.#postings.push({ ...transfer, sku, at });
  }

  /** A line is announced, or something else is said of it than before; its units are another matter. */
  setLine(sku: SkuKey, line: InboundLine): void {
    const before = this.supply(sku);
    const at = before.inbound.findIndex(({ detail }) => detail === line.detail);
    const inbound = at < 0 ? [...before.inbound, line] : before.inbound.with(at, line);
    this.#changed.set(sku, { ...before, inbound });
  }

  /** Charges units to a fence; below 0 gives them back. */
  useFence(sku: SkuKey, node: NodeKey, fence: FenceKey, units: number): void {
    if (units !== 0) this.#changed.set(sku, withFenceUse(this.supply(sku), { node, fence, used: units }));
  }

  effect(): SupplyEffect {
    return { supplies: this.#changed, postings: this.#postings };
  }
}

/** What a decision does to the book: the new supplies and the postings that lead there. */
export interface SupplyEffect {
  readonly supplies: Supplies;
  readonly postings: readonly Posting[];
}

/** The supplies after an effect. */
export const suppliesAfter = (before: Supplies, { supplies }: SupplyEffect): Supplies =>
  supplies.size === 0 ? before : new Map([...before, ...supplies]);
