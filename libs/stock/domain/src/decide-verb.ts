/**
 * The verbs on an existing reservation that concern nobody else: it is prolonged, confirmed, and its units leave. The caller has
 * locked every SKU of it and has reaped what is overdue, so a held unit here is a live one.
 */
import { confirm, fulfil, giveBack } from './arithmetic.ts';
import { giveBackFenced, withCharge } from './charge-fences.ts';
import { decideHold } from './decide-hold.ts';
import type { LineNo, NodeKey, SkuKey } from './keys.ts';
import type { Decision, Rejection } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import {
  type Backing,
  type BackingPlace,
  type OpenTally,
  type Reservation,
  type Tally,
  endUnits,
  backingAt,
  onStock,
  supplyOf,
  totalOf,
  withBacking,
  withUnits,
} from './reservation.ts';
import {
  type BackingUnits,
  type SelectedUnits,
  type UnitSelector,
  inLineOrder,
  leastAdvanced,
  refOf,
  selectUnits,
} from './select-units.ts';
import type { SellingRules } from './selling-rules.ts';
import { SupplyDraft, type Supplies, type SupplyEffect, suppliesAfter } from './supply.ts';
import { type UnitsAhead, stockAt } from './supply-row.ts';

/** Units of a reservation that moved or ended. */
export interface BackingChange {
  readonly line: LineNo;
  readonly sku: SkuKey;
  /** Null of units that stood on no row. */
  readonly node: NodeKey | null;
  readonly quantity: number;
  readonly fulfilment: string | null;
  /** What they stood on, if it was not there yet. */
  readonly ahead?: UnitsAhead;
  /** Where they stand now, if they moved. */
  readonly to?: { readonly node: NodeKey | null; readonly fulfilment: string | null; readonly ahead?: UnitsAhead };
}

/** A verb's outcome: the reservation as it becomes, what the book does, and the units that moved. */
export interface VerbEffect {
  readonly reservation: Reservation;
  readonly effect: SupplyEffect;
  readonly changes: readonly BackingChange[];
}

export const NO_EFFECT: SupplyEffect = { supplies: new Map(), postings: [] };

/** Units of a backing, as a change tells them. */
export const changeOf = (at: BackingPlace, quantity: number): BackingChange => ({
  line: at.line,
  sku: at.sku,
  quantity,
  ...standingOf(at),
});

/** Where units stand, as a change tells it. */
export const standingOf = ({ kind, node, detail, fulfilment }: BackingPlace): Required<BackingChange>['to'] =>
  kind === 'stock' || kind === 'unbacked'
    ? { node: kind === 'unbacked' ? null : node, fulfilment }
    : { node, fulfilment, ahead: { kind, detail } };

export const next = (reservation: Reservation, change: Partial<Reservation>): Reservation => ({
  ...reservation,
  ...change,
  version: reservation.version + 1,
});

const expiredOrNotHeld = (reservation: Reservation, at: UnitSelector | null = null): Rejection =>
  totalOf(reservation.backings, 'expired') > 0 && totalOf(reservation.backings, 'confirmed') === 0
    ? { code: 'reservation.expired' }
    : { code: 'reservation.not_held', at };

const FOUR_HOURS_MS = 4 * 3_600_000;

/**
 * Prolongs a live hold; never shortens it. Counted from its creation, a hold lives at most `longestMs`, however often it is
 * prolonged: what is asked beyond that is granted up to there, and a hold that is there already is refused.
 */
