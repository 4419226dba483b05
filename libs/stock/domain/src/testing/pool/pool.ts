/**
 * A second opinion on the pool, as simple as it can be and without the engine's functions. Per (SKU, node) it knows a signed count of
 * physical units and how many of them are set aside, damaged or in inspection; per reservation, piles of units that
 * stand together. Every row of the book follows from these. What is allowed is found by trying.
 */
import { Limits, type Market } from './market.ts';
import type { Ahead, Promised } from './piles.ts';

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
  /** All that has come and gone, and when. */
  log: readonly { readonly at: number; readonly units: number }[];
  count: Count | null;
  /** When each state was counted last. */
  counted: Readonly<Record<Unsold, number | null>>;
}

const NEVER_COUNTED: Shelf['counted'] = { damaged: null, inspected: null };

/** The newest count of a shelf, and from which stage on it leaves out what its node works on; null: it leaves out nothing. */
export interface Count {
  readonly at: number;
  readonly stage: number | null;
}

/** Of two counts of one moment the one knows more that leaves out less. */
const leavesOut = ({ stage }: Count): number => (stage === null ? 0 : 4 - stage);

/** What units on a shelf are, if they are not for sale. */
export type State = 'available' | 'damaged' | 'inspected';
export type Unsold = Exclude<State, 'available'>;

/** A line of a receipt or a transfer, and in which state those of its units travel that are still to come. */
export interface Coming {
  readonly detail: number;
  readonly sku: number;
  readonly node: number;
  readonly brings: 'receipt' | 'transfer';
  /** Of a transfer, the node that it leaves. */
  readonly from: number | null;
  dueAt: number | null;
  isClosed: boolean;
  /** Units that were announced or sent in all, and what has become of them. */
  expected: number;
  received: number;
  lost: number;
  sound: number;
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
  | 'movement.exceeds_stock'
  | 'inspection.exceeds_open';

const NOTHING = { net: 0, safety: 0, damaged: 0, inspected: 0 } as const;

export class Pool {
  readonly market: Market;
  readonly limits = new Limits();
  now: number;
  /** When that happened which is told now. */
  at: number;
  promises = new Map<number, Promised>();
  lines = new Map<number, Coming>();
  /** What was free when those who wait were last asked, by place. */
  marks = new Map<string, number>();
  #shelves = new Map<number, Shelf>();

  constructor(market: Market, now: number) {
    this.market = market;
    this.now = now;
    this.at = now;
  }

  promised(key: number): Promised {
    const promised = this.promises.get(key);
    if (!promised) throw new Error(`the model does not know reservation ${key}`);
    return promised;
  }

  shelves(): readonly (Shelf & { readonly sku: number; readonly node: number })[] {
    return [...this.#shelves].map(([name, shelf]) => ({ ...shelf, sku: Math.floor(name / 100), node: name % 100 }));
  }

  shelf(sku: number, node: number): Shelf {
    const name = sku * 100 + node;
    let shelf = this.#shelves.get(name);
    if (!shelf) this.#shelves.set(name, (shelf = { ...NOTHING, log: [], count: null, counted: NEVER_COUNTED }));
    return shelf;
  }

  /** The row that physical and promised units leave no choice about. */
  rowOf(sku: number, node: number, ahead: Ahead = null): ModelRow {
    const { held: reserved, confirmed: committed } = this.promisedAt(sku, node, ahead);
    const promised = reserved + committed;
    const { net, damaged, inspected, safety } = this.#unitsOf(sku, node, ahead, promised);
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

  /** What is on its way is like what is on a shelf; an allowance is always as large as what is promised of it. */
  #unitsOf(sku: number, node: number, ahead: Ahead, promised: number): Omit<Shelf, 'log' | 'count' | 'counted'> {
    if (ahead === null) return this.shelf(sku, node);
    if (ahead === 'allowance') return { ...NOTHING, net: promised };
    const { sound, damaged, inspected } = this.lines.get(ahead) ?? { sound: 0, damaged: 0, inspected: 0 };
    return { net: sound + damaged + inspected, safety: 0, damaged, inspected };
  }

  promisedAt(sku: number, node: number, ahead: Ahead = null): { readonly held: number; readonly confirmed: number } {
    let held = 0;
    let confirmed = 0;
    for (const { piles } of this.promises.values())
      for (const pile of piles)
        if (pile.sku === sku && pile.node === node && pile.ahead === ahead) {
          held += pile.units.held;
          confirmed += pile.units.confirmed;
        }
    return { held, confirmed };
  }

  /** Units came (> 0) or went (< 0). What went was free, set aside, promised, in inspection or damaged, in this order. */
  happen(sku: number, node: number, units: number): void {
    const shelf = this.shelf(sku, node);
    this.#log(shelf, units);
    this.#become(sku, node, shelf.net + units);
  }

  #become(sku: number, node: number, net: number): void {
    const shelf = this.shelf(sku, node);
    shelf.net = net;
    const there = Math.max(0, shelf.net);
    shelf.damaged = Math.min(shelf.damaged, there);
    shelf.inspected = Math.min(shelf.inspected, there - shelf.damaged);
    this.#keepSafety(sku, node);
  }

