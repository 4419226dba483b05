/** Moves units of a reservation to wherever its channel's ATP has others, held ones and confirmed ones as they are. */
import { exchange } from './arithmetic.ts';
import { type AllocationPolicy, allocationOf } from './allocation.ts';
import { channelAtp } from './atp.ts';
import { rechargeFences } from './charge-fences.ts';
import { type BackingChange, type VerbEffect, changeOf, next } from './decide-verb.ts';
import type { SkuKey } from './keys.ts';
import { moveUnits } from './move-units.ts';
import { type Backing, type Reservation, onStock } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type SkuSupply, type Supplies, SupplyDraft, suppliesAfter } from './supply.ts';
import { stockAt } from './supply-row.ts';

export interface RelocationTerms {
  readonly rules: SellingRules;
  readonly now: number;
  readonly policy: AllocationPolicy;
}

/**
 * `leaving` says how many open units of a backing should go, as the supply is then. Units on which a node works stay. Null if none
 * has found a place.
 */
function relocate(
  sku: SkuKey,
  reservation: Reservation,
  supplies: Supplies,
  leaving: (backing: Backing, supply: SkuSupply) => number,
  { rules, now, policy }: RelocationTerms,
): VerbEffect | null {
  const channel = rules.channels.get(reservation.channel);
  if (!channel) return null;
  const draft = new SupplyDraft(supplies);
  let { backings } = reservation;
  const changes: BackingChange[] = [];
  for (const { no, line, kind, node } of reservation.backings) {
    const from = backings[no];
    if (!from || from.sku !== sku || kind !== 'stock' || from.fulfilment !== null) continue;
    const units = leaving(from, draft.supply(sku));
    if (units === 0) continue;
    const before = backings;
    const nodes = reservation.lines[line]?.nodes ?? null;
    const atp = channelAtp(draft.supply(sku), rules, { channel, nodes: nodes && new Set(nodes), now });
    const wanted = { quantity: Math.min(units, atp.atp), destination: null, rules };
    for (const { node: to, quantity } of allocationOf(policy, wanted, atp.nodes).allocations) {
      const source = backings[no] ?? from;
      const { backings: after, moved } = moveUnits(backings, source, onStock(line, sku, to), quantity);
      backings = after;
      const { held, confirmed } = moved;
      draft.change(sku, stockAt(to), (row) => exchange(row, { reserved: held, committed: confirmed }));
      draft.change(sku, stockAt(node), (row) => exchange(row, { reserved: -held, committed: -confirmed }));
      changes.push({ ...changeOf(source, quantity), to: { node: to, fulfilment: null } });
    }
    const moved = { before: { ...reservation, backings: before }, after: { ...reservation, backings } };
    [backings = before] = rechargeFences([moved], draft, { rules, now });
  }
  if (changes.length === 0) return null;
  return { reservation: next(reservation, { backings }), effect: draft.effect(), changes };
}

export interface Relocated {
  readonly effects: readonly VerbEffect[];
  readonly supplies: Supplies;
}

/**
 * The same for several, as they are given, except that those that only a few nodes may serve go first: an unrestricted one can still
 * go elsewhere. Those that an order controls stay: where they go is for the order.
 */
export function relocateAll(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  leaving: (backing: Backing, supply: SkuSupply, reservation: Reservation) => number,
  terms: RelocationTerms,
): Relocated {
  let current = supplies;
  const effects: VerbEffect[] = [];
  const free = candidates.filter(({ controller }) => controller === null);
  for (const one of free.toSorted((a, b) => freedom(a, sku) - freedom(b, sku))) {
    const effect = relocate(sku, one, current, (backing, supply) => leaving(backing, supply, one), terms);
    if (!effect) continue;
    effects.push(effect);
    current = suppliesAfter(current, effect.effect);
  }
  return { effects, supplies: current };
}

const freedom = ({ lines }: Reservation, sku: SkuKey): number =>
  lines.some((line) => line.sku === sku && line.nodes !== null) ? 0 : 1;
