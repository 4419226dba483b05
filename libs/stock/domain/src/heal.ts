/** What the engine does by itself about promises that the book no longer covers: it moves them to where units are. */
import { exchange } from './arithmetic.ts';
import { type AllocationPolicy, allocationOf } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import { type BackingChange, type VerbEffect, changeOf, next } from './decide-verb.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { moveUnits } from './move-units.ts';
import { type Reservation, onStock, open } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type Supplies, SupplyDraft, rowAt, suppliesAfter } from './supply.ts';
import { stockAt } from './supply-row.ts';

export interface Healing {
  readonly effects: readonly VerbEffect[];
  readonly supplies: Supplies;
  /** Promised units per node that no eligible node can cover. */
  readonly broken: readonly { readonly node: NodeKey; readonly quantity: number }[];
}

/**
 * Moves promises off the short rows of one SKU to wherever their channel's ATP has units. `candidates` are the open
 * reservations backed there, in the order in which they should move. Units on which a node works stay, and so do those of a
 * reservation that an order controls: where these go is for the order.
 */
export function healShortfall(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  rules: SellingRules,
  now: number,
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Healing {
  let current = supplies;
  const effects: VerbEffect[] = [];
  const free = candidates.filter(({ controller }) => controller === null);
  for (const reservation of free.toSorted((a, b) => freedom(a, sku) - freedom(b, sku))) {
    const effect = healOne(sku, reservation, current, { rules, now, policy });
    if (!effect) continue;
    effects.push(effect);
    current = suppliesAfter(current, effect.effect);
  }
  const rows = current.get(sku)?.rows ?? [];
  const broken = rows
    .filter(({ shortfall }) => shortfall > 0)
    .map(({ node, shortfall }) => ({ node, quantity: shortfall }));
  return { effects, supplies: current, broken };
}

/** Those that only a few nodes may serve go first: an unrestricted one can still go elsewhere. */
const freedom = ({ lines }: Reservation, sku: SkuKey): number =>
  lines.some((line) => line.sku === sku && line.nodes !== null) ? 0 : 1;

function healOne(
  sku: SkuKey,
  reservation: Reservation,
  supplies: Supplies,
  { rules, now, policy }: { readonly rules: SellingRules; readonly now: number; readonly policy: AllocationPolicy },
): VerbEffect | null {
  const channel = rules.channels.get(reservation.channel);
  if (!channel) return null;
  const draft = new SupplyDraft(supplies);
  let { backings } = reservation;
  const changes: BackingChange[] = [];
  for (const { no, line, kind, node } of reservation.backings) {
    const from = backings[no];
    if (!from || from.sku !== sku || kind !== 'stock' || from.fulfilment !== null) continue;
    const short = Math.min(open(from), rowAt(draft.supply(sku), node).shortfall);
    if (short === 0) continue;
    const nodes = reservation.lines[line]?.nodes ?? null;
    const atp = channelAtp(draft.supply(sku), rules, { channel, nodes: nodes && new Set(nodes), now });
    const wanted = { quantity: Math.min(short, atp.atp), destination: null, rules };
    for (const { node: to, quantity } of allocationOf(policy, wanted, atp.nodes).allocations) {
      const source = backings[no] ?? from;
      const { backings: after, moved } = moveUnits(backings, source, onStock(line, sku, to), quantity);
      backings = after;
      const { held, confirmed } = moved;
      draft.change(sku, stockAt(to), (row) => exchange(row, { reserved: held, committed: confirmed }));
      draft.change(sku, stockAt(node), (row) => exchange(row, { reserved: -held, committed: -confirmed }));
      changes.push({ ...changeOf(source, quantity), to: { node: to, fulfilment: null } });
    }
  }
  if (changes.length === 0) return null;
  return { reservation: next(reservation, { backings }), effect: draft.effect(), changes };
}