  /** Units come in that state; what had been sold without being there is gone, whatever comes. */
  arrive(sku: number, node: number, told: State, units: number, isLate: boolean): void {
    const shelf = this.shelf(sku, node);
    const state = this.hasSeenState(sku, node, told) ? 'available' : told;
    const missing = Math.max(0, -shelf.net);
    // What a count has seen is among what is for sale since.
    const sellable = Math.max(0, shelf.net - shelf.damaged - shelf.inspected);
    if (!isLate) {
      shelf.net += units;
      this.#log(shelf, units);
    }
    if (state !== 'available') shelf[state] += isLate ? Math.min(units, sellable) : Math.max(0, units - missing);
    this.#keepSafety(sku, node);
  }

  /** Units go, in that state or as they are taken; answers how many of them were not for sale. */
  depart(
    sku: number,
    node: number,
    state: State | null,
    units: number,
    isLate: boolean,
  ): Pick<Shelf, 'damaged' | 'inspected'> {
    const shelf = this.shelf(sku, node);
    const { damaged, inspected } = shelf;
    if (state === 'damaged' || state === 'inspected') {
      if (this.hasSeenState(sku, node, state)) {
        if (!isLate) this.happen(sku, node, -units);
        return { damaged: 0, inspected: 0, [state]: units };
      }
      shelf[state] -= Math.min(units, shelf[state]);
      if (!isLate) {
        shelf.net -= units;
        this.#log(shelf, -units);
      }
      return { damaged: 0, inspected: 0, [state]: units };
    }
    if (!isLate) this.happen(sku, node, -units);
    if (state !== null) return { damaged: 0, inspected: 0 };
    return { damaged: damaged - shelf.damaged, inspected: inspected - shelf.inspected };
  }

  /** Units go from one node to another, and are there what they were here: what is not for sale does not become so on the way. */
  travel(sku: number, from: number, to: number, units: number): void {
    const { damaged, inspected } = this.depart(sku, from, null, units, this.hasSeen(sku, from));
    const isLate = this.hasSeen(sku, to);
    this.arrive(sku, to, 'available', units - damaged - inspected, isLate);
    this.arrive(sku, to, 'inspected', inspected, isLate);
    this.arrive(sku, to, 'damaged', damaged, isLate);
  }

  #log(shelf: Shelf, units: number): void {
    if (units !== 0) shelf.log = [...shelf.log, { at: this.at, units }];
  }

  /** Whether the newest count of a row has seen already what is told now. */
  hasSeen(sku: number, node: number): boolean {
    const { count } = this.shelf(sku, node);
    return count !== null && this.at <= count.at;
  }

  /**
   * What was counted then, and what has come and gone since, is there. `beside`: units that the count leaves out. A count older than the
   * newest says nothing.
   */
  count(sku: number, node: number, counted: number, count: Count, beside: number): void {
    const shelf = this.shelf(sku, node);
    if (shelf.count !== null && count.at < shelf.count.at) return;
    if (shelf.count === null || count.at > shelf.count.at || leavesOut(count) < leavesOut(shelf.count))
      shelf.count = count;
    const since = shelf.log.filter(({ at }) => at > count.at).reduce((sum, { units }) => sum + units, 0);
    this.#become(sku, node, counted + since + beside);
  }

  /** Whether the newest count of a state has put those units in their place that something is told of now. */
  hasSeenState(sku: number, node: number, state: State): boolean {
    const at = state === 'available' ? null : this.shelf(sku, node).counted[state];
    return at !== null && this.at <= at;
  }

  /**
   * So many units were in a state then, of which the shelf had `known` by then. What is not there cannot be in it. A count older than the
   * newest says nothing.
   */
  countState(sku: number, node: number, state: Unsold, units: number, at: number, known: number): void {
    const shelf = this.shelf(sku, node);
    if (at < (shelf.counted[state] ?? -Infinity)) return;
    shelf.counted = { ...shelf.counted, [state]: at };
    const sellable = Math.max(0, shelf.net - shelf.damaged - shelf.inspected);
    shelf[state] = Math.min(Math.max(0, units + shelf[state] - known), shelf[state] + sellable);
    this.#keepSafety(sku, node);
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
    if (this.hasSeenState(sku, node, 'damaged')) return 'done';
    if (units > shelf.net - shelf.damaged - shelf.inspected) return 'movement.exceeds_stock';
    shelf.damaged += units;
    this.#keepSafety(sku, node);
    return 'done';
  }

  /** Damaged units leave for good. */
  scrap(sku: number, node: number, units: number): Verdict {
    const isLate = this.hasSeen(sku, node);
    const isBound = !isLate && !this.hasSeenState(sku, node, 'damaged');
    if (isBound && units > this.shelf(sku, node).damaged) return 'movement.exceeds_stock';
    this.depart(sku, node, 'damaged', units, isLate);
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
    const lines = new Map([...this.lines].map(([detail, line]) => [detail, { ...line }]));
    const verdict = act();
    if (verdict !== 'done') {
      this.promises = promises;
      this.#shelves = shelves;
      this.lines = lines;
    }
    return verdict;
  }

  /** A promise is what a command has made of it. */
  put(mine: Promised): void {
    mine.version++;
    this.promises.set(mine.key, mine);
  }
}
