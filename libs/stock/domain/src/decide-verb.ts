/**
 * The verbs on an existing reservation. The caller has locked every SKU of it and has reaped what is overdue, so a
 * held unit here is a live one.
 */
import { confirm, fulfil, giveBack } from './arithmetic.ts';
import { rowKey } from './feed.ts';
import { decideHold } from './decide-hold.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { BackingRef, Decision, Rejection } from './rejection.ts';
import { accept, reject } from './result.ts';
import {
  type Backing,
  type Reservation,
  type Tally,
  newBacking,
  retally,
  totalOf,
  withBacking,
} from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { SupplyDraft, type Supplies, type SupplyEffect } from './supply.ts';

export interface PartLine {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
}

export interface BackingChange {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
  readonly to?: NodeKey;
}

/** A verb's outcome: the reservation as it becomes, what the book does, and the units that moved. */
export interface VerbEffect {
  readonly reservation: Reservation;
  readonly effect: SupplyEffect;
  readonly changes: readonly BackingChange[];
}

const NO_EFFECT: SupplyEffect = { supplies: new Map(), postings: [] };
const next = (reservation: Reservation, change: Partial<Reservation>): Reservation => ({
  ...reservation,
  ...change,
  version: reservation.version + 1,
});

const expiredOrNotHeld = (reservation: Reservation, at: BackingRef | null = null): Rejection =>
  totalOf(reservation.backings, 'expired') > 0 && totalOf(reservation.backings, 'confirmed') === 0
    ? { code: 'reservation.expired' }
    : { code: 'reservation.not_held', at };

/** Prolongs a live hold; never shortens it. */
export function decideExtend(reservation: Reservation, expiresAt: number): Decision<VerbEffect> {
  if (totalOf(reservation.backings, 'held') === 0) return reject(expiredOrNotHeld(reservation));
  const extended = next(reservation, { expiresAt: Math.max(reservation.expiresAt, expiresAt) });
  return accept({ reservation: extended, effect: NO_EFFECT, changes: [] });
}

/** Turns every held unit into a confirmed one; after expiry only with `reacquire`, as a new grant. */
export function decideConfirm(
  reservation: Reservation,
  supplies: Supplies,
  rules: SellingRules,
  { now, reacquire }: { readonly now: number; readonly reacquire: boolean },
): Decision<VerbEffect> {
  if (totalOf(reservation.backings, 'held') > 0) {
    // Money is captured on this answer, so it does not lean on the caller's reaping alone.
    if (reservation.expiresAt <= now) return reject({ code: 'reservation.expired' });
    return accept(confirmHeld(reservation, supplies));
  }
  const rejection = expiredOrNotHeld(reservation);
  if (rejection.code !== 'reservation.expired' || !reacquire) return reject(rejection);
  return reacquireExpired(reservation, supplies, rules, now);
}

function confirmHeld(reservation: Reservation, supplies: Supplies): VerbEffect {
  const draft = new SupplyDraft(supplies);
  const changes: BackingChange[] = [];
  const backings = reservation.backings.map((backing) => {
    const { sku, node, held } = backing;
    if (held === 0) return backing;
    draft.change(sku, node, (row) => confirm(row, held));
    changes.push({ sku, node, quantity: held });
    return retally(backing, 'held', 'confirmed', held);
  });
  return { reservation: next(reservation, { backings }), effect: draft.effect(), changes };
}

/** Expired units are promised anew where stock is, all or nothing, and confirmed at once. */
function reacquireExpired(
  reservation: Reservation,
  supplies: Supplies,
  rules: SellingRules,
  now: number,
): Decision<VerbEffect> {
  const channel = rules.channels.get(reservation.channel);
  if (!channel) return reject({ code: 'reservation.expired' });
  const lines = reservation.backings
    .filter(({ expired }) => expired > 0)
    .map(({ sku, expired }) => ({ sku, quantity: expired }));
  const demand = { lines, allowPartial: false, destination: null };
  const nodes = reservation.nodes && new Set(reservation.nodes);
  const grant = decideHold(demand, supplies, rules, { channel, nodes, now });
  if (!grant.ok) return grant;
  const draft = new SupplyDraft(new Map([...supplies, ...grant.value.effect.supplies]));
  let backings: readonly Backing[] = reservation.backings.map((backing) => ({ ...backing, expired: 0 }));
  const changes: BackingChange[] = [];
  for (const { sku, node, held } of grant.value.backings) {
    draft.change(sku, node, (row) => confirm(row, held));
    const there = backings.find((backing) => backing.sku === sku && backing.node === node) ?? newBacking(sku, node, {});
    backings = withBacking(backings, { ...there, confirmed: there.confirmed + held });
    changes.push({ sku, node, quantity: held });
  }
  const confirmed = draft.effect();
  const effect = { supplies: confirmed.supplies, postings: [...grant.value.effect.postings, ...confirmed.postings] };
  return accept({ reservation: next(reservation, { backings }), effect, changes });
}

interface Leaving {
  readonly from: 'held' | 'confirmed';
  readonly to: Tally;
  readonly change: (row: Parameters<typeof fulfil>[0], quantity: number) => ReturnType<typeof fulfil>;
  readonly refuse: (reservation: Reservation, at: BackingRef | null) => Rejection;
}

const notConfirmed = (_: Reservation, at: BackingRef | null): Rejection => ({ code: 'reservation.not_confirmed', at });

const LEAVING = {
  release: {
    from: 'held',
    to: 'released',
    change: (row, units) => giveBack(row, 'reserved', units),
    refuse: expiredOrNotHeld,
  },
  cancel: {
    from: 'confirmed',
    to: 'cancelled',
    change: (row, units) => giveBack(row, 'committed', units),
    refuse: notConfirmed,
  },
  fulfil: { from: 'confirmed', to: 'fulfilled', change: fulfil, refuse: notConfirmed },
} as const satisfies Record<string, Leaving>;

/**
 * `release`, `cancel` and `fulfil`: units leave the promise, all of them or the named parts. Where `isCounted` says that
 * the row's newest count no longer had the units that are fulfilled, the promise ends and the book stays (ADR 0009).
 */
export function decideLeave(
  verb: keyof typeof LEAVING,
  reservation: Reservation,
  supplies: Supplies,
  parts: readonly PartLine[] | null,
  isCounted: (at: BackingRef) => boolean = () => false,
): Decision<VerbEffect> {
  const { from, to, change, refuse }: Leaving = LEAVING[verb];
  const draft = new SupplyDraft(supplies);
  const leaving =
    parts ??
    reservation.backings
      .map((backing) => ({ sku: backing.sku, node: backing.node, quantity: backing[from] }))
      .filter(({ quantity }) => quantity > 0);
  if (leaving.length === 0) return reject(refuse(reservation, null));
  const backings = [...reservation.backings];
  const positions = new Map(backings.map((backing, position) => [rowKey(backing.sku, backing.node), position]));
  for (const { sku, node, quantity } of leaving) {
    const position = positions.get(rowKey(sku, node)) ?? -1;
    const backing = backings[position];
    if (!backing || backing[from] < quantity) return reject(refuse(reservation, { sku, node }));
    const leave = verb === 'fulfil' && isCounted({ sku, node }) ? LEAVING.cancel.change : change;
    draft.change(sku, node, (row) => leave(row, quantity));
    backings[position] = retally(backing, from, to, quantity);
  }
  return accept({ reservation: next(reservation, { backings }), effect: draft.effect(), changes: leaving });
}
