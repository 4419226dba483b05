/** Units move: to other nodes, off short rows, and away from nodes that refuse them. */
import { type Flow, areCovered, flow, keepsHidden } from './flows.ts';
import { mayStand, shown, shownAt, spread } from './market.ts';
import {
  type Promised,
  type Taken,
  type Which,
  atNode,
  byLine,
  choose,
  copyOf,
  lastToLeave,
  lineOf,
  openIn,
  pileAt,
  putOn,
  relocate,
  rowsOf,
  sum,
  takeOff,
  zeros,
} from './piles.ts';
import type { Pool, Terms, Verdict } from './pool.ts';

export interface Move {
  readonly from: Which & { readonly fulfilment: string | null };
  readonly to: { readonly node: number; readonly fulfilment: string | null };
}

export interface Healed {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly units: number;
}

export interface Refusal {
  readonly effect: 'none' | 'quantity' | 'sellable_only' | 'all';
  readonly moveTo: Move['to'] | null;
  readonly isLate: boolean;
}

/** Moves of several reservations, together or not at all. */
export function allocate(
  pool: Pool,
  parts: readonly { readonly promised: Promised; readonly isStale: boolean; readonly moves: readonly Move[] }[],
  terms: Terms,
): Verdict {
  const flows: Flow[] = [];
  const all: Promised[] = [];
  for (const { promised, isStale, moves } of parts) {
    if (isStale) return 'reservation.conflict';
    const mine = copyOf(promised);
    all.push(mine);
    for (const one of moves) {
      const verdict = move(pool, mine, one, flows, terms);
      if (verdict !== 'done') return verdict;
    }
  }
  return pool.attempt(() => {
    if (!areCovered(pool, flows, terms)) return 'stock.insufficient';
    for (const mine of all) pool.become(mine);
    return keepsHidden(pool, flows, terms) ? 'done' : 'stock.insufficient';
  });
}

function move(pool: Pool, mine: Promised, { from, to }: Move, flows: Flow[], terms: Terms): Verdict {
  const taken = choose(mine, from, openIn, byLine);
  if (!taken) return 'reservation.units_missing';
  for (const [pile, units] of taken) {
    const { line, sku } = pile;
    if (pile.node !== to.node && !mayStand(pool, mine, line, to.node, terms)) return 'stock.insufficient';
    relocate(mine, pile, { line, sku, ...to }, units);
    if (pile.node === to.node) continue;
    if (pile.node !== null) flows.push(flow(sku, pile.node, mine.channel, units, 0));
    flows.push(flow(sku, to.node, mine.channel, 0, units));
  }
  return 'done';
}

/** A node refuses units, and says something of its stock. `isLate`: its newest count has said that before. */
export function reject(pool: Pool, promised: Promised, which: Which, refusal: Refusal, terms: Terms): Verdict {
  const mine = copyOf(promised);
  const taken = choose(mine, which, atNode, lastToLeave);
  return taken ? pool.attempt(() => refuse(pool, mine, taken, refusal, terms)) : 'reservation.units_missing';
}

function refuse(pool: Pool, mine: Promised, taken: Taken, { effect, moveTo, isLate }: Refusal, terms: Terms): Verdict {
  const to = moveTo ?? { node: null, fulfilment: null };
  if (moveTo && !taken.every(([{ line }]) => mayStand(pool, mine, line, moveTo.node, terms)))
    return 'stock.insufficient';
  pool.become(mine);
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
      const known = pool.rowOf(sku, node ?? 0).shortfall;
      takeOff(pile, 'confirmed', confirmed, 'least');
      takeOff(pile, 'held', units - confirmed, 'least');
      // Of units that are missing, those come first that the book knows to be missing.
      if (isGone) pool.happen(sku, node ?? 0, -Math.max(0, units - known));
    }
  };
  // What is only given back is judged with what is taken; what is not there, or not for sale any more, is gone before.
  if (!isKept) {
    leave();
    for (const { sku, node } of rowsOf(taken)) sweep(pool, sku, node, effect);
  }
  if (!areCovered(pool, flows, terms)) return 'stock.insufficient';
  if (isKept) leave();
  for (const { pile, units, confirmed } of leaving) {
    const target = pileAt(mine, { line: pile.line, sku: pile.sku, ...to });
    putOn(target, 'confirmed', zeros(confirmed));
    putOn(target, 'held', zeros(units - confirmed));
  }
  return keepsHidden(pool, flows, terms) ? 'done' : 'stock.insufficient';
}

function sweep(pool: Pool, sku: number, node: number, effect: Refusal['effect']): void {
  const shelf = pool.shelf(sku, node);
  if (effect === 'sellable_only') shelf.inspected += pool.rowOf(sku, node).available;
  if (effect === 'all') pool.happen(sku, node, -Math.max(0, shelf.net - shelf.damaged - shelf.inspected));
}

/** Units that the engine has moved off short rows by itself. */
export function heal(pool: Pool, promised: Promised, moves: readonly Healed[], now: number): void {
  for (const { line, from, to, units } of moves) {
    const { sku } = lineOf(promised, line);
    const pile = pileAt(promised, { line, sku, node: from, fulfilment: null });
    const { channel } = promised;
    const isRight =
      promised.order === null &&
      units <= Math.min(openIn(pile), pool.rowOf(sku, from).shortfall) &&
      units <= shownAt(pool, sku, to, channel, now) &&
      units <= shown(pool, sku, channel, now) - pool.market.hiddenFrom(channel) &&
      mayStand(pool, promised, line, to, { now, isByHand: false });
    if (!isRight) throw new Error(`${units} units of ${promised.key}/${line} must not move from ${from} to ${to}`);
    relocate(promised, pile, { line, sku, node: to, fulfilment: null }, units);
  }
  promised.version++;
}

/** Units that could still be healed: promised at a node that lacks them, while their channel has others. */
export function healable(pool: Pool, sku: number, now: number): number {
  let units = 0;
  for (const { channel, order, lines, piles } of pool.promises.values()) {
    if (order !== null) continue;
    for (const pile of piles) {
      if (pile.sku !== sku || pile.node === null || pile.fulfilment !== null) continue;
      const short = Math.min(openIn(pile), pool.rowOf(sku, pile.node).shortfall);
      const wish = { sku, quantity: short, nodes: lines[pile.line]?.nodes ?? null };
      if (short > 0) units += sum(spread(pool, wish, channel, now).map((one) => one.units));
    }
  }
  return units;
}
