/** Units are promised, confirmed, and expire. */
import type { OpenTally } from '../../reservation.ts';
import { aheadOf } from './coming.ts';
import { charge, payBack } from './fencing.ts';
import { type Wish, spread } from './showing.ts';
import { type Ahead, type Promised, copyOf, end, lineOf, pileAt, putOn, sum, totalIn, zeros } from './piles.ts';
import type { Pool, Verdict } from './pool.ts';

/** Units of a line, where they stand. */
export interface Placed {
  readonly line: number;
  readonly sku: number;
  /** Null: they stand on no node. */
  readonly node: number | null;
  readonly units: number;
  /** What they wait for. */
  readonly ahead?: { readonly kind: 'incoming' | 'allowance'; readonly detail: number };
}

export interface Selling {
  readonly partial: boolean;
  /** It is sold already: nothing is hidden, and what is not there is promised as well. */
  readonly isSold: boolean;
}

/** More than there are nodes to choose from. */
const ANY_NODE = 99;

/** A cart: its units by line and node, or null where it is refused. Lines that not every node may serve go first. */
export function hold(
  pool: Pool,
  promised: Omit<Promised, 'lines' | 'piles'>,
  wishes: readonly (Wish & { readonly id: string })[],
  { partial, isSold }: Selling,
): readonly Placed[] | null {
  const lines = wishes.map(({ id, sku, nodes }) => ({ id, sku, nodes, units: 0 }));
  const mine: Promised = { ...promised, lines, piles: [] };
  const placed = place(pool, mine, wishes, 'held', { partial, isSold });
  if (!placed) return null;
  for (const { line, units } of placed) lineOf(mine, line).units += units;
  return placed;
}

/** Puts units of lines where they fit, for good if all do, or some may. The promise is one of the model's from then on. */
function place(
  pool: Pool,
  mine: Promised,
  wishes: readonly Wish[],
  tally: OpenTally,
  { partial, isSold }: Selling,
): readonly Placed[] | null {
  const before = pool.promises.get(mine.key);
  pool.promises.set(mine.key, mine);
  const placed: Placed[] = [];
  let isShort = false;
  const numbered = wishes.map((wish, line) => ({ ...wish, line }));
  const choice = ({ nodes }: Wish): number => nodes?.length ?? ANY_NODE;
  const waits = ({ mayWait = false }: Wish): number => (mayWait ? 1 : 0);
  const order = numbered.toSorted((a, b) => waits(a) - waits(b) || choice(a) - choice(b));
  for (const { line, ...wish } of order) {
    const { sku, quantity, mayWait = false } = wish;
    const put = (units: number, node: number | null, ahead: Ahead): void => {
      const pile = pileAt(mine, { line, sku, node, ahead, fulfilment: null });
      putOn(pile, tally, zeros(units));
      charge(pool, mine.channel, pile, units);
      placed.push({ line, sku, node, units, ...(ahead === null ? {} : { ahead: rowOf(ahead) }) });
    };
    const there = spread(pool, wish, mine.channel, isSold);
    let left = quantity - sum(there.map(({ units }) => units));
    const ahead: { units: number; node: number; ahead: Ahead }[] = [];
    for (const one of mayWait ? aheadOf(pool, sku, mine.channel, wish.nodes) : []) {
      const units = Math.min(left, one.units);
      if (units > 0) ahead.push({ ...one, units });
      left -= units;
    }
    if (left > 0 && !isSold) isShort = true;
    for (const { node, units } of there) put(units, node, null);
    for (const one of ahead) put(one.units, one.node, one.ahead);
    if (left > 0 && isSold) put(left, null, null);
  }
  if (partial ? placed.length > 0 : !isShort) return placed;
  if (before) pool.promises.set(mine.key, before);
  else pool.promises.delete(mine.key);
  return null;
}

const rowOf = (ahead: number | 'allowance') =>
  ahead === 'allowance' ? { kind: ahead, detail: 0 } : ({ kind: 'incoming', detail: ahead } as const);

/** Held units of these SKUs expire, where their time has come; answers whose. */
export function expire(pool: Pool, skus: ReadonlySet<number>): ReadonlySet<number> {
  const expired = new Set<number>();
  for (const promised of pool.promises.values()) {
    if (promised.expiresAt > pool.now) continue;
    for (const pile of promised.piles) {
      if (pile.units.held === 0 || !skus.has(pile.sku)) continue;
      const { held } = pile.units;
      end(pile, 'held', 'expired', held, 'least');
      payBack(pile, held);
      expired.add(promised.key);
    }
    if (expired.has(promised.key)) promised.version++;
  }
  return expired;
}

export function notHeld(promised: Promised): Verdict {
  const isExpired = totalIn(promised, 'expired') > 0 && totalIn(promised, 'confirmed') === 0;
  return isExpired ? 'reservation.expired' : 'reservation.not_held';
}

export function extend(promised: Promised, expiresAt: number): Verdict {
  if (totalIn(promised, 'held') === 0) return notHeld(promised);
  promised.expiresAt = Math.max(promised.expiresAt, expiresAt);
  promised.version++;
  return 'done';
}

export function confirm(pool: Pool, promised: Promised, mayReacquire: boolean): Verdict {
  if (totalIn(promised, 'held') === 0) return reacquire(pool, promised, mayReacquire);
  for (const { units } of promised.piles) {
    units.confirmed += units.held;
    units.held = 0;
  }
  promised.version++;
  return 'done';
}

function reacquire(pool: Pool, promised: Promised, mayReacquire: boolean): Verdict {
  const refusal = notHeld(promised);
  if (refusal !== 'reservation.expired' || !mayReacquire) return refusal;
  const mine = copyOf(promised);
  const wishes = mine.lines.map(({ sku, nodes }, line) => ({
    sku,
    nodes,
    quantity: sum(mine.piles.filter((pile) => pile.line === line).map(({ units }) => units.expired)),
  }));
  for (const { units } of mine.piles) units.expired = 0;
  if (!place(pool, mine, wishes, 'confirmed', { partial: false, isSold: false })) return 'stock.insufficient';
  mine.version++;
  return 'done';
}
