/**
 * A reservation: lines, and the backings behind them. Its state is the sum of its backings' quantities.
 *
 * Law: over all backings of a line, all tallies together are what was granted and added to it.
 */
import type { Destination } from './allocation.ts';
import type { ChannelKey, FenceKey, LineNo, NodeKey, SkuKey } from './keys.ts';
import type { SupplyKind, SupplyPlace } from './supply-row.ts';

/** What may become of a unit: the first two are open, and the others have ended. */
export const TALLIES = ['held', 'confirmed', 'fulfilled', 'released', 'expired', 'cancelled', 'broken'] as const;
export type Tally = (typeof TALLIES)[number];
export type OpenTally = 'held' | 'confirmed';

/** How far a node has come with units, as far as it has told. Each unit that is past one is past those before. */
export const STAGES = ['accepted', 'picked', 'shipped'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * Units of a line that stand on one row of the book, or on none yet, for one fulfilment or none. Which fulfilment it is pins
 * them: such units move only when the node has let go.
 */
export interface Backing extends Readonly<Record<Tally, number>>, Readonly<Record<Stage, number>> {
  /** Of the reservation, from 0; with the reservation's key it names the backing for ever. */
  readonly no: number;
  readonly line: LineNo;
  readonly sku: SkuKey;
  /** `unbacked` units are promised and stand on nothing: a node has rejected them, and they wait to be allocated. */
  readonly kind: SupplyKind | 'unbacked';
  /** 0 of what is unbacked, and of an allowance of any node. */
  readonly node: NodeKey;
  readonly detail: number;
  readonly fulfilment: string | null;
  /** The ring-fence that pays for some of its open and fulfilled units, and for how many; null and 0 if none does. */
  readonly fence: FenceKey | null;
  readonly fenced: number;
}

/** Which of a reservation's backings. */
export type BackingPlace = Pick<Backing, 'line' | 'sku' | 'kind' | 'node' | 'detail' | 'fulfilment'>;

/** Who may act on a reservation since an order was attached to it: the principal that attached it, for that order. */
export interface Controller {
  readonly actor: string;
  readonly order: string;
}

export interface Reservation {
  /** Opaque to the domain. */
  readonly key: number;
  readonly channel: ChannelKey;
  readonly version: number;
  readonly createdAt: number;
  /** Milliseconds; when held units expire. */
  readonly expiresAt: number;
  /** Null: whoever made it, and may act for it. */
  readonly controller: Controller | null;
  /** Higher is served first when units come free. */
  readonly priority: number;
  /** Milliseconds, as the order said when it was attached; null until then. */
  readonly orderedAt: number | null;
  readonly destination: Destination | null;
  /** By their numbers. */
  readonly lines: readonly ReservationLine[];
  /** By their numbers. */
  readonly backings: readonly Backing[];
}

export interface ReservationLine {
  /** Its place in the list. */
  readonly no: LineNo;
  /** Chosen by the client. */
  readonly id: string;
  readonly sku: SkuKey;
  /** Units that were asked for and granted at first. */
  readonly requested: number;
  readonly granted: number;
  /** Units that were added later, and units that the client has taken back by amending; what it wants now is granted + added − withdrawn. */
  readonly added: number;
  readonly withdrawn: number;
  /** Only these nodes may back it; null means any eligible one. */
  readonly nodes: readonly NodeKey[] | null;
}

const NO_UNITS = {
  held: 0,
  confirmed: 0,
  fulfilled: 0,
  released: 0,
  expired: 0,
  cancelled: 0,
  broken: 0,
  accepted: 0,
  picked: 0,
  shipped: 0,
  fence: null,
  fenced: 0,
};

/** A backing without any units yet. */
export const emptyBacking = (no: number, { line, sku, kind, node, detail, fulfilment }: BackingPlace): Backing => ({
  no,
  line,
  sku,
  kind,
  node,
  detail,
  fulfilment,
  ...NO_UNITS,
});

/** Where units of a line stand that are backed by what is there at a node, and on which nobody works yet. */
export const onStock = (line: LineNo, sku: SkuKey, node: NodeKey, fulfilment: string | null = null): BackingPlace => ({
  line,
  sku,
  kind: 'stock',
  node,
  detail: 0,
  fulfilment,
});

/** Where units of a line are that stand on nothing. */
export const onNothing = (line: LineNo, sku: SkuKey): BackingPlace => ({
  line,
  sku,
  kind: 'unbacked',
  node: 0,
  detail: 0,
  fulfilment: null,
});

export const open = ({ held, confirmed }: Pick<Backing, OpenTally>): number => held + confirmed;

/** Open units of a line, whatever they stand on. */
export const openOfLine = ({ backings }: Pick<Reservation, 'backings'>, line: LineNo): number =>
  backings.reduce((sum, backing) => (backing.line === line ? sum + open(backing) : sum), 0);

/** The row of the book that a backing stands on; null if it stands on none. */
export const supplyOf = ({ kind, node, detail }: BackingPlace): SupplyPlace | null =>
  kind === 'unbacked' ? null : { kind, node, detail };

export const isSameBacking = (a: BackingPlace, b: BackingPlace): boolean =>
  a.line === b.line && a.node === b.node && a.fulfilment === b.fulfilment && a.kind === b.kind && a.detail === b.detail;

export const backingAt = (backings: readonly Backing[], at: BackingPlace): Backing | undefined =>
  backings.find((backing) => isSameBacking(backing, at));

/** Which of the units of a backing end or move first: those with which a node has come farthest, or least far. */
export type Advance = 'most' | 'least';

/**
 * Takes open units off a backing. Of units with which a node has come equally far, nobody can tell which they are, and nobody
 * needs to.
 */
export function withoutUnits(backing: Backing, from: OpenTally, quantity: number, first: Advance): Backing {
  if (quantity > backing[from]) throw new Error(`Broken invariant: ${quantity} units of ${backing[from]} ${from}`);
  const left = open(backing) - quantity;
  const of = (past: number): number => (first === 'most' ? Math.max(0, past - quantity) : Math.min(past, left));
  return {
    ...backing,
    [from]: backing[from] - quantity,
    accepted: of(backing.accepted),
    picked: of(backing.picked),
    shipped: of(backing.shipped),
  };
}

/** Open units of a backing end, and are counted among those that ended so. */
export function endUnits(backing: Backing, from: OpenTally, to: Tally, quantity: number, first: Advance): Backing {
  const left = withoutUnits(backing, from, quantity, first);
  return { ...left, [to]: left[to] + quantity };
}

export const totalOf = (backings: readonly Backing[], tally: Tally): number =>
  backings.reduce((sum, backing) => sum + backing[tally], 0);

/** Derived: `held` or `confirmed` while units are, else `closed`. */
export function statusOf(backings: readonly Backing[]): 'held' | 'confirmed' | 'closed' {
  if (totalOf(backings, 'held') > 0) return 'held';
  return totalOf(backings, 'confirmed') > 0 ? 'confirmed' : 'closed';
}

/** Replaces the backing of the same number, or adds it. Backings are never taken away, so each stands at its number. */
export const withBacking = (backings: readonly Backing[], backing: Backing): readonly Backing[] =>
  backing.no === backings.length ? [...backings, backing] : backings.with(backing.no, backing);

/** Adds units to the backing of a place, which is made if there is none. */
export function withUnits(
  backings: readonly Backing[],
  at: BackingPlace,
  units: Partial<Record<Tally | Stage, number>>,
): readonly Backing[] {
  const backing = backingAt(backings, at) ?? emptyBacking(backings.length, at);
  const sums = Object.entries(units).map(([tally, quantity]) => [tally, backing[tally as Tally] + quantity] as const);
  return withBacking(backings, { ...backing, ...Object.fromEntries(sums) });
}
