/**
 * A second opinion on the pool, as simple as it can be and without the engine's functions. Per (SKU, node) it knows a signed count of
 * physical units and how many of them are set aside, damaged or in inspection; per reservation, piles of units that
 * stand together. Every row of the book follows from these. What is allowed is found by trying.
 */
import { Limits, type Market } from './market.ts';
import type { Promised } from './piles.ts';

export interface ModelRow {
  readonly available: number;
  readonly committed: number;
  readonly reserved: number;
  readonly safetyStock: number;
  readonly damaged: number;
  readonly qualityControl: number;
  readonly shortfall: number;
  readonly overdrawn: number;
}

/** What is physically so at a node. */
export interface Shelf {
  net: number;
  safety: number;
  damaged: number;
  inspected: number;
}

export type Verdict =
  | 'done'
  | 'stock.insufficient'
  | 'reservation.expired'
  | 'reservation.not_held'
  | 'reservation.not_confirmed'
  | 'reservation.units_missing'
  | 'reservation.conflict'
  | 'reservation.attached'
  | 'reservation.pinned'
  | 'movement.exceeds_stock';

export class Pool {
  readonly market: Market;
  readonly limits = new Limits();
  now: number;
  promises = new Map<number, Promised>();
  #shelves = new Map<number, Shelf>();

  constructor(market: Market, now: number) {
    this.market = market;
    this.now = now;
  }

  promised(key: number): Promised {
    const promised = this.promises.get(key);
    if (!promised) throw new Error(`the model does not know reservation ${key}`);
    return promised;
  }

  shelf(sku: number, node: number): Shelf {
    const name = sku * 100 + node;
    let shelf = this.#shelves.get(name);
    if (!shelf) this.#shelves.set(name, (shelf = { net: 0, safety: 0, damaged: 0, inspected: 0 }));
    return shelf;
  }

  /** The row that physical and promised units leave no choice about. */
  rowOf(sku: number, node: number): ModelRow {
    const { net, damaged, inspected, safety } = this.shelf(sku, node);
    const { held: reserved, confirmed: committed } = this.promisedAt(sku, node);
    const promised = reserved + committed;
    const sellable = Math.max(0, net - damaged - inspected);
    return {
      available: Math.max(0, sellable - promised - safety),
      committed,
      reserved,
      safetyStock: safety,
      damaged,
      qualityControl: inspected,
      shortfall: Math.max(0, promised - sellable),
      overdrawn: Math.max(0, -net),
    };
  }

  promisedAt(sku: number, node: number): { readonly held: number; readonly confirmed: number } {
    let held = 0;
    let confirmed = 0;
    for (const { piles } of this.promises.values())
      for (const pile of piles)
        if (pile.sku === sku && pile.node === node) {
          held += pile.units.held;
          confirmed += pile.units.confirmed;
        }
    return { held, confirmed };
  }

  /** Units came (> 0) or went (< 0). What went was free, set aside, promised, in inspection or damaged, in this order. */
  happen(sku: number, node: number, units: number): void {
    const shelf = this.shelf(sku, node);
    shelf.net += units;
    const there = Math.max(0, shelf.net);
    shelf.damaged = Math.min(shelf.damaged, there);
    shelf.inspected = Math.min(shelf.inspected, there - shelf.damaged);
    this.#keepSafety(sku, node);
  }

  /** Units go from one node to another, and are there what they were here: what is not for sale does not become so on the way. */
  travel(sku: number, from: number, to: number, units: number): void {
    const [left, arrived] = [this.shelf(sku, from), this.shelf(sku, to)];
    const { damaged, inspected } = left;
    this.happen(sku, from, -units);
    this.happen(sku, to, units);
    const there = Math.max(0, arrived.net);
    arrived.damaged = Math.min(arrived.damaged + damaged - left.damaged, there);
    arrived.inspected = Math.min(arrived.inspected + inspected - left.inspected, there - arrived.damaged);
    this.#keepSafety(sku, to);
  }

  /** Promises go before safety stock. */
  #keepSafety(sku: number, node: number): void {
    const shelf = this.shelf(sku, node);
    const { held, confirmed } = this.promisedAt(sku, node);
    const free = shelf.net - shelf.damaged - shelf.inspected - held - confirmed;
    shelf.safety = Math.min(shelf.safety, Math.max(0, free));
  }

  damage(sku: number, node: number, units: number): Verdict {
    const shelf = this.shelf(sku, node);
    if (units > shelf.net - shelf.damaged - shelf.inspected) return 'movement.exceeds_stock';
    shelf.damaged += units;
    this.#keepSafety(sku, node);
    return 'done';
  }

  setAside(sku: number, node: number, units: number): Verdict {
    const shelf = this.shelf(sku, node);
    if (units > this.rowOf(sku, node).available || -units > shelf.safety) return 'movement.exceeds_stock';
    shelf.safety += units;
    return 'done';
  }

  /** What a command does counts only if all of it can be done. */
  attempt(act: () => Verdict): Verdict {
    const promises = new Map(this.promises);
    const shelves = new Map([...this.#shelves].map(([name, shelf]) => [name, { ...shelf }]));
    const verdict = act();
    if (verdict !== 'done') {
      this.promises = promises;
      this.#shelves = shelves;
    }
    return verdict;
  }

  /** A promise is what a command has made of it. */
  put(mine: Promised): void {
    mine.version++;
    this.promises.set(mine.key, mine);
  }
}
