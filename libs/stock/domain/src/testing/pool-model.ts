/**
 * A second opinion on the pool, as simple as it can be and without the engine's functions: per (SKU, node) one signed
 * count of physical units, per reservation and SKU one tally of units. Everything else follows from the two. It knows
 * neither safety stock nor damaged units; where units are promised, it is told.
 */
import type { Backing, Reservation, Tally } from '../reservation.ts';
import type { SupplyRow } from '../supply-row.ts';

export type Tallies = Record<Tally, number>;
export interface Wish {
  readonly sku: number;
  readonly quantity: number;
}
export interface Seller {
  readonly channel: number;
  readonly nodes: readonly number[] | null;
}
/** What the world of the model looks like: who may sell from where and when, and what is hidden from whom. */
export interface Market {
  readonly nodes: readonly number[];
  readonly sells: (channel: number, node: number, now: number) => boolean;
  readonly hiddenAt: (channel: number, node: number) => number;
  readonly hiddenFrom: (channel: number) => number;
}

export const noTallies = (): Tallies => ({
  held: 0,
  confirmed: 0,
  fulfilled: 0,
  released: 0,
  expired: 0,
  cancelled: 0,
});
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

export class PoolModel {
  readonly #physical = new Map<string, number>();
  readonly #tallies = new Map<number, Map<number, Tallies>>();
  readonly #market: Market;

  constructor(market: Market) {
    this.#market = market;
  }

  physical(sku: number, node: number): number {
    return this.#physical.get(`${sku}/${node}`) ?? 0;
  }

  /** Units came (> 0) or went (< 0). */
  happen(sku: number, node: number, units: number): void {
    this.#physical.set(`${sku}/${node}`, this.physical(sku, node) + units);
  }

  /** The row that the two facts, physical and promised units, leave no choice about. */
  rowOf(sku: number, node: number, backings: readonly Backing[]): SupplyRow {
    const there = backings.filter((backing) => backing.sku === sku && backing.node === node);
    const reserved = sum(there.map(({ held }) => held));
    const committed = sum(there.map(({ confirmed }) => confirmed));
    const promised = reserved + committed;
    const physical = this.physical(sku, node);
    return {
      node,
      available: Math.max(0, physical - promised),
      committed,
      reserved,
      safetyStock: 0,
      damaged: 0,
      qualityControl: 0,
      shortfall: Math.min(promised, Math.max(0, promised - physical)),
      overdrawn: Math.max(0, -physical),
    };
  }

  atp(sku: number, { channel, nodes }: Seller, backings: readonly Backing[], now: number): number {
    const shown = (node: number): number =>
      this.#market.sells(channel, node, now)
        ? Math.max(0, this.rowOf(sku, node, backings).available - this.#market.hiddenAt(channel, node))
        : 0;
    const all = Math.max(0, sum(this.#market.nodes.map(shown)) - this.#market.hiddenFrom(channel));
    return Math.min(all, sum((nodes ?? this.#market.nodes).map(shown)));
  }

  /** Units granted per SKU of a cart, or null if it is refused. */
  expectHold(wishes: readonly Wish[], partial: boolean, atp: (sku: number) => number): Map<number, number> | null {
    const wished = new Map<number, number>();
    for (const { sku, quantity } of wishes) wished.set(sku, (wished.get(sku) ?? 0) + quantity);
    const granted = new Map([...wished].map(([sku, quantity]) => [sku, Math.min(quantity, atp(sku))]));
    const total = sum([...granted.values()]);
    const whole = [...wished].every(([sku, quantity]) => granted.get(sku) === quantity);
    return (partial ? total > 0 : whole) ? granted : null;
  }

  open(key: number, granted: ReadonlyMap<number, number>): void {
    this.#tallies.set(key, new Map([...granted].map(([sku, units]) => [sku, { ...noTallies(), held: units }])));
  }

  tallies(key: number, sku: number): Tallies {
    return this.#tallies.get(key)?.get(sku) ?? noTallies();
  }

  /** Units of one SKU of a reservation change their tally. */
  retell(key: number, sku: number, from: Tally, to: Tally, units: number): void {
    const before = this.tallies(key, sku);
    this.#tallies.get(key)?.set(sku, { ...before, [from]: before[from] - units, [to]: before[to] + units });
  }

  skusOf(key: number): readonly number[] {
    return [...(this.#tallies.get(key)?.keys() ?? [])];
  }
}

/** The same tallies, summed over a reservation's backings. */
export function talliesOf({ backings }: Reservation, sku: number): Tallies {
  const own = backings.filter((backing) => backing.sku === sku);
  const names = Object.keys(noTallies()) as Tally[];
  return Object.fromEntries(names.map((tally) => [tally, sum(own.map((backing) => backing[tally]))])) as Tallies;
}
