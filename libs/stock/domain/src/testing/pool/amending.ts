/** Lines as their buyer wants them from now on. */
import type { OpenTally } from '../../reservation.ts';
import { refence } from './fencing.ts';
import { type Flow, areCovered, flow, keepsHidden } from './flows.ts';
import { type Wish, fill, maySell, shownAt } from './showing.ts';
import {
  type Pile,
  type Promised,
  choose,
  copyOf,
  end,
  isThere,
  lastToLeave,
  lineOf,
  openIn,
  past,
  pileAt,
  putOn,
  relocate,
  sum,
  totalIn,
  zeros,
} from './piles.ts';
import type { Pool, Verdict } from './pool.ts';

/** A line as its buyer wants it from now on. */
export interface Wanted extends Wish {
  readonly id: string;
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

const freedom = ({ nodes }: Need): number => nodes?.length ?? 1_000;

/**
 * Lines as they are wanted from now on, for that channel. What is no longer wanted ends, what may not stay where it is moves, and the
 * rest is left alone; what is given counts for what is taken.
 */
export function amend(
  pool: Pool,
  promised: Promised,
  wanted: readonly Wanted[],
  channel: number,
  isByHand: boolean,
): Verdict {
  if (totalIn(promised, 'held') + totalIn(promised, 'confirmed') === 0) return 'reservation.not_held';
  const mine = { ...copyOf(promised), channel };
  const flows: Flow[] = [];
  const needs: Need[] = [];
  for (const wish of linesWanted(mine, wanted)) {
    const need = shrink(pool, promised, mine, wish, flows, isByHand);
    if (typeof need === 'string') return need;
    needs.push(need);
  }
  const tally = totalIn(promised, 'held') > 0 ? 'held' : 'confirmed';
  for (const need of needs.sort((a, b) => freedom(a) - freedom(b)))
    if (!grow(pool, mine, need, tally, flows, isByHand)) return 'stock.insufficient';
  return pool.attempt(() => {
    if (!areCovered(pool, flows, isByHand)) return 'stock.insufficient';
    pool.put(mine);
    refence(pool, [{ before: promised, after: mine }]);
    return keepsHidden(pool, flows, isByHand) ? 'done' : 'stock.insufficient';
  });
}

/** Ends units that are not wanted, first those that could not stay; answers how many more are wanted, and which must move. */
function shrink(
  pool: Pool,
  before: Promised,
  mine: Promised,
  wish: LineWanted,
  flows: Flow[],
  isByHand: boolean,
): Need | Verdict {
  const { line, quantity, nodes } = wish;
  const known = lineOf(mine, line);
  const formerly = known.nodes;
  const mayStay = ({ node }: Pile): boolean =>
    node === null ||
    node === 0 ||
    ((nodes === null || nodes.includes(node) || (formerly !== null && !formerly.includes(node))) &&
      (isByHand || before.channel === mine.channel || pool.market.sells(mine.channel, node, pool.now)));
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
    if (pile.node !== null && pile.ahead === null) flows.push(flow(pile.sku, pile.node, before.channel, units, 0));
  }
  const misplaced = own.filter((pile) => openIn(pile) > 0 && !mayStay(pile));
  if (misplaced.some(({ fulfilment }) => fulfilment !== null)) return 'reservation.pinned';
  for (const pile of misplaced.filter(isThere))
    flows.push(flow(pile.sku, pile.node ?? 0, before.channel, openIn(pile), 0));
  known.nodes = nodes;
  return { line, sku: known.sku, nodes, more: Math.max(0, wanted), moving: misplaced };
}

function grow(pool: Pool, mine: Promised, need: Need, tally: OpenTally, flows: Flow[], isByHand: boolean): boolean {
  const { line, sku, nodes, more, moving } = need;
  const { channel } = mine;
  // Nobody chooses a node that is stopped, unless a person names it.
  const mayTake = (node: number): boolean =>
    isByHand ? !pool.limits.isHalted(sku, channel, node, pool.now) : maySell(pool, sku, channel, node);
  const rooms = pool.market.nodes
    .filter((node) => (nodes?.includes(node) ?? true) && mayTake(node))
    .map((node) => {
      const here = flows.filter((one) => one.sku === sku && one.node === node);
      const { available } = pool.rowOf(sku, node);
      const shown = isByHand ? available : shownAt(pool, sku, node, channel);
      return { node, units: shown + sum(here.map((one) => one.given - one.taken)) };
    });
  const wanted = sum([more, ...moving.map(openIn)]);
  const placed = fill(rooms, wanted);
  if (sum(placed.map(({ units }) => units)) < wanted) return false;
  for (const { node, units } of placed) {
    let left = units;
    for (const pile of moving) {
      const some = Math.min(left, openIn(pile));
      if (some > 0) relocate(mine, pile, { line, sku, node, ahead: null, fulfilment: null }, some);
      left -= some;
    }
    if (left > 0) putOn(pileAt(mine, { line, sku, node, ahead: null, fulfilment: null }), tally, zeros(left));
    flows.push(flow(sku, node, channel, 0, units));
  }
  lineOf(mine, line).units += more;
  return true;
}

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
