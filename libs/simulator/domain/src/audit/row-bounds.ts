/** Bounds of what one (SKU, node) can have had free at an instant, over every ordering that the intervals allow. */
import { type Effect, freeUnits } from './effect.ts';
import { Timeline } from './timeline.ts';

export interface RowBounds {
  readonly node: string;
  readonly effects: readonly Effect[];
  /** Grants and arrivals that certainly happened, by the end of their interval. */
  readonly claims: readonly Effect[];
  /** Most that can have become free by the instant. */
  riseMost(atMs: number): number;
  /** Units taken by physical events that had certainly happened before the instant. */
  fallLeast(atMs: number): number;
  /** Units claimed by calls that had certainly happened before the instant. */
  claimLeast(atMs: number): number;
  /** Least that can have been free at any instant of the interval. */
  freeLeast(fromMs: number, untilMs: number): number;
  /** True when a sale may have reached damaged units, so that the sum of damages is only an upper bound. */
  readonly damageUncertain: boolean;
}

export const rowBounds = (node: string, effects: readonly Effect[]): RowBounds => {
  const damageUncertain = mayConsumeDamaged(effects);
  const rises = effects.filter((effect) => freeUnits(effect) > 0);
  const falls = effects.filter((effect) => freeUnits(effect) < 0 && !effect.claim);
  const takes = effects.filter((effect) => freeUnits(effect) < 0);
  const claims = effects.filter(({ claim, certain }) => claim && certain).sort((a, b) => a.untilMs - b.untilMs);
  const startOf = (some: readonly Effect[]) =>
    new Timeline(some.map((effect) => ({ atMs: effect.fromMs, quantity: Math.abs(freeUnits(effect)) })));
  const endOf = (some: readonly Effect[]) =>
    new Timeline(some.map((effect) => ({ atMs: effect.untilMs, quantity: Math.abs(freeUnits(effect)) })));
  const riseStarts = startOf(rises);
  const riseEnds = endOf(rises);
  const takeStarts = startOf(takes);
  const fallEnds = endOf(falls.filter(({ damaged }) => damaged === 0 || !damageUncertain));
  const claimEnds = endOf(claims);
  return {
    node,
    effects,
    claims,
    damageUncertain,
    riseMost: (atMs) => riseStarts.until(atMs),
    fallLeast: (atMs) => fallEnds.before(atMs),
    claimLeast: (atMs) => claimEnds.before(atMs),
    freeLeast: (fromMs, untilMs) => riseEnds.before(fromMs) - takeStarts.until(untilMs),
  };
};

/**
 * A sale of more than the sellable units takes damaged ones. That is possible only if the row's net units can have
 * fallen below all damage ever told, at some instant after the first damage; then the order decides, and no order is
 * assumed.
 */
const mayConsumeDamaged = (effects: readonly Effect[]): boolean => {
  const damages = effects.filter(({ damaged }) => damaged > 0);
  if (damages.length === 0) return false;
  const total = damages.reduce((sum, { damaged }) => sum + damaged, 0);
  const first = Math.min(...damages.map(({ fromMs }) => fromMs));
  const worst = effects
    .filter(({ net }) => net !== 0)
    .map(({ net, fromMs, untilMs }) => ({ net, atMs: net < 0 ? fromMs : untilMs }))
    .sort((a, b) => a.atMs - b.atMs || a.net - b.net);
  let net = 0;
  let least = Infinity;
  for (const one of worst) {
    if (one.atMs >= first) least = Math.min(least, net);
    net += one.net;
  }
  return Math.min(least, net) < total;
};

/** Bounds of every row of one SKU. */
export const boundsBySku = (effects: readonly Effect[]): ReadonlyMap<string, readonly RowBounds[]> => {
  const bySku = new Map<string, Map<string, Effect[]>>();
  for (const effect of effects) {
    const rows = bySku.get(effect.sku) ?? new Map<string, Effect[]>();
    if (rows.size === 0) bySku.set(effect.sku, rows);
    const row = rows.get(effect.node);
    if (row) row.push(effect);
    else rows.set(effect.node, [effect]);
  }
  return new Map([...bySku].map(([sku, rows]) => [sku, [...rows].map(([node, row]) => rowBounds(node, row))]));
};
