/** What a command with several moves gives to rows and takes from them, judged together. */
import { type Free, payingOf, unfenced } from './fencing.ts';
import { shown } from './showing.ts';
import { sum } from './piles.ts';
import type { Pool } from './pool.ts';

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
 * what is hidden from its channel. It is enough that some way of handing out the given ones does. By hand, only what is there counts.
 */
export function areCovered(pool: Pool, flows: readonly Flow[], isByHand: boolean): boolean {
  const rows = new Map(flows.map(({ sku, node }) => [`${sku}/${node}`, { sku, node }]));
  return [...rows.values()].every(({ sku, node }) => {
    const here = flows.filter((flow) => flow.sku === sku && flow.node === node);
    const given = sum(here.map((flow) => flow.given));
    const takers = new Map<number, number>();
    for (const { channel, taken } of here) takers.set(channel, (takers.get(channel) ?? 0) + taken);
    if (sum([...takers.values()]) <= given) return true;
    const free = { sku, node, available: pool.rowOf(sku, node).available };
    return isServable(pool, [...takers], given, { free, charged: new Map(), isByHand });
  });
}

/** A channel that takes more than it gives leaves what is hidden from it as a whole. Asked when all have moved. */
export function keepsHidden(pool: Pool, flows: readonly Flow[], isByHand: boolean): boolean {
  return (
    isByHand ||
    flows.every(({ channel, sku }) => {
      const hidden = pool.market.hiddenFrom(channel);
      if (hidden === 0) return true;
      const own = flows.filter((flow) => flow.channel === channel && flow.sku === sku);
      return sum(own.map(({ given, taken }) => taken - given)) <= 0 || shown(pool, sku, channel) >= hidden;
    })
  );
}

interface Served {
  readonly free: Free;
  readonly charged: ReadonlyMap<number, number>;
  readonly isByHand: boolean;
}

/** Tries every order of takers, and every way to hand out the given units among them. */
function isServable(
  pool: Pool,
  takers: readonly (readonly [number, number])[],
  given: number,
  { free, charged, isByHand }: Served,
): boolean {
  if (takers.length === 0) return true;
  return takers.some(([channel, units], at) => {
    const others = takers.toSpliced(at, 1);
    const hidden = pool.market.hiddenAt(channel, free.node);
    const room = isByHand ? free.available : unfenced(pool, channel, free, charged) - hidden;
    for (let covered = 0; covered <= Math.min(given, units); covered++) {
      const rest = units - covered;
      if (rest > 0 && rest > room) continue;
      const paying = payingOf(pool, channel, free, rest, charged);
      const after = {
        free: { ...free, available: free.available - rest },
        charged: paying ? new Map([...charged, [paying.key, (charged.get(paying.key) ?? 0) + paying.units]]) : charged,
        isByHand,
      };
      if (isServable(pool, others, given - covered, after)) return true;
    }
    return false;
  });
}
