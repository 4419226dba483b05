/** Units move: to other nodes, off short rows, and away from nodes that refuse them. */
import { type Flow, areCovered, flow, keepsHidden } from './flows.ts';
import { type Changed, refence } from './fencing.ts';
import { mayStand, shown, shownAt, spread } from './showing.ts';
import {
  type Pile,
  type Promised,
  type Taken,
  type Which,
  atNode,
  byLine,
  choose,
  copyOf,
  isSameRow,
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
import type { Pool, Verdict } from './pool.ts';

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
}

/** Moves of several reservations, together or not at all. */
export function allocate(
  pool: Pool,
  parts: readonly { readonly promised: Promised; readonly isStale: boolean; readonly moves: readonly Move[] }[],
  isByHand: boolean,
): Verdict {
  const flows: Flow[] = [];
  const all: Changed[] = [];
  for (const { promised, isStale, moves } of parts) {
    if (isStale) return 'reservation.conflict';
    const mine = copyOf(promised);
    all.push({ before: promised, after: mine });
    for (const one of moves) {
      const verdict = move(pool, mine, one, flows, isByHand);
      if (verdict !== 'done') return verdict;
    }
  }
  return pool.attempt(() => {
    if (!areCovered(pool, flows, isByHand)) return 'stock.insufficient';
    for (const { after } of all) pool.put(after);
    refence(pool, all);
    return keepsHidden(pool, flows, isByHand) ? 'done' : 'stock.insufficient';
  });
}

function move(pool: Pool, mine: Promised, { from, to }: Move, flows: Flow[], isByHand: boolean): Verdict {
  const taken = choose(mine, from, openIn, byLine);
  if (!taken) return 'reservation.units_missing';
  for (const [pile, units] of taken) {
    const { line, sku } = pile;
    const spot = { line, sku, ahead: null, ...to };
    if (!isSameRow(pile, spot) && !mayStand(pool, mine, line, to.node, isByHand)) return 'stock.insufficient';
    relocate(mine, pile, spot, units);
    if (isSameRow(pile, spot)) continue;
    if (pile.node !== null && pile.ahead === null) flows.push(flow(sku, pile.node, mine.channel, units, 0));
    flows.push(flow(sku, to.node, mine.channel, 0, units));
  }
  return 'done';
}

/** A node refuses units, and says something of its stock; what its newest count has said before changes nothing. */
export function reject(pool: Pool, promised: Promised, which: Which, refusal: Refusal, isByHand: boolean): Verdict {
  const mine = copyOf(promised);
  const taken = choose(mine, which, atNode, lastToLeave);
  return taken
    ? pool.attempt(() => refuse(pool, { before: promised, after: mine }, taken, refusal, isByHand))
    : 'reservation.units_missing';
}

function refuse(pool: Pool, changed: Changed, taken: Taken, { effect, moveTo }: Refusal, isByHand: boolean): Verdict {
  const mine = changed.after;
  const to = moveTo ?? { node: null, fulfilment: null };
  if (moveTo && !taken.every(([{ line }]) => mayStand(pool, mine, line, moveTo.node, isByHand)))
    return 'stock.insufficient';
  pool.put(mine);
  // What is only given back is judged with what is taken; what is not there, or not for sale any more, is gone before.
  const isKept = ({ sku, node }: Pile): boolean => {
    if (effect === 'sellable_only') return pool.hasSeenState(sku, node ?? 0, 'inspected');
    return effect === 'none' || pool.hasSeen(sku, node ?? 0);
  };
  const leaving = taken.map(([pile, units]) => ({ pile, units, confirmed: Math.min(units, pile.units.confirmed) }));
  const leave = ({ pile, units, confirmed }: (typeof leaving)[number]): void => {
    takeOff(pile, 'confirmed', confirmed, 'least');
    takeOff(pile, 'held', units - confirmed, 'least');
  };
  for (const one of leaving.filter(({ pile }) => !isKept(pile))) {
    const { sku, node } = one.pile;
    const known = pool.rowOf(sku, node ?? 0).shortfall;
    leave(one);
    // Of units that are missing, those come first that the book knows to be missing.
    if (effect !== 'sellable_only') pool.happen(sku, node ?? 0, -Math.max(0, one.units - known));
  }
  for (const { sku, node } of rowsOf(taken.filter(([pile]) => !isKept(pile)))) sweep(pool, sku, node, effect);
  const flows = taken.flatMap(([pile, units]) => [
    ...(isKept(pile) ? [flow(pile.sku, pile.node ?? 0, mine.channel, units, 0)] : []),
    ...(moveTo ? [flow(pile.sku, moveTo.node, mine.channel, 0, units)] : []),
  ]);
  if (!areCovered(pool, flows, isByHand)) return 'stock.insufficient';
  for (const one of leaving.filter(({ pile }) => isKept(pile))) leave(one);
  for (const { pile, units, confirmed } of leaving) {
    const target = pileAt(mine, { line: pile.line, sku: pile.sku, ahead: null, ...to });
    putOn(target, 'confirmed', zeros(confirmed));
    putOn(target, 'held', zeros(units - confirmed));
  }
  refence(pool, [changed]);
  return keepsHidden(pool, flows, isByHand) ? 'done' : 'stock.insufficient';
}

