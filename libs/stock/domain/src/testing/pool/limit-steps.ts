/** Steps of a history in which sales are limited, and limits end. */
import { type Stop, type StopChange, opensWay, stopsAfter } from '../../stop.ts';
import { fenceUsesOf, stopsOf, suppliesAfter, withStops } from '../../supply.ts';
import { fence, supplyOf } from '../arbitraries.ts';
import type { Halt, Kept } from './market.ts';
import { tend } from './own-steps.ts';
import type { PlayedPool } from './played-pool.ts';
import { SKUS, rulesOf } from './world.ts';

/** Of one SKU, or of every one. */
export interface HaltChange extends Omit<StopChange, 'until'> {
  readonly sku: number | null;
  /** Milliseconds from now. */
  readonly lasts: number | null;
}

/** Nothing more is promised somewhere, or it is again. */
export function halt(pool: PlayedPool, { sku: named, node, channel, mode, lasts }: HaltChange): void {
  const { limits } = pool.model;
  const { isCaller } = pool.options;
  // Callers share their nodes with others, and their clock is not ours.
  const sku = isCaller ? (named ?? 1) : named;
  if (sku !== null) pool.reap(new Set([sku]));
  const until = lasts === null || isCaller ? null : pool.now + lasts;
  const others = limits.halts.filter((one) => one.sku !== sku || one.node !== node || one.channel !== channel);
  const halts = mode === 'none' ? others : [...others, { sku, node, channel, drains: mode === 'drain', until }];
  limits.halts = halts;
  const change = { node, channel, mode, until };
  if (sku !== null) {
    const before = pool.supplies.get(sku) ?? supplyOf(sku, []);
    const stops = stopsAfter(stopsOf(before), change);
    const supplies = new Map([[sku, withStops(before, stops)]]);
    pool.supplies = suppliesAfter(pool.supplies, { supplies, postings: [] });
    setRules(pool);
    if (opensWay(stopsOf(before), stops)) pool.serveAll(sku);
  } else setRules(pool);
  if (sku !== null) pool.told({ kind: 'halt', sku, node, channel, mode }, 'done');
}

/** Another fence takes the place of one, or none does; it starts with nothing used. */
export function keep(
  pool: PlayedPool,
  slot: number,
  wanted: Omit<Kept, 'key' | 'until'> | null,
  lasts: number | null,
): void {
  const { limits } = pool.model;
  pool.fences.delete(slot);
  const until = lasts === null || pool.options.isCaller ? null : pool.now + lasts;
  if (wanted) pool.fences.set(slot, { ...wanted, key: ++pool.lastFence, until });
  limits.kept = [...pool.fences.values()].sort((a, b) => Number(a.isShare) - Number(b.isShare) || a.key - b.key);
  setRules(pool);
  // Nobody loads what is used of a fence that is lifted.
  const known = new Set(limits.kept.map(({ key }) => key));
  const supplies = SKUS.map((sku) => {
    const before = pool.supplies.get(sku) ?? supplyOf(sku, []);
    const fenceUses = fenceUsesOf(before).filter((use) => known.has(use.fence));
    return [sku, { ...before, limits: { fenceUses, stops: stopsOf(before) } }] as const;
  });
  pool.supplies = new Map(supplies);
  pool.told({ kind: 'keep', slot, fence: pool.fences.get(slot) ?? null }, 'done');
  // Somebody looks for those who wait and may have what is free by now.
  if (pool.options.isCaller) for (const sku of SKUS) tend(pool, sku, true);
}

function setRules(pool: PlayedPool): void {
  const { kept, halts } = pool.model.limits;
  const fences = kept.map(({ key, channels, nodes, skus, isShare, quantity, until }) =>
    fence({
      key,
      channels: new Set(channels),
      nodes: nodes === null ? 'all' : new Set(nodes),
      skus: skus === null ? 'all' : new Set(skus),
      measure: isShare ? 'percent' : 'units',
      quantity,
      until,
    }),
  );
  pool.rules = rulesOf(pool.options.closes, { fences, stops: halts.filter(({ sku }) => sku === null).map(stopOf) });
}

const stopOf = ({ node, channel, drains, until }: Halt): Stop => ({ node, channel, drains, until });
