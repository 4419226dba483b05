/**
 * A second opinion on the pool, as simple as it can be and without the engine's functions. Per (SKU, node) it knows a signed count of
 * physical units and how many of them are set aside, damaged or in inspection; per reservation, piles of units that
 * stand together. Every row of the book follows from these. What is allowed is found by trying.
 */
import type { OpenTally, Tally } from '../reservation.ts';
import {
  type ByNeed,
  type Pile,
  type Promised,
  type Taken,
  type Which,
  atNode,
  byLine,
  choose,
  copyOf,
  end,
  isMeant,
  lastToLeave,
  lineOf,
  openIn,
  past,
  pileAt,
  putOn,
  relocate,
  rowsOf,
  sum,
  takeOff,
  totalIn,
  zeros,
} from './pool-piles.ts';

export interface Wish {
  readonly sku: number;
  readonly quantity: number;
  readonly nodes: readonly number[] | null;
}

/** What the world of the model looks like: who may sell from where and when, and what is hidden from whom. */
export interface Market {
  readonly nodes: readonly number[];
  readonly sells: (channel: number, node: number, now: number) => boolean;
  readonly hiddenAt: (channel: number, node: number) => number;
  readonly hiddenFrom: (channel: number) => number;
}

export interface Move {
  readonly from: Which & { readonly fulfilment: string | null };
  readonly to: { readonly node: number; readonly fulfilment: string | null };
}

/** Units of a line, where they stand. */
export interface Placed {
  readonly line: number;
  readonly sku: number;
  /** Null: they stand on no node. */
  readonly node: number | null;
  readonly units: number;
}

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

export interface Healed {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly units: number;
}

/** A line as its buyer wants it from now on. */
export interface Wanted extends Wish {
  readonly id: string;
}

/** When it is decided, and whether a person has decided it, so that only what is there counts. */
export interface Terms {
  readonly now: number;
  readonly isByHand: boolean;
}

export interface Refusal {
  readonly effect: 'none' | 'quantity' | 'sellable_only' | 'all';
  readonly moveTo: Move['to'] | null;
  readonly isLate: boolean;
}

export interface Selling {
  readonly partial: boolean;
  /** It is sold already: nothing is hidden, and what is not there is promised as well. */
  readonly isSold: boolean;
  readonly now: number;
}

/** What is physically so at a node. */
interface Shelf {
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

/** Units that a node has for a channel. */
interface Room {
  readonly node: number;
  readonly units: number;
}

interface Taker {
  readonly units: number;
  /** What must be left of available units. */
  readonly hidden: number;
}

/** Units of rows that a command gives and takes, to be judged together. */
interface Flow {
  readonly sku: number;
  readonly node: number;
  readonly channel: number;
  readonly given: number;
  readonly taken: number;
}

/** A line as it is wanted; all that it has, if null. */
interface LineWanted {
  readonly line: number;
  readonly quantity: number | null;
  readonly nodes: readonly number[] | null;
}

interface Need extends Omit<LineWanted, 'quantity'> {
  readonly sku: number;
  readonly more: number;
  readonly moving: readonly Pile[];
}

/** More than there are nodes to choose from. */
const ANY_NODE = 99;

export class PoolModel {
  readonly #market: Market;
  #promises = new Map<number, Promised>();
  #shelves = new Map<number, Shelf>();

  constructor(market: Market) {
    this.#market = market;
  }