export function decideExtend(
  reservation: Reservation,
  expiresAt: number,
  longestMs: number = FOUR_HOURS_MS,
): Decision<VerbEffect> {
  if (totalOf(reservation.backings, 'held') === 0) return reject(expiredOrNotHeld(reservation));
  const latest = reservation.createdAt + longestMs;
  if (expiresAt > reservation.expiresAt && reservation.expiresAt >= latest)
    return reject({ code: 'reservation.extend_limit', expiresAt: reservation.expiresAt });
  const granted = Math.max(reservation.expiresAt, Math.min(expiresAt, latest));
  const extended = next(reservation, { expiresAt: granted });
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
    const { sku, held } = backing;
    if (held === 0) return backing;
    const row = supplyOf(backing);
    if (row) draft.change(sku, row, (before) => confirm(before, held));
    changes.push(changeOf(backing, held));
    return { ...backing, held: 0, confirmed: backing.confirmed + held };
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
  const wanted = reservation.lines
    .map((line) => ({
      ...line,
      quantity: totalOf(
        reservation.backings.filter((backing) => backing.line === line.no),
        'expired',
      ),
    }))
    .filter(({ quantity }) => quantity > 0);
  const demand = { lines: wanted, allowPartial: false, destination: null };
  const grant = decideHold(demand, supplies, rules, { channel, now });
  if (!grant.ok) return reject(ofLines(grant.rejection, wanted));
  const draft = new SupplyDraft(suppliesAfter(supplies, grant.value.effect));
  let backings: readonly Backing[] = reservation.backings.map((backing) => ({ ...backing, expired: 0 }));
  const changes: BackingChange[] = [];
  for (const { line, sku, node, units, fenced = null } of grant.value.units) {
    if (node === null) throw new Error('Broken invariant: units were acquired that stand on nothing');
    draft.change(sku, stockAt(node), (row) => confirm(row, units));
    const at = onStock(wanted[line]?.no ?? 0, sku, node);
    backings = withUnits(backings, at, { confirmed: units });
    const acquired = backingAt(backings, at);
    if (acquired) backings = withBacking(backings, withCharge(acquired, fenced, draft));
    changes.push(changeOf(at, units));
  }
  const confirmed = draft.effect();
  const effect = { supplies: confirmed.supplies, postings: [...grant.value.effect.postings, ...confirmed.postings] };
  return accept({ reservation: next(reservation, { backings }), effect, changes });
}

/** A refusal names lines by their place in what was asked for, which leaves out lines with nothing to get back. */
function ofLines(rejection: Rejection, asked: readonly { readonly no: LineNo }[]): Rejection {
  if (rejection.code !== 'stock.insufficient') return rejection;
  const shortages = rejection.shortages.map((short) => ({ ...short, line: asked[short.line]?.no ?? short.line }));
  return { ...rejection, shortages };
}

interface Leaving {
  readonly from: OpenTally;
  readonly to: Tally;
  readonly change: typeof fulfil;
  readonly refuse: (reservation: Reservation, at: UnitSelector | null) => Rejection;
}

const notConfirmed = (_: Reservation, at: UnitSelector | null): Rejection => ({
  code: 'reservation.not_confirmed',
  at,
});

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
 * `release`, `cancel` and `fulfil`: units leave the promise, all of them or the named parts. Only units that are there can be
 * fulfilled. `counted` says how many of the units of a backing that are fulfilled the row's newest count no longer had: for these
 * the promise ends and the book stays (ADR 0009).
 */
export function decideLeave(
  verb: keyof typeof LEAVING,
  reservation: Reservation,
  supplies: Supplies,
  parts: readonly SelectedUnits[] | null,
  counted: (backing: Backing, quantity: number) => number = () => 0,
): Decision<VerbEffect> {
  const { from, to, change, refuse }: Leaving = LEAVING[verb];
  const isFulfil = verb === 'fulfil';
  const count = (backing: Backing): number => (isFulfil && backing.kind !== 'stock' ? 0 : backing[from]);
  const order = isFulfil ? inLineOrder : leastAdvanced;
  const draft = new SupplyDraft(supplies);
  const changes: BackingChange[] = [];
  let left = reservation;
  for (const part of parts ?? everything(reservation, count)) {
    const units = selectUnits(left, part, count, order);
    if (!units || units.length === 0) return reject(refuse(reservation, refOf(part)));
    left = { ...left, backings: units.reduce(leave, left.backings) };
  }
  if (changes.length === 0) return reject(refuse(reservation, null));
  const backings = giveBackFenced(reservation.backings, left.backings, draft);
  return accept({ reservation: next(reservation, { backings }), effect: draft.effect(), changes });

  function leave(backings: readonly Backing[], { backing, quantity }: BackingUnits): readonly Backing[] {
    const row = supplyOf(backing);
    const ended = isFulfil ? counted(backing, quantity) : 0;
    if (row && quantity > ended) draft.change(backing.sku, row, (before) => change(before, quantity - ended));
    if (row && ended > 0) draft.change(backing.sku, row, (before) => giveBack(before, 'committed', ended));
    changes.push(changeOf(backing, quantity));
    return withBacking(backings, endUnits(backing, from, to, quantity, isFulfil ? 'most' : 'least'));
  }
}

/** All there is, as one part. */
const everything = (reservation: Reservation, count: (backing: Backing) => number): readonly SelectedUnits[] => {
  const quantity = reservation.backings.reduce((sum, backing) => sum + count(backing), 0);
  return quantity === 0 ? [] : [{ quantity }];
};
