/** Units that come free serve those who wait, one by one, before anybody else may have them. */
import { isLate, lineBy, owedBy } from './coming.ts';
import { refence, unfenced } from './fencing.ts';
import { type Pile, type Promised, copyOf, openIn, relocate, sum } from './piles.ts';
import type { Coming, Pool } from './pool.ts';
import { mayStand } from './showing.ts';

/** Whoever asked first, of those who matter most. */
export const byRank = (a: Promised, b: Promised): number =>
  b.priority - a.priority || a.since - b.since || a.key - b.key;
/** What nobody knows when it comes goes before what is on its way. */
const byHope = (a: Pile, b: Pile): number =>
  a.line - b.line || Number(a.ahead !== 'allowance') - Number(b.ahead !== 'allowance');

export interface Offered {
  readonly sku: number;
  readonly node: number;
  readonly units: number;
  /** The line that has brought them. */
  readonly line?: Coming | null;
  /** Only what no order controls moves. */
  readonly onlyFree?: boolean;
}

/** Answers how many found somebody. Whose promises have moved is added to `moved`. */
export function offer(pool: Pool, offered: Offered, moved: Set<number>): number {
  const { sku, node } = offered;
  let left = Math.min(offered.units, pool.rowOf(sku, node).available);
  const units = left;
  let keepsOwed = true;
  while (left > 0) {
    const found = firstFor(pool, offered, left, keepsOwed);
    // Nobody came for what is kept for those to whom a line owes it: it is for all.
    if (!found && !keepsOwed) break;
    if (!found) keepsOwed = false;
    else {
      const { mine, pile, room } = found;
      const before = copyOf(mine);
      const spot = { line: pile.line, sku, node, ahead: null, fulfilment: null };
      const mayHave = (): boolean =>
        left > 0 &&
        waitsFor(pool, pile, node, offered.line ?? null) &&
        (!keepsOwed || isIts(pool, offered, pile, left));
      for (let unit = 0; unit < room && mayHave(); unit++, left--) relocate(mine, pile, spot, 1);
      // One fence pays for what a pile is given at once.
      refence(pool, [{ before, after: mine }]);
      moved.add(mine.key);
    }
  }
  return units - left;
}

interface Found {
  readonly mine: Promised;
  readonly pile: Pile;
  /** Units that no fence keeps from it. */
  readonly room: number;
}

function firstFor(pool: Pool, offered: Offered, left: number, keepsOwed: boolean): Found | null {
  const { sku, node, line = null, onlyFree = false } = offered;
  const { available } = pool.rowOf(sku, node);
  for (const mine of [...pool.promises.values()].sort(byRank)) {
    if (onlyFree && mine.order !== null) continue;
    if (!mine.piles.some((pile) => pile.ahead !== null && pile.sku === sku && openIn(pile) > 0)) continue;
    const room = unfenced(pool, mine.channel, { sku, node, available });
    if (room === 0) continue;
    for (const pile of [...mine.piles].sort(byHope)) {
      if (pile.sku !== sku || !waitsFor(pool, pile, node, line)) continue;
      if (!mayStand(pool, mine, pile.line, node, false)) continue;
      if (!keepsOwed || isIts(pool, offered, pile, left)) return { mine, pile, room };
    }
  }
  return null;
}

/** Whether a unit at a node is what a pile waits for. What a node works on waits for its own line. */
function waitsFor(pool: Pool, pile: Pile, node: number, brought: Coming | null): boolean {
  if (pile.ahead === null || pile.fulfilment !== null || openIn(pile) === 0) return false;
  if (pile.ahead === 'allowance') return pile.node === 0 || pile.node === node;
  const line = lineBy(pool, pile.ahead);
  return line.node === node || line === brought || isLate(pool, line) || owedBy(pool, line) > 0;
}

/** Lines keep units of their node for their own promises that are short, first the line that has brought the units. */
function isIts(pool: Pool, { node, sku, line: brought = null }: Offered, { ahead }: Pile, left: number): boolean {
  const lines = [...pool.lines.values()].filter((one) => one.sku === sku && (one.node === node || one === brought));
  const own = sum(lines.filter(({ detail }) => detail === ahead).map((one) => owedBy(pool, one)));
  const others = sum(lines.filter(({ detail }) => detail !== ahead).map((one) => owedBy(pool, one)));
  const before = brought === null || brought.detail === ahead ? 0 : owedBy(pool, brought);
  return left > others || (own > 0 && left > before);
}

/** All that has come free since this was last asked, node by node. */
export function serve(pool: Pool, sku: number): void {
  const freed = pool.market.nodes.map((node) => {
    const units = pool.rowOf(sku, node).available - (pool.marks.get(`${sku}/${node}`) ?? 0);
    return { sku, node, units };
  });
  offerEach(pool, freed);
}

/** Others may have what is free than before. */
export const serveAll = (pool: Pool, sku: number): void => offerEach(pool, freeOf(pool, sku));

/** What is free now has been offered. */
export function mark(pool: Pool, sku: number): void {
  for (const node of pool.market.nodes) pool.marks.set(`${sku}/${node}`, pool.rowOf(sku, node).available);
}

/** Whether anybody waits for what does not come in time. */
export const isOwed = (pool: Pool, sku: number): boolean =>
  [...pool.lines.values()].some((line) => {
    const { committed, reserved, shortfall } = pool.rowOf(sku, line.node, line.detail);
    return line.sku === sku && committed + reserved > 0 && (isLate(pool, line) || shortfall > 0);
  });

/** A line is late: what nobody controls may have whatever is free anywhere. */
export const serveLate = (pool: Pool, sku: number): void =>
  offerEach(
    pool,
    freeOf(pool, sku).map((free) => ({ ...free, onlyFree: true })),
  );

const freeOf = (pool: Pool, sku: number): readonly Offered[] =>
  pool.market.nodes.map((node) => ({ sku, node, units: pool.rowOf(sku, node).available }));

function offerEach(pool: Pool, offers: readonly Offered[]): void {
  const moved = new Set<number>();
  for (const one of offers) if (one.units > 0) offer(pool, one, moved);
  for (const key of moved) pool.promised(key).version++;
}

/** Whether anybody has been promised units of the SKU that are not there yet. */
export const isWaitedFor = (pool: Pool, sku: number): boolean =>
  [...pool.promises.values()].some(({ piles }) =>
    piles.some((pile) => pile.sku === sku && pile.ahead !== null && openIn(pile) > 0),
  );