function sweep(pool: Pool, sku: number, node: number, effect: Refusal['effect']): void {
  const shelf = pool.shelf(sku, node);
  if (effect === 'sellable_only') shelf.inspected += pool.rowOf(sku, node).available;
  if (effect === 'all') pool.happen(sku, node, -Math.max(0, shelf.net - shelf.damaged - shelf.inspected));
}

/** Why the engine moves promises by itself: they are short, or their place is drained. */
export type Cause = 'short' | 'drained';

/** Open units of a pile that should go. */
export function leaving(pool: Pool, { channel }: Promised, pile: Pile, cause: Cause): number {
  const { sku, node } = pile;
  if (node === null || pile.ahead !== null) return 0;
  if (cause === 'short') return Math.min(openIn(pile), pool.rowOf(sku, node).shortfall);
  const { market, limits, now } = pool;
  const mayStay = market.sells(channel, node, now) && !limits.isHalted(sku, channel, node, now, true);
  return mayStay ? 0 : openIn(pile);
}

/** Units that the engine has moved by itself, each to where their channel may have them. */
export function healed(pool: Pool, before: Promised, moves: readonly Healed[], cause: Cause): void {
  const { channel } = before;
  let promised = before;
  for (const { line, from, to, units } of moves) {
    const { sku } = lineOf(promised, line);
    const mine = copyOf(promised);
    const pile = pileAt(mine, { line, sku, node: from, ahead: null, fulfilment: null });
    const isRight =
      promised.order === null &&
      units <= leaving(pool, promised, pile, cause) &&
      units <= shownAt(pool, sku, to, channel) &&
      units <= shown(pool, sku, channel) - pool.market.hiddenFrom(channel) &&
      mayStand(pool, promised, line, to, false);
    if (!isRight) throw new Error(`${units} units of ${promised.key}/${line} must not move from ${from} to ${to}`);
    relocate(mine, pile, { line, sku, node: to, ahead: null, fulfilment: null }, units);
    pool.promises.set(mine.key, mine);
    refence(pool, [{ before: promised, after: mine }]);
    promised = mine;
  }
  promised.version++;
}

/** Units that should still go, and could: there are others for their channel. */
export function unhealed(pool: Pool, sku: number, cause: Cause): number {
  let units = 0;
  for (const promised of pool.promises.values()) {
    if (promised.order !== null) continue;
    for (const pile of promised.piles) {
      if (pile.sku !== sku || pile.fulfilment !== null) continue;
      const quantity = leaving(pool, promised, pile, cause);
      const wish = { sku, quantity, nodes: promised.lines[pile.line]?.nodes ?? null };
      if (quantity > 0) units += sum(spread(pool, wish, promised.channel).map((one) => one.units));
    }
  }
  return units;
}
