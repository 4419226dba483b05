/** Admission of a hold: asks ATP for each line, allocates, and grants all or nothing unless partial is allowed. */
import { type UnitsAheadAt, aheadOf, takeAhead, unitsIn } from './ahead.ts';
import { hold } from './arithmetic.ts';
import { type Allocated, type AllocationPolicy, type Destination, allocationOf } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import { type FencedUnits, chargeFence } from './charge-fences.ts';
import type { LineNo, NodeKey, SkuKey } from './keys.ts';
import { leastFreeFirst } from './line-order.ts';
import type { Decision, Shortage } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { SellingChannel, SellingRules } from './selling-rules.ts';
import { SupplyDraft, type Supplies, type SupplyEffect } from './supply.ts';
import { type UnitsAhead, stockAt } from './supply-row.ts';

/** Lines are not summed: one SKU may be picked up in one of them and shipped in another. */
export interface HoldLine {
  readonly sku: SkuKey;
  readonly quantity: number;
  /** Only these nodes may back it; null means any eligible one. */
  readonly nodes: readonly NodeKey[] | null;
  /** What is not there may be promised of what is to come: the buyer waits for it. */
  readonly mayWait?: boolean;
}

export interface HoldDemand {
  readonly lines: readonly HoldLine[];
  readonly allowPartial: boolean;
  readonly destination: Destination | null;
  /** The units are sold already: thresholds and fences do not count, and what is not there is promised all the same, on nothing yet. */
  readonly isSold?: boolean;
}

/** Units that stand behind a line from now on, all on one row. */
export interface GrantedUnits {
  readonly line: LineNo;
  readonly sku: SkuKey;
  /** Null: they stand on no row. 0: on an allowance that any node may serve. */
  readonly node: NodeKey | null;
  readonly units: number;
  /** What they stand on, if it is not there yet. */
  readonly ahead?: UnitsAhead;
  /** What of them a fence pays for. */
  readonly fenced?: FencedUnits;
}

export interface Grant {
  /** Units of each line. */
  readonly granted: readonly number[];
  readonly units: readonly GrantedUnits[];
  readonly effect: SupplyEffect;
}

const NOT_ASKED: Allocated = { allocations: [], leftover: 0 };
const NOTHING_AHEAD: readonly UnitsAheadAt[] = [];

/**
 * Grants backed units or answers `stock.insufficient` with every short line. A partial hold is refused only when not
 * one unit can be granted. Units at nodes that the policy refuses are not there for it. Of a line that may wait, what is not there
 * is promised of what is to come. `now` in milliseconds.
 */
export function decideHold(
  demand: HoldDemand,
  supplies: Supplies,
  rules: SellingRules,
  { channel, now }: { readonly channel: SellingChannel; readonly now: number },
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Decision<Grant> {
  const { lines, allowPartial, destination, isSold = false } = demand;
  const draft = new SupplyDraft(supplies);
  const granted = lines.map(() => 0);
  const units: GrantedUnits[] = [];
  const shortages: Shortage[] = [];
  for (const line of deciding(lines)) {
    const { sku, quantity, nodes, mayWait = false } = lines[line] ?? NO_LINE;
    const perspective = { channel, nodes: nodes && new Set(nodes), now, showsHidden: isSold };
    const { atp, nodes: there } = channelAtp(draft.supply(sku), rules, perspective);
    const wanted = Math.min(quantity, atp);
    const isRefused = wanted < quantity && !allowPartial && !isSold && !mayWait;
    const { allocations, leftover } = isRefused
      ? NOT_ASKED
      : allocationOf(policy, { quantity: wanted, destination, rules }, there);
    const missing = quantity - wanted + leftover;
    const ahead =
      mayWait && missing > 0 ? takeAhead(aheadOf(draft.supply(sku), rules, perspective), missing) : NOTHING_AHEAD;
    const got = quantity - missing + unitsIn(ahead);
    if (got < quantity && !isSold) shortages.push({ line, sku, requested: quantity, atp: got });
    if (got < quantity && !allowPartial && !isSold) continue;
    granted[line] = isSold ? quantity : got;
    for (const { node, quantity: taken } of allocations) {
      draft.change(sku, stockAt(node), (row) => hold(row, taken));
      const fenced = chargeFence(draft, { sku, node, channel: channel.key, units: taken }, { rules, now });
      units.push({ line, sku, node, units: taken, ...(fenced && { fenced }) });
    }
    for (const { at, units: taken } of ahead) {
      draft.change(sku, at, (row) => hold(row, taken));
      units.push({ line, sku, node: at.node, units: taken, ahead: { kind: at.kind, detail: at.detail } });
    }
    if (isSold && got < quantity) units.push({ line, sku, node: null, units: quantity - got });
  }
  const refused = allowPartial ? units.length === 0 : shortages.length > 0;
  if (refused) return reject({ code: 'stock.insufficient', shortages: shortages.sort((a, b) => a.line - b.line) });
  return accept({ granted, units, effect: draft.effect() });
}

const NO_LINE: HoldLine = { sku: 0, quantity: 0, nodes: null };

function deciding(lines: readonly HoldLine[]): readonly LineNo[] {
  const all = lines.map((_, line) => line);
  if (lines.length === 1 || !lines.some(({ nodes, mayWait = false }) => nodes !== null || mayWait)) return all;
  return all.toSorted((a, b) => leastFreeFirst(lines[a] ?? NO_LINE, lines[b] ?? NO_LINE));
}
