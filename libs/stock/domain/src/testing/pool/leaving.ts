/** Units leave a promise, or come back to it; a node tells how far it is with them. */
import type { OpenTally, Tally } from '../../reservation.ts';
import { refence } from './fencing.ts';
import { notHeld } from './holding.ts';
import {
  type ByNeed,
  type Pile,
  type Promised,
  type Which,
  byLine,
  choose,
  copyOf,
  end,
  isMeant,
  isThere,
  lastToLeave,
  openIn,
  past,
  putOn,
  sum,
  zeros,
} from './piles.ts';
import type { Pool, Verdict } from './pool.ts';

const LEAVING = {
  release: ['held', 'released'],
  cancel: ['confirmed', 'cancelled'],
  fulfil: ['confirmed', 'fulfilled'],
} as const satisfies Record<string, readonly [OpenTally, Tally]>;

/**
 * Units leave the promise. What the newest count has seen leave does not leave the book again; but what it had left out, since its node
 * had come that far, was in the book beside it.
 */
export function leave(
  pool: Pool,
  promised: Promised,
  verb: 'release' | 'cancel' | 'fulfil',
  parts: readonly Which[] | null,
): Verdict {
  const [from, to] = LEAVING[verb];
  const isFulfil = verb === 'fulfil';
  const refusal = verb === 'release' ? notHeld(promised) : 'reservation.not_confirmed';
  const mine = copyOf(promised);
  const count = (pile: Pile): number => (isFulfil && !isThere(pile) ? 0 : pile.units[from]);
  const gone: [Pile, number][] = [];
  for (const which of parts ?? [{ quantity: sum(mine.piles.map(count)) }]) {
    const taken = choose(mine, which, count, isFulfil ? byLine : lastToLeave);
    if (!taken || taken.length === 0) return refusal;
    for (const [pile, units] of taken) {
      const { sku, node } = pile;
      const { count } = pool.shelf(sku, node ?? 0);
      const leftOut = count === null || count.stage === null ? 0 : past(pile, count.stage);
      const inBook = pool.hasSeen(sku, node ?? 0) ? Math.min(units, leftOut) : units;
      end(pile, from, to, units, isFulfil ? 'most' : 'least');
      gone.push([pile, inBook]);
    }
  }
  if (gone.length === 0) return refusal;
  pool.put(mine);
  refence(pool, [{ before: promised, after: mine }]);
  if (isFulfil) for (const [{ sku, node }, units] of gone) pool.happen(sku, node ?? 0, -units);
  return 'done';
}

/** A node has come that far with more units: those that had come farthest without being there yet. */
export function acknowledge(promised: Promised, which: Which, stage: number): Verdict {
  const waiting = (pile: Pile): number => (isThere(pile) ? Math.max(0, pile.units.confirmed - past(pile, stage)) : 0);
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

/** Units find no node: first those that have nothing, on no node or at one that lacks them. */
export function giveUp(pool: Pool, promised: Promised, parts: readonly Which[]): Verdict {
  const mine = copyOf(promised);
  return pool.attempt(() => {
    pool.put(mine);
    const lost = (pile: Pile): number =>
      pile.node === null ? openIn(pile) : Math.min(openIn(pile), pool.rowOf(pile.sku, pile.node, pile.ahead).shortfall);
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
    refence(pool, [{ before: promised, after: mine }]);
    return 'done';
  });
}

/** A shipment is undone, of what was made last first. What the newest count has seen back is in the book. */
export function unfulfil(pool: Pool, promised: Promised, parts: readonly Which[]): Verdict {
  const mine = copyOf(promised);
  return pool.attempt(() => {
    pool.put(mine);
    const order: ByNeed = (a, b) => b.line - a.line || mine.piles.indexOf(b) - mine.piles.indexOf(a);
    for (const which of parts) {
      const taken = choose(mine, which, (pile) => (isThere(pile) ? pile.units.fulfilled : 0), order);
      if (!taken) return 'reservation.units_missing';
      for (const [pile, units] of taken) {
        pile.units.fulfilled -= units;
        putOn(pile, 'confirmed', zeros(units));
        pool.happen(pile.sku, pile.node ?? 0, pool.hasSeen(pile.sku, pile.node ?? 0) ? 0 : units);
      }
    }
    return 'done';
  });
}

export function attach(promised: Promised, expected: string | null, order: string | null): Verdict {
  if (order !== null && promised.order === order) return 'done';
  if (promised.order !== expected) return 'reservation.attached';
  if (promised.order === order) return 'done';
  promised.order = order;
  promised.version++;
  return 'done';
}