  promised(key: number): Promised {
    const promised = this.#promises.get(key);
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
    const { held: reserved, confirmed: committed } = this.#promisedAt(sku, node);
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

  #promisedAt(sku: number, node: number): { readonly held: number; readonly confirmed: number } {
    let held = 0;
    let confirmed = 0;
    for (const { piles } of this.#promises.values())
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
    const { held, confirmed } = this.#promisedAt(sku, node);
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

  // Selling.

  #shownAt(sku: number, node: number, channel: number, now: number): number {
    if (!this.#market.sells(channel, node, now)) return 0;
    return Math.max(0, this.rowOf(sku, node).available - this.#market.hiddenAt(channel, node));
  }

  #shown(sku: number, channel: number, now: number): number {
    return sum(this.#market.nodes.map((node) => this.#shownAt(sku, node, channel, now)));
  }

  /** Where units of a line would go. */
  #spread({ sku, quantity, nodes }: Wish, channel: number, now: number, showsAll = false): Room[] {
    const sells = (node: number): boolean => this.#market.sells(channel, node, now);
    const rooms = this.#market.nodes
      .filter((node) => sells(node) && (nodes?.includes(node) ?? true))
      .map((node) => ({
        node,
        units: showsAll ? this.rowOf(sku, node).available : this.#shownAt(sku, node, channel, now),
      }));
    const network = showsAll ? Infinity : this.#shown(sku, channel, now) - this.#market.hiddenFrom(channel);
    return fill(rooms, Math.min(quantity, Math.max(0, network), sum(rooms.map(({ units }) => units))));
  }

  /** A cart: its units by line and node, or null where it is refused. Lines that not every node may serve go first. */
  hold(
    promised: Omit<Promised, 'lines' | 'piles'>,
    wishes: readonly (Wish & { readonly id: string })[],
    { partial, isSold, now }: Selling,
  ): readonly Placed[] | null {
    const lines = wishes.map(({ id, sku, nodes }) => ({ id, sku, nodes, units: 0 }));
    const mine: Promised = { ...promised, lines, piles: [] };
    const placed = this.#place(mine, wishes, 'held', { partial, isSold, now });
    if (!placed) return null;
    for (const { line, units } of placed) lineOf(mine, line).units += units;
    return placed;
  }

  /** Puts units of lines where they fit, for good if all do, or some may. The promise is one of the model's from then on. */
  #place(
    mine: Promised,
    wishes: readonly Wish[],
    tally: OpenTally,
    { partial, isSold, now }: Selling,
  ): readonly Placed[] | null {
    const before = this.#promises.get(mine.key);
    this.#promises.set(mine.key, mine);
    const placed: Placed[] = [];
    let isShort = false;
    const numbered = wishes.map((wish, line) => ({ ...wish, line }));
    const choice = ({ nodes }: Wish): number => nodes?.length ?? ANY_NODE;
    const order = numbered.toSorted((a, b) => choice(a) - choice(b));
    for (const { line, ...wish } of order) {
      const { sku, quantity } = wish;
      const spread: { node: number | null; units: number }[] = this.#spread(wish, mine.channel, now, isSold);
      const left = quantity - sum(spread.map(({ units }) => units));
      if (left > 0 && isSold) spread.push({ node: null, units: left });
      else if (left > 0) isShort = true;
      for (const { node, units } of spread) {
        putOn(pileAt(mine, { line, sku, node, fulfilment: null }), tally, zeros(units));
        placed.push({ line, sku, node, units });
      }
    }
    if (partial ? placed.length > 0 : !isShort) return placed;
    if (before) this.#promises.set(mine.key, before);
    else this.#promises.delete(mine.key);
    return null;
  }

  // Verbs.

  /** Held units of these SKUs expire, where their time has come; answers whose. */
  expire(skus: ReadonlySet<number>, now: number): ReadonlySet<number> {
    const expired = new Set<number>();
    for (const promised of this.#promises.values()) {
      if (promised.expiresAt > now) continue;
      for (const pile of promised.piles) {
        if (pile.units.held === 0 || !skus.has(pile.sku)) continue;
        end(pile, 'held', 'expired', pile.units.held, 'least');
        expired.add(promised.key);
      }
      if (expired.has(promised.key)) promised.version++;
    }
    return expired;
  }

  #notHeld(promised: Promised): Verdict {
    const isExpired = totalIn(promised, 'expired') > 0 && totalIn(promised, 'confirmed') === 0;
    return isExpired ? 'reservation.expired' : 'reservation.not_held';
  }

  extend(promised: Promised, expiresAt: number): Verdict {
    if (totalIn(promised, 'held') === 0) return this.#notHeld(promised);
    promised.expiresAt = Math.max(promised.expiresAt, expiresAt);
    promised.version++;
    return 'done';
  }

  confirm(promised: Promised, reacquire: boolean, now: number): Verdict {
    if (totalIn(promised, 'held') === 0) return this.#reacquire(promised, reacquire, now);
    for (const { units } of promised.piles) {
      units.confirmed += units.held;
      units.held = 0;
    }
    promised.version++;
    return 'done';
  }

