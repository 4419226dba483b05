/** What a command with several moves gives to rows and takes from them, judged together. */
import { shown } from './market.ts';
import { sum } from './piles.ts';
import type { Pool, Terms } from './pool.ts';

interface Taker {
  readonly units: number;
  /** What must be left of available units. */
  readonly hidden: number;
}

/** Units of rows that a command gives and takes, to be judged together. */
export interface Flow {
  readonly sku: number;
  readonly node: number;
  readonly channel: number;
  readonly given: number;
  readonly taken: number;
}

export const flow = (sku: number, node: number, channel: number, given: number, taken: number): Flow => ({
  sku,
  node,
  channel,
  given,
  taken,
});

/**
 * Whether each row has what is taken from it. Units that are given there may be had by anybody; what more is taken must leave
 * what is hidden from its channel. It is enough that some way of handing out the given ones does.
 */
export function areCovered(pool: Pool, flows: readonly Flow[], { isByHand }: Terms): boolean {
  const rows = new Map(flows.map(({ sku, node }) => [`${sku}/${node}`, { sku, node }]));
  return [...rows.values()].every(({ sku, node }) => {
    const here = flows.filter((flow) => flow.sku === sku && flow.node === node);
    const given = sum(here.map((flow) => flow.given));
    const wanted = new Map<number, number>();
    for (const { channel, taken } of here) wanted.set(channel, (wanted.get(channel) ?? 0) + taken);
    const { available } = pool.rowOf(sku, node);
    const hiddenFrom = (channel: number): number => (isByHand ? 0 : pool.market.hiddenAt(channel, node));
    const takers = [...wanted].map(([channel, units]) => ({ units, hidden: hiddenFrom(channel) }));
    return isServable(takers, given, available);
  });
}

/** A channel that takes more than it gives leaves what is hidden from it as a whole. Asked when all have moved. */
export function keepsHidden(pool: Pool, flows: readonly Flow[], { now, isByHand }: Terms): boolean {
  return (
    isByHand ||
    flows.every(({ channel, sku }) => {
      const own = flows.filter((flow) => flow.channel === channel && flow.sku === sku);
      const more = sum(own.map(({ given, taken }) => taken - given));
      return (
        more <= 0 ||
        pool.market.hiddenFrom(channel) === 0 ||
        shown(pool, sku, channel, now) >= pool.market.hiddenFrom(channel)
      );
    })
  );
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
