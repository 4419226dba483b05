/**
 * Moving backings: the verb that brokering sends, and the plan that runs by itself after a shortfall. A move takes its
 * destination before it gives its source back, and never creates or drops a promise.
 */
import { confirm, giveBack, hold } from './arithmetic.ts';
import { type AllocationPolicy, allocationOf } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import type { BackingChange, VerbEffect } from './decide-verb.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from './result.ts';
import { type Backing, type Pin, type Reservation, newBacking, withBacking } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type Supplies, SupplyDraft, rowAt } from './supply.ts';

export interface Move {
  readonly sku: SkuKey;
  readonly from: NodeKey;
  readonly to: NodeKey;
  readonly quantity: number;
  /** The node has rejected the work or acknowledged its cancellation. */
  readonly unpin: boolean;
}

const open = (backing: Backing | undefined): number => (backing ? backing.held + backing.confirmed : 0);
const backingAt = (backings: readonly Backing[], sku: SkuKey, node: NodeKey): Backing | undefined =>
  backings.find((backing) => backing.sku === sku && backing.node === node);

/**
 * Compare-and-set, all or nothing. The destination's ATP for the reservation's channel must cover the units; a node
 * outside the reservation's own (a pickup's store) has none for it.
 */
export function decideReback(
  reservation: Reservation,
  supplies: Supplies,
  rules: SellingRules,
  request: {
    readonly expectedVersion: number;
    readonly moves: readonly Move[];
    readonly pin: Pin | null;
    readonly now: number;
  },
): Decision<VerbEffect> {
  if (reservation.version !== request.expectedVersion)
    return reject({ code: 'reback.conflict', version: reservation.version });
  const channel = rules.channels.get(reservation.channel);
  const draft = new SupplyDraft(supplies);
  let backings = reservation.backings;
  const changes: BackingChange[] = [];
  for (const { sku, from, to, quantity, unpin } of request.moves) {
    const source = backingAt(backings, sku, from);
    const inPlace = from === to;
    const movesNothing = inPlace && request.pin === null && !unpin;
    if (!source || open(source) < quantity || movesNothing)
      return reject({ code: 'reback.not_backed', at: { sku, node: from } });
    if (source.pin && !unpin) return reject({ code: 'reback.pinned', at: { sku, node: from } });
    const pinnedThere = backingAt(backings, sku, to)?.pin ?? null;
    if (!inPlace && pinnedThere && !isSamePin(pinnedThere, request.pin))
      return reject({ code: 'reback.pinned', at: { sku, node: to } });
    if (inPlace) {
      backings = withBacking(backings, { ...source, pin: request.pin });
      continue;
    }
    const mayBack = reservation.nodes === null || reservation.nodes.includes(to);
    const atp =
      channel && mayBack
        ? (channelAtp(draft.supply(sku), rules, { channel, nodes: new Set([to]), now: request.now }).nodes[0]?.atp ?? 0)
        : 0;
    if (atp < quantity) return reject({ code: 'stock.insufficient', shortages: [{ sku, requested: quantity, atp }] });
    backings = moveUnits(draft, backings, { sku, from, to, quantity });
    if (request.pin) backings = withPin(backings, sku, to, request.pin);
    changes.push({ sku, node: from, quantity, to });
  }
  const moved = { ...reservation, backings, version: reservation.version + 1 };
  return accept({ reservation: moved, effect: draft.effect(), changes });
}

const isSamePin = (a: Pin, b: Pin | null): boolean =>
  a.fulfilmentId === b?.fulfilmentId && a.orderVersion === b.orderVersion;

const withPin = (backings: readonly Backing[], sku: SkuKey, node: NodeKey, pin: Pin): readonly Backing[] => {
  const there = backingAt(backings, sku, node);
  return there ? withBacking(backings, { ...there, pin }) : backings;
};

/** Confirmed units move first; the source's pin falls once nothing open is left there. */
function moveUnits(
  draft: SupplyDraft,
  backings: readonly Backing[],
  { sku, from, to, quantity }: Omit<Move, 'unpin'>,
): readonly Backing[] {
  const source = backingAt(backings, sku, from) ?? newBacking(sku, from, {});
  const target = backingAt(backings, sku, to) ?? newBacking(sku, to, {});
  const confirmed = Math.min(quantity, source.confirmed);
  const held = quantity - confirmed;
  draft.change(sku, to, (row) => hold(row, quantity));
  if (confirmed > 0) draft.change(sku, to, (row) => confirm(row, confirmed));
  if (confirmed > 0) draft.change(sku, from, (row) => giveBack(row, 'committed', confirmed));
  if (held > 0) draft.change(sku, from, (row) => giveBack(row, 'reserved', held));
  const left = { ...source, confirmed: source.confirmed - confirmed, held: source.held - held };
  const given = { ...target, confirmed: target.confirmed + confirmed, held: target.held + held };
  return withBacking(withBacking(backings, { ...left, pin: open(left) === 0 ? null : left.pin }), given);
}

export interface Healing {
  readonly effects: readonly VerbEffect[];
  readonly supplies: Supplies;
  /** Promised units per node that no eligible node can cover. */
  readonly broken: readonly { readonly node: NodeKey; readonly quantity: number }[];
}

/**
 * Moves promises off the short rows of one SKU to wherever their channel's ATP has units. `candidates` are the open
 * reservations backed there, in the order in which they should move; pinned units stay.
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
  // Those that only a few nodes may serve go first: an unrestricted one can still go elsewhere.
  const restrictedFirst = candidates.toSorted((a, b) => Number(a.nodes === null) - Number(b.nodes === null));
  for (const reservation of restrictedFirst) {
    const effect = healOne(sku, reservation, current, { rules, now, policy });
    if (!effect) continue;
    effects.push(effect);
    current = new Map([...current, ...effect.effect.supplies]);
  }
  const rows = current.get(sku)?.rows ?? [];
  const broken = rows
    .filter(({ shortfall }) => shortfall > 0)
    .map(({ node, shortfall }) => ({ node, quantity: shortfall }));
  return { effects, supplies: current, broken };
}

function healOne(
  sku: SkuKey,
  reservation: Reservation,
  supplies: Supplies,
  { rules, now, policy }: { readonly rules: SellingRules; readonly now: number; readonly policy: AllocationPolicy },
): VerbEffect | null {
  const channel = rules.channels.get(reservation.channel);
  if (!channel) return null;
  const draft = new SupplyDraft(supplies);
  const nodes = reservation.nodes && new Set(reservation.nodes);
  let backings = reservation.backings;
  const changes: BackingChange[] = [];
  for (const backing of reservation.backings) {
    if (backing.sku !== sku || backing.pin) continue;
    const short = Math.min(open(backing), rowAt(draft.supply(sku), backing.node).shortfall);
    if (short === 0) continue;
    const atp = channelAtp(draft.supply(sku), rules, { channel, nodes, now });
    const movable = Math.min(short, atp.atp);
    const wanted = { quantity: movable, destination: null, rules };
    for (const { node, quantity } of allocationOf(policy, wanted, atp.nodes).allocations) {
      backings = moveUnits(draft, backings, { sku, from: backing.node, to: node, quantity });
      changes.push({ sku, node: backing.node, quantity, to: node });
    }
  }
  if (changes.length === 0) return null;
  return {
    reservation: { ...reservation, backings, version: reservation.version + 1 },
    effect: draft.effect(),
    changes,
  };
}