  #reacquire(promised: Promised, reacquire: boolean, now: number): Verdict {
    const refusal = this.#notHeld(promised);
    if (refusal !== 'reservation.expired' || !reacquire) return refusal;
    const mine = copyOf(promised);
    const wishes = mine.lines.map(({ sku, nodes }, line) => ({
      sku,
      nodes,
      quantity: sum(mine.piles.filter((pile) => pile.line === line).map(({ units }) => units.expired)),
    }));
    for (const { units } of mine.piles) units.expired = 0;
    if (!this.#place(mine, wishes, 'confirmed', { partial: false, isSold: false, now })) return 'stock.insufficient';
    mine.version++;
    return 'done';
  }

  /** Units leave the promise. `isCounted`: the newest count has seen them leave, so that nothing leaves the book. */
  leave(
    promised: Promised,
    verb: 'release' | 'cancel' | 'fulfil',
    parts: readonly Which[] | null,
    isCounted: boolean,
  ): Verdict {
    const [from, to] = LEAVING[verb];
    const isFulfil = verb === 'fulfil';
    const refusal = verb === 'release' ? this.#notHeld(promised) : 'reservation.not_confirmed';
    const mine = copyOf(promised);
    const count = (pile: Pile): number => (isFulfil && pile.node === null ? 0 : pile.units[from]);
    const gone: [Pile, number][] = [];
    for (const which of parts ?? [{ quantity: sum(mine.piles.map(count)) }]) {
      const taken = choose(mine, which, count, isFulfil ? byLine : lastToLeave);
      if (!taken || taken.length === 0) return refusal;
      for (const [pile, units] of taken) {
        end(pile, from, to, units, isFulfil ? 'most' : 'least');
        gone.push([pile, units]);
      }
    }
    if (gone.length === 0) return refusal;
    this.#become(mine);
    if (isFulfil && !isCounted) for (const [{ sku, node }, units] of gone) this.happen(sku, node ?? 0, -units);
    return 'done';
  }

  /** Moves of several reservations, together or not at all. */
  allocate(
    parts: readonly { readonly promised: Promised; readonly isStale: boolean; readonly moves: readonly Move[] }[],
    terms: Terms,
  ): Verdict {
    const flows: Flow[] = [];
    const all: Promised[] = [];
    for (const { promised, isStale, moves } of parts) {
      if (isStale) return 'reservation.conflict';
      const mine = copyOf(promised);
      all.push(mine);
      for (const move of moves) {
        const verdict = this.#move(mine, move, flows, terms);
        if (verdict !== 'done') return verdict;
      }
    }
    return this.#attempt(() => {
      if (!this.#areCovered(flows, terms)) return 'stock.insufficient';
      for (const mine of all) this.#become(mine);
      return this.#keepsHidden(flows, terms) ? 'done' : 'stock.insufficient';
    });
  }

  #move(mine: Promised, { from, to }: Move, flows: Flow[], terms: Terms): Verdict {
    const taken = choose(mine, from, openIn, byLine);
    if (!taken) return 'reservation.units_missing';
    for (const [pile, units] of taken) {
      const { line, sku } = pile;
      if (pile.node !== to.node && !this.#mayStand(mine, line, to.node, terms)) return 'stock.insufficient';
      relocate(mine, pile, { line, sku, ...to }, units);
      if (pile.node === to.node) continue;
      if (pile.node !== null) flows.push(flow(sku, pile.node, mine.channel, units, 0));
      flows.push(flow(sku, to.node, mine.channel, 0, units));
    }
    return 'done';
  }

