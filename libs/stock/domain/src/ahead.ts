/**
 * What may be promised although it is not there yet: first what is on its way, in the order in which it is due, and then allowances,
 * up to their caps. Reads and grants call this same function.
 *
 * A line that is late promises nothing new: when it comes, nobody knows. Thresholds hide what is there, and nothing of this.
 */
import { type Perspective, channelAtp, maySell } from './atp.ts';
import { inboundLineOf, isOverdue } from './inbound.ts';
import type { NodeKey } from './keys.ts';
import type { SellingRules } from './selling-rules.ts';
import { type SkuSupply, rowOf } from './supply.ts';
import { type SupplyPlace, type SupplyRow, promised } from './supply-row.ts';

/** Units that may still be promised of one row of what is to come. */
export interface UnitsAheadAt {
  readonly at: SupplyPlace;
  readonly units: number;
}

type Buyer = Pick<Perspective, 'channel' | 'nodes' | 'now'>;

const NOTHING: readonly UnitsAheadAt[] = [];

/** In the order in which it is promised. */
export function aheadOf(supply: SkuSupply, rules: SellingRules, buyer: Buyer): readonly UnitsAheadAt[] {
  const caps = rules.allowancesOf(supply.sku);
  if (supply.future.length === 0 && caps.size === 0) return NOTHING;
  const mayServe = (node: NodeKey): boolean =>
    (buyer.nodes === null || buyer.nodes.has(node)) && maySell(supply, rules, buyer.channel, node, buyer.now);
  return [...comingTo(supply, mayServe, buyer.now), ...allowedAt(supply, rules, mayServe)].filter(
    ({ units }) => units > 0,
  );
}

function comingTo(
  { sku, future, inbound }: SkuSupply,
  mayServe: (node: NodeKey) => boolean,
  now: number,
): readonly UnitsAheadAt[] {
  const coming = future.flatMap((row) => {
    if (row.kind !== 'incoming' || row.available === 0 || !mayServe(row.node)) return [];
    const line = inboundLineOf(sku, inbound, row.detail);
    return isOverdue(line, now) ? [] : [{ row, due: line.dueAt ?? Number.POSITIVE_INFINITY }];
  });
  const inDueOrder = (a: (typeof coming)[number], b: (typeof coming)[number]): number =>
    a.due === b.due ? a.row.detail - b.row.detail : a.due - b.due;
  return coming.toSorted(inDueOrder).map(({ row }) => ({ at: placeOf(row), units: row.available }));
}

/** Those of one node first, so that what any node may serve is left for whom only that can serve. */
function allowedAt(
  supply: SkuSupply,
  rules: SellingRules,
  mayServe: (node: NodeKey) => boolean,
): readonly UnitsAheadAt[] {
  const isAnywhere = (): boolean => [...rules.nodes.keys()].some(mayServe);
  return [...rules.allowancesOf(supply.sku)]
    .toSorted(([a], [b]) => Number(a === 0) - Number(b === 0) || a - b)
    .filter(([node]) => (node === 0 ? isAnywhere() : mayServe(node)))
    .map(([node, cap]) => {
      const at: SupplyPlace = { node, kind: 'allowance', detail: 0 };
      return { at, units: Math.max(0, cap - promised(rowOf(supply, at))) };
    });
}

const placeOf = ({ node, kind, detail }: SupplyRow): SupplyPlace => ({ node, kind, detail });

/** Of what may be promised, so many units, in its order; fewer if there are fewer. */
export function takeAhead(ahead: readonly UnitsAheadAt[], quantity: number): readonly UnitsAheadAt[] {
  const taken: UnitsAheadAt[] = [];
  let left = quantity;
  for (const { at, units } of ahead) {
    if (left === 0) break;
    taken.push({ at, units: Math.min(left, units) });
    left -= Math.min(left, units);
  }
  return taken;
}

export const unitsIn = (ahead: readonly UnitsAheadAt[]): number => ahead.reduce((sum, { units }) => sum + units, 0);

/** Units that a line which may wait can be promised: ATP, and what is to come. Never less than ATP. */
export const atpWithIncoming = (supply: SkuSupply, rules: SellingRules, perspective: Perspective): number =>
  unitsIn(aheadOf(supply, rules, perspective)) + channelAtp(supply, rules, perspective).atp;
