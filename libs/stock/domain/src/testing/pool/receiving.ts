/** Units are announced, sent, received and looked at. */
import { inTransit, owedBy } from './coming.ts';
import { refence } from './fencing.ts';
import { type Promised, type Which, byLine, choose, copyOf, isThere, openIn, relocate } from './piles.ts';
import type { Coming, Pool, State, Verdict } from './pool.ts';
import { byRank, offer } from './serving.ts';

/** A line is announced, or something else is said of it: units are still to come, or nothing any more. */
export function expect(pool: Pool, line: Coming, units: number): void {
  const { isClosed, received } = line;
  const lost = line.lost + (isClosed ? inTransit(line) : 0);
  pool.lines.set(line.detail, { ...line, sound: isClosed ? 0 : units, expected: received + units, lost });
}

export interface Received {
  readonly sku: number;
  readonly node: number;
  readonly line: Coming | null;
  readonly units: number;
  /** Null: as they have travelled. */
  readonly damaged: number | null;
  readonly toInspection: boolean;
  readonly closes: boolean;
}

export interface Arrival {
  readonly over: number;
  readonly lost: number;
  readonly landed: number;
  readonly toInspect: number;
  readonly served: number;
}

/** Riders first, then those who wait. Units that were sent are not on their way any more. */
export function receive(pool: Pool, { sku, node, line, units, toInspection, closes, ...told }: Received): Arrival {
  const isLate = pool.hasSeen(sku, node);
  const due = line ?? { sound: 0, damaged: 0, inspected: 0 };
  const expected = line ? inTransit(line) : 0;
  const whole = units - (told.damaged ?? 0);
  const inspected = Math.min(Math.max(0, whole - due.sound), due.inspected);
  const damaged = told.damaged ?? Math.min(Math.max(0, whole - due.sound - inspected), due.damaged);
  const sound = units - inspected - damaged;
  const lost = closes ? Math.max(0, expected - units) : 0;
  const before = pool.rowOf(sku, node).available;
  const moved = new Set<number>();
  const landed = line ? land(pool, line, sound, isLate, moved) : 0;
  pool.arrive(sku, node, toInspection ? 'inspected' : 'available', sound - landed, isLate);
  pool.arrive(sku, node, 'inspected', inspected, isLate);
  pool.arrive(sku, node, 'damaged', damaged, isLate);
  if (line) {
    drain(line, damaged, ['damaged', 'sound', 'inspected']);
    drain(line, inspected, ['inspected', 'sound', 'damaged']);
    drain(line, sound + lost, ['sound', 'inspected', 'damaged']);
  }
  const there = pool.rowOf(sku, node).available;
  const freed = isLate ? Math.min(there, line ? owedBy(pool, line) : 0) : Math.max(0, there - before);
  const served = offer(pool, { sku, node, units: freed, line }, moved);
  if (line) {
    line.received += units;
    line.lost += lost;
    line.isClosed = closes;
  }
  for (const key of moved) pool.promised(key).version++;
  const isInspected = pool.hasSeenState(sku, node, 'inspected');
  const toInspect = isInspected ? 0 : inspected + (toInspection ? sound - landed : 0);
  return { over: Math.max(0, units - expected), lost, landed, toInspect, served };
}

function drain(line: Coming, units: number, from: readonly ('sound' | 'inspected' | 'damaged')[]): void {
  let left = units;
  for (const state of from) {
    const taken = Math.min(left, line[state]);
    line[state] -= taken;
    left -= taken;
  }
}

/** Units of fulfilments that came along, as many as are sound. */
function land(pool: Pool, { sku, node, detail }: Coming, sound: number, isLate: boolean, moved: Set<number>): number {
  let left = sound;
  for (const mine of [...pool.promises.values()].sort(byRank)) {
    const before = copyOf(mine);
    for (const pile of [...mine.piles]) {
      if (pile.ahead !== detail || pile.sku !== sku || pile.fulfilment === null) continue;
      const units = Math.min(left, openIn(pile));
      if (units === 0) continue;
      relocate(mine, pile, { line: pile.line, sku, node, ahead: null, fulfilment: pile.fulfilment }, units);
      moved.add(mine.key);
      left -= units;
    }
    refence(pool, [{ before, after: mine }]);
  }
  pool.arrive(sku, node, 'available', isLate ? 0 : sound - left, false);
  return sound - left;
}

export interface Sent {
  readonly sku: number;
  readonly from: number;
  readonly line: Coming;
  readonly units: number;
  /** Null: what is taken first. */
  readonly state: State | null;
  readonly rider: { readonly promised: Promised; readonly which: Which } | null;
}

/** Units leave for another node, some of them for a buyer. */
export function ship(pool: Pool, { sku, from, line, units, state, rider }: Sent): Verdict {
  const isLate = pool.hasSeen(sku, from);
  const riding = rider?.which.quantity ?? 0;
  if (riding > units) return 'movement.exceeds_stock';
  return pool.attempt(() => {
    if (rider) {
      const mine = copyOf(rider.promised);
      const taken = choose(mine, rider.which, (pile) => (isThere(pile) ? pile.units.confirmed : 0), byLine);
      if (!taken) return 'reservation.units_missing';
      for (const [pile, some] of taken)
        relocate(
          mine,
          pile,
          { line: pile.line, sku, node: line.node, ahead: line.detail, fulfilment: pile.fulfilment },
          some,
        );
      pool.put(mine);
      refence(pool, [{ before: rider.promised, after: mine }]);
    }
    if (!isLate) pool.happen(sku, from, -riding);
    const plain = units - riding;
    const shelf = pool.shelf(sku, from);
    const isBound = !isLate && state !== null && !pool.hasSeenState(sku, from, state);
    if (isBound && state !== 'available' && plain > shelf[state]) return 'movement.exceeds_stock';
    const sent = pool.depart(sku, from, state, plain, isLate);
    const known = pool.lines.get(line.detail) ?? line;
    known.dueAt = line.dueAt;
    known.expected += units;
    known.sound += riding + plain - sent.damaged - sent.inspected;
    known.damaged += sent.damaged;
    known.inspected += sent.inspected;
    pool.lines.set(line.detail, known);
    return 'done';
  });
}

/** Units have been looked at. Answers how many were still there, damaged ones found first. */
export function judge(
  pool: Pool,
  sku: number,
  node: number,
  approved: number,
  rejected: number,
): { approved: number; rejected: number } {
  const shelf = pool.shelf(sku, node);
  const broken = Math.min(rejected, shelf.inspected);
  shelf.inspected -= broken;
  shelf.damaged += broken;
  const fine = Math.min(approved, shelf.inspected);
  shelf.inspected -= fine;
  return { approved: fine, rejected: broken };
}