  #mayStand({ lines, channel }: Promised, line: number, node: number, { now, isByHand }: Terms): boolean {
    if (isByHand) return true;
    const nodes = lines[line]?.nodes ?? null;
    return this.#market.sells(channel, node, now) && (nodes?.includes(node) ?? true);
  }

  /**
   * Whether each row has what is taken from it. Units that are given there may be had by anybody; what more is taken must leave
   * what is hidden from its channel. It is enough that some way of handing out the given ones does.
   */
  #areCovered(flows: readonly Flow[], { isByHand }: Terms): boolean {
    const rows = new Map(flows.map(({ sku, node }) => [`${sku}/${node}`, { sku, node }]));
    return [...rows.values()].every(({ sku, node }) => {
      const here = flows.filter((flow) => flow.sku === sku && flow.node === node);
      const given = sum(here.map((flow) => flow.given));
      const wanted = new Map<number, number>();
      for (const { channel, taken } of here) wanted.set(channel, (wanted.get(channel) ?? 0) + taken);
      const { available } = this.rowOf(sku, node);
      const hiddenFrom = (channel: number): number => (isByHand ? 0 : this.#market.hiddenAt(channel, node));
      const takers = [...wanted].map(([channel, units]) => ({ units, hidden: hiddenFrom(channel) }));
      return isServable(takers, given, available);
    });
  }

  /** A channel that takes more than it gives leaves what is hidden from it as a whole. Asked when all have moved. */
  #keepsHidden(flows: readonly Flow[], { now, isByHand }: Terms): boolean {
    return (
      isByHand ||
      flows.every(({ channel, sku }) => {
        const own = flows.filter((flow) => flow.channel === channel && flow.sku === sku);
        const more = sum(own.map(({ given, taken }) => taken - given));
        return (
          more <= 0 ||
          this.#market.hiddenFrom(channel) === 0 ||
          this.#shown(sku, channel, now) >= this.#market.hiddenFrom(channel)
        );
      })
    );
  }

  /** Units that the engine has moved off short rows by itself. */
  heal(promised: Promised, moves: readonly Healed[], now: number): void {
    for (const { line, from, to, units } of moves) {
      const { sku } = lineOf(promised, line);
      const pile = pileAt(promised, { line, sku, node: from, fulfilment: null });
      const { channel } = promised;
      const isRight =
        promised.order === null &&
        units <= Math.min(openIn(pile), this.rowOf(sku, from).shortfall) &&
        units <= this.#shownAt(sku, to, channel, now) &&
        units <= this.#shown(sku, channel, now) - this.#market.hiddenFrom(channel) &&
        this.#mayStand(promised, line, to, { now, isByHand: false });
      if (!isRight) throw new Error(`${units} units of ${promised.key}/${line} must not move from ${from} to ${to}`);
      relocate(promised, pile, { line, sku, node: to, fulfilment: null }, units);
    }
    promised.version++;
  }

  /** Units that could still be healed: promised at a node that lacks them, while their channel has others. */
  healable(sku: number, now: number): number {
    let units = 0;
    for (const { channel, order, lines, piles } of this.#promises.values()) {
      if (order !== null) continue;
      for (const pile of piles) {
        if (pile.sku !== sku || pile.node === null || pile.fulfilment !== null) continue;
        const short = Math.min(openIn(pile), this.rowOf(sku, pile.node).shortfall);
        const wish = { sku, quantity: short, nodes: lines[pile.line]?.nodes ?? null };
        if (short > 0) units += sum(this.#spread(wish, channel, now).map((one) => one.units));
      }
    }
    return units;
  }

  attach(promised: Promised, expected: string | null, order: string | null): Verdict {
    if (order !== null && promised.order === order) return 'done';
    if (promised.order !== expected) return 'reservation.attached';
    if (promised.order === order) return 'done';
    promised.order = order;
    promised.version++;
    return 'done';
  }

  /**
   * Lines as they are wanted from now on, for that channel. What is no longer wanted ends, what may not stay where it is moves, and the
   * rest is left alone; what is given counts for what is taken.
   */
  amend(promised: Promised, wanted: readonly Wanted[], channel: number, terms: Terms): Verdict {
    if (totalIn(promised, 'held') + totalIn(promised, 'confirmed') === 0) return 'reservation.not_held';
    const mine = { ...copyOf(promised), channel };
    const flows: Flow[] = [];
    const needs: Need[] = [];
    for (const wish of linesWanted(mine, wanted)) {
      const need = this.#shrink(promised, mine, wish, flows, terms);
      if (typeof need === 'string') return need;
      needs.push(need);
    }
    const tally = totalIn(promised, 'held') > 0 ? 'held' : 'confirmed';
    for (const need of needs.sort((a, b) => freedom(a) - freedom(b)))
      if (!this.#grow(mine, need, tally, flows, terms)) return 'stock.insufficient';
    return this.#attempt(() => {
      this.#become(mine);
      return this.#keepsHidden(flows, terms) ? 'done' : 'stock.insufficient';
    });
  }

  /** Ends units that are not wanted, first those that could not stay; answers how many more are wanted, and which must move. */
  #shrink(before: Promised, mine: Promised, wish: LineWanted, flows: Flow[], { now, isByHand }: Terms): Need | Verdict {
    const { line, quantity, nodes } = wish;
    const known = lineOf(mine, line);
    const formerly = known.nodes;
    const mayStay = ({ node }: Pile): boolean =>
      node === null ||
      ((nodes === null || nodes.includes(node) || (formerly !== null && !formerly.includes(node))) &&
        (isByHand || before.channel === mine.channel || this.#market.sells(mine.channel, node, now)));
    const mustMove = (pile: Pile): number => (pile.fulfilment === null && !mayStay(pile) ? 0 : 1);
    const own = mine.piles.filter((pile) => pile.line === line);
    const wanted = quantity === null ? 0 : quantity - sum(own.map((pile) => openIn(pile) + pile.units.fulfilled));
    const ends = choose(
      { ...mine, piles: own },
      { quantity: Math.max(0, -wanted) },
      (pile) => openIn(pile) - past(pile, 3),
      (a, b) => mustMove(a) - mustMove(b) || lastToLeave(a, b),
    );
    if (!ends) return 'reservation.units_missing';
    for (const [pile, units] of ends) {
      const held = Math.min(units, pile.units.held);
      end(pile, 'held', 'released', held, 'least');
      end(pile, 'confirmed', 'cancelled', units - held, 'least');
      if (pile.node !== null) flows.push(flow(pile.sku, pile.node, before.channel, units, 0));
    }
    const misplaced = own.filter((pile) => openIn(pile) > 0 && !mayStay(pile));
    if (misplaced.some(({ fulfilment }) => fulfilment !== null)) return 'reservation.pinned';
    for (const pile of misplaced) flows.push(flow(pile.sku, pile.node ?? 0, before.channel, openIn(pile), 0));
    known.nodes = nodes;
    return { line, sku: known.sku, nodes, more: Math.max(0, wanted), moving: misplaced };
  }

  #grow(mine: Promised, need: Need, tally: OpenTally, flows: Flow[], { now, isByHand }: Terms): boolean {
    const { line, sku, nodes, more, moving } = need;
    const { channel } = mine;
    const rooms = this.#market.nodes
      .filter((node) => (nodes?.includes(node) ?? true) && (isByHand || this.#market.sells(channel, node, now)))
      .map((node) => {
        const here = flows.filter((one) => one.sku === sku && one.node === node);
        const { available } = this.rowOf(sku, node);
        const shown = isByHand ? available : this.#shownAt(sku, node, channel, now);
        return { node, units: shown + sum(here.map((one) => one.given - one.taken)) };
      });
    const wanted = sum([more, ...moving.map(openIn)]);
    const placed = fill(rooms, wanted);
    if (sum(placed.map(({ units }) => units)) < wanted) return false;
    for (const { node, units } of placed) {
      let left = units;
      for (const pile of moving) {
        const some = Math.min(left, openIn(pile));
        if (some > 0) relocate(mine, pile, { line, sku, node, fulfilment: null }, some);
        left -= some;
      }
      if (left > 0) putOn(pileAt(mine, { line, sku, node, fulfilment: null }), tally, zeros(left));
      flows.push(flow(sku, node, channel, 0, units));
    }
    lineOf(mine, line).units += more;
    return true;
  }

  /** A node has come that far with more units: those that had come farthest without being there yet. */
  acknowledge(promised: Promised, which: Which, stage: number): Verdict {
    const waiting = (pile: Pile): number =>
      pile.node === null ? 0 : Math.max(0, pile.units.confirmed - past(pile, stage));
    const taken = choose(promised, which, waiting, byLine);
    if (!taken) return 'reservation.units_missing';
    for (const [pile, units] of taken) {
      const end = openIn(pile) - past(pile, stage);
      const reached = pile.reached.map((one, at) => (at >= end - units && at < end ? stage : one));
      pile.reached = reached.sort((a, b) => a - b);
    }
    promised.version++;
    return 'done';
  }

  /** A node refuses units, and says something of its stock. `isLate`: its newest count has said that before. */
  reject(promised: Promised, which: Which, refusal: Refusal, terms: Terms): Verdict {
    const mine = copyOf(promised);
    const taken = choose(mine, which, atNode, lastToLeave);
    return taken ? this.#attempt(() => this.#refuse(mine, taken, refusal, terms)) : 'reservation.units_missing';
  }

  #refuse(mine: Promised, taken: Taken, { effect, moveTo, isLate }: Refusal, terms: Terms): Verdict {
    const to = moveTo ?? { node: null, fulfilment: null };
    if (moveTo && !taken.every(([{ line }]) => this.#mayStand(mine, line, moveTo.node, terms)))
      return 'stock.insufficient';
    this.#become(mine);
    const isGone = !isLate && (effect === 'quantity' || effect === 'all');
    const isKept = effect === 'none' || (isLate && effect !== 'sellable_only');
    const flows = taken.flatMap(([{ sku, node }, units]) => [
      ...(isKept ? [flow(sku, node ?? 0, mine.channel, units, 0)] : []),
      ...(moveTo ? [flow(sku, moveTo.node, mine.channel, 0, units)] : []),
    ]);
    const leaving = taken.map(([pile, units]) => ({ pile, units, confirmed: Math.min(units, pile.units.confirmed) }));
    const leave = (): void => {
      for (const { pile, units, confirmed } of leaving) {
        const { sku, node } = pile;
        const known = this.rowOf(sku, node ?? 0).shortfall;
        takeOff(pile, 'confirmed', confirmed, 'least');
        takeOff(pile, 'held', units - confirmed, 'least');
        // Of units that are missing, those come first that the book knows to be missing.
        if (isGone) this.happen(sku, node ?? 0, -Math.max(0, units - known));
      }
    };
    // What is only given back is judged with what is taken; what is not there, or not for sale any more, is gone before.
    if (!isKept) {
      leave();
      for (const { sku, node } of rowsOf(taken)) this.#sweep(sku, node, effect);
    }
    if (!this.#areCovered(flows, terms)) return 'stock.insufficient';
    if (isKept) leave();
    for (const { pile, units, confirmed } of leaving) {
      const target = pileAt(mine, { line: pile.line, sku: pile.sku, ...to });
      putOn(target, 'confirmed', zeros(confirmed));
      putOn(target, 'held', zeros(units - confirmed));
    }
    return this.#keepsHidden(flows, terms) ? 'done' : 'stock.insufficient';
  }

  #sweep(sku: number, node: number, effect: Refusal['effect']): void {
    const shelf = this.shelf(sku, node);
    if (effect === 'sellable_only') shelf.inspected += this.rowOf(sku, node).available;
    if (effect === 'all') this.happen(sku, node, -Math.max(0, shelf.net - shelf.damaged - shelf.inspected));
  }

  /** Units find no node: first those that have nothing, on no node or at one that lacks them. */
  giveUp(promised: Promised, parts: readonly Which[]): Verdict {
    const mine = copyOf(promised);
    return this.#attempt(() => {
      this.#become(mine);
      const lost = (pile: Pile): number =>
        pile.node === null ? openIn(pile) : Math.min(openIn(pile), this.rowOf(pile.sku, pile.node).shortfall);
      for (const which of parts) {
        const own = mine.piles.filter((pile) => isMeant(mine, which, pile));
        if (sum(own.map(openIn)) < which.quantity) return 'reservation.units_missing';
        const hasSome = (pile: Pile): number => (lost(pile) > 0 ? 0 : 1);
        let left = which.quantity;
        // What is given up at a node may heal it for the others, so that each time the first one is looked for anew.
        while (left > 0) {
          own.sort(
            (a, b) => hasSome(a) - hasSome(b) || lastToLeave(a, b) || mine.piles.indexOf(a) - mine.piles.indexOf(b),
          );
          for (const pile of own.filter((one) => openIn(one) > 0).slice(0, 1)) {
            const units = Math.min(left, lost(pile) || openIn(pile));
            const confirmed = Math.min(units, pile.units.confirmed);
            end(pile, 'confirmed', 'broken', confirmed, 'least');
            end(pile, 'held', 'broken', units - confirmed, 'least');
            left -= units;
          }
        }
      }
      return 'done';
    });
  }

  /** A shipment is undone, of what was made last first. `isCounted`: the newest count has seen the units back. */
  unfulfil(promised: Promised, parts: readonly Which[], isCounted: boolean): Verdict {
    const mine = copyOf(promised);
    return this.#attempt(() => {
      this.#become(mine);
      const order: ByNeed = (a, b) => b.line - a.line || mine.piles.indexOf(b) - mine.piles.indexOf(a);
      for (const which of parts) {
        const taken = choose(mine, which, ({ node, units }) => (node === null ? 0 : units.fulfilled), order);
        if (!taken) return 'reservation.units_missing';
        for (const [pile, units] of taken) {
          pile.units.fulfilled -= units;
          putOn(pile, 'confirmed', zeros(units));
          this.happen(pile.sku, pile.node ?? 0, isCounted ? 0 : units);
        }
      }
      return 'done';
    });
  }

  /** What a command does counts only if all of it can be done. */
  #attempt(act: () => Verdict): Verdict {
    const promises = new Map(this.#promises);
    const shelves = new Map([...this.#shelves].map(([name, shelf]) => [name, { ...shelf }]));
    const verdict = act();
    if (verdict !== 'done') {
      this.#promises = promises;
      this.#shelves = shelves;
    }
    return verdict;
  }

  #become(mine: Promised): void {
    mine.version++;
    this.#promises.set(mine.key, mine);
  }
}

const freedom = ({ nodes }: Need): number => nodes?.length ?? 1_000;
const flow = (sku: number, node: number, channel: number, given: number, taken: number): Flow => ({
  sku,
  node,
  channel,
  given,
  taken,
});

/** Known lines first, then new ones, which are added. A line of which another SKU is wanted is wanted no more. */
function linesWanted({ lines, piles }: Promised, wanted: readonly Wanted[]): readonly LineWanted[] {
  const known = lines.map(({ id, sku, nodes }, line): LineWanted => {
    const found = wanted.find((one) => one.id === id && one.sku === sku);
    if (found) return { line, quantity: found.quantity, nodes: found.nodes };
    if (!wanted.some((one) => one.id === id)) return { line, quantity: null, nodes };
    const own = piles.filter((pile) => pile.line === line);
    return { line, quantity: sum(own.map(({ units }) => units.fulfilled)), nodes };
  });
  const added = wanted.filter(({ id, sku }) => !lines.some((line) => line.id === id && line.sku === sku));
  return [
    ...known,
    ...added.map(({ id, sku, quantity, nodes }): LineWanted => ({
      line: lines.push({ id, sku, nodes, units: 0 }) - 1,
      quantity,
      nodes,
    })),
  ];
}

const LEAVING = {
  release: ['held', 'released'],
  cancel: ['confirmed', 'cancelled'],
  fulfil: ['confirmed', 'fulfilled'],
} as const satisfies Record<string, readonly [OpenTally, Tally]>;

/** Takes units where all fit if they fit anywhere, else where most are, else at the first node. */
function fill(shown: readonly Room[], wanted: number): Room[] {
  const fits = ({ units }: Room): number => (units >= wanted ? 0 : 1);
  const ranked = shown
    .filter(({ units }) => units > 0)
    .sort((a, b) => fits(a) - fits(b) || b.units - a.units || a.node - b.node);
  let left = wanted;
  return ranked.flatMap(({ node, units }) => {
    const taken = Math.min(left, units);
    left -= taken;
    return taken > 0 ? [{ node, units: taken }] : [];
  });
}

/** Tries every order of takers, and every way to hand out the given units among them. */
function isServable(takers: readonly Taker[], given: number, available: number): boolean {
  if (takers.length === 0) return true;
  return takers.some(({ units, hidden }, at) => {
    const others = takers.toSpliced(at, 1);
    for (let free = 0; free <= Math.min(given, units); free++) {
      const rest = units - free;
      const isLeft = rest === 0 || available - rest >= hidden;
      if (isLeft && isServable(others, given - free, available - rest)) return true;
    }
    return false;
  });
}
