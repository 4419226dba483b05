/**
 * A node will not fulfil units that it was given. What that says of its stock takes effect in the same decision in which the units
 * leave it, so that a unit that is not there is never on sale in between.
 */
import { type RowChange, damageable, giveBack, quarantine, sell, unpromised, writeOff } from './arithmetic.ts';
import type { CountedStates } from './counted-states.ts';
import { mayBack } from './decide-allocate.ts';
import { type BackingChange, type VerbEffect, changeOf, next } from './decide-verb.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import {
  type Backing,
  type Reservation,
  onNothing,
  onStock,
  open,
  withBacking,
  withUnits,
  withoutUnits,
} from './reservation.ts';
import {
  type BackingUnits,
  type FulfilmentUnits,
  leastAdvanced,
  selectUnits,
  splitOpen,
  unitsMissing,
} from './select-units.ts';
import { Settlement, type Terms, type UnitsGiven, type UnitsTaken } from './settlement.ts';
import { type Supplies, SupplyDraft } from './supply.ts';
import { type SupplyRow, stockAt } from './supply-row.ts';

/**
 * What a node that refuses units says of its stock of their SKU.
 *
 * - `none`: nothing; the units are there.
 * - `quantity`: the refused units are not there.
 * - `sellable_only`: what nobody was promised, the refused units with it, must be looked at before it is sold.
 * - `all`: nothing sellable is there; what others were promised is short from now on.
 */
export type RejectEffect = 'none' | 'quantity' | 'sellable_only' | 'all';

export interface RejectedUnits {
  readonly selected: FulfilmentUnits;
  readonly effect: RejectEffect;
  /** Where the units stand from now on; null: on nothing. */
  readonly moveTo: UnitTarget | null;
  /** Whether the newest count of the row has seen already what is said of it: then its net stays. */
  readonly isLate: (sku: SkuKey, node: NodeKey) => boolean;
  /** States whose newest count has seen them there. */
  readonly counted: (sku: SkuKey, node: NodeKey) => CountedStates;
}

export interface UnitTarget {
  readonly node: NodeKey;
  readonly fulfilment: string | null;
}

/**
 * The units stay promised, on nothing or at another node, and what the node had acknowledged of them is void. Refused as a whole if
 * there are fewer, or if they cannot stand where they are to move.
 */
export function decideReject(
  reservation: Reservation,
  rejected: RejectedUnits,
  supplies: Supplies,
  terms: Terms,
): Decision<VerbEffect> {
  const { selected, moveTo } = rejected;
  const units = selectUnits(reservation, selected, openAtNode, leastAdvanced);
  if (!units) return reject(unitsMissing(reservation, selected, openAtNode));
  const channel = terms.rules.channels.get(reservation.channel) ?? null;
  const draft = new SupplyDraft(supplies);
  const settlement = new Settlement();
  for (const given of leaveRows(units, rejected, draft)) settlement.give({ ...given, channel });
  if (moveTo) {
    const taken = takeAt(moveTo.node, units, reservation, supplies, terms);
    if (!taken.ok) return taken;
    for (const one of taken.value) settlement.take(one);
  }
  const left = units.reduce((all, one) => letGo(all, one, moveTo), reservation.backings);
  const after = { channel: reservation.channel, backings: left };
  const settled = settlement.settle(draft, terms, [{ before: reservation, after }]);
  if (!settled.ok) return settled;
  const [backings = left] = settled.value;
  const to = moveTo ?? { node: null, fulfilment: null };
  const changes = units.map(({ backing, quantity }): BackingChange => ({ ...changeOf(backing, quantity), to }));
  return accept({ reservation: next(reservation, { backings }), effect: draft.effect(), changes });
}

const openAtNode = (backing: Backing): number => (backing.kind === 'stock' ? open(backing) : 0);

interface RowEffect {
  /** How the refused units leave the promise. */
  readonly leave: (row: SupplyRow, state: 'committed' | 'reserved', quantity: number) => RowChange;
  /** What else becomes of the row, once they have. */
  readonly sweep: ((row: SupplyRow) => RowChange) | null;
}

const missing: RowEffect['leave'] = (row, state, quantity) => writeOff(row, quantity, state);

const ROW_EFFECTS: Readonly<Record<Exclude<RejectEffect, 'none'>, RowEffect>> = {
  quantity: { leave: missing, sweep: null },
  sellable_only: { leave: giveBack, sweep: (row) => quarantine(row, unpromised(row)) },
  all: { leave: missing, sweep: (row) => sell(row, damageable(row)) },
};

/** Null: the promise is given back, and the row keeps its units for sale. */
function rowEffectOf({ effect, isLate, counted }: RejectedUnits, sku: SkuKey, node: NodeKey): RowEffect | null {
  if (effect === 'none') return null;
  const isSeen = effect === 'sellable_only' ? counted(sku, node).has('quality_control') : isLate(sku, node);
  return isSeen ? null : ROW_EFFECTS[effect];
}

/**
 * Does to the rows what the node says of them. The answer is what is only given back: the caller settles it together with what is
 * taken elsewhere.
 */
function leaveRows(
  units: readonly BackingUnits[],
  rejected: RejectedUnits,
  draft: SupplyDraft,
): readonly Omit<UnitsGiven, 'channel'>[] {
  const given: Omit<UnitsGiven, 'channel'>[] = [];
  for (const { backing, quantity } of units) {
    const { sku, node } = backing;
    const at = stockAt(node);
    const split = splitOpen(backing, quantity);
    const effect = rowEffectOf(rejected, sku, node);
    if (!effect) {
      given.push({ sku, at, units: split });
      continue;
    }
    const { leave, sweep } = effect;
    draft.change(sku, at, (row) => leave(row, 'committed', split.confirmed));
    draft.change(sku, at, (row) => leave(row, 'reserved', split.held));
    if (sweep) draft.change(sku, at, sweep);
  }
  return given;
}

/** What the units need at the node they move to; refused if it may not back one of them. */
function takeAt(
  node: NodeKey,
  units: readonly BackingUnits[],
  reservation: Reservation,
  supplies: Supplies,
  terms: Terms,
): Decision<readonly UnitsTaken[]> {
  const channel = terms.rules.channels.get(reservation.channel);
  const taken: UnitsTaken[] = [];
  for (const { backing, quantity } of units) {
    const { line, sku } = backing;
    const found = reservation.lines[line];
    if (!channel || !found || !mayBack(found, channel, { node }, supplies, terms))
      return reject({ code: 'stock.insufficient', shortages: [{ line, sku, requested: quantity, atp: 0 }] });
    taken.push({ sku, at: stockAt(node), units: splitOpen(backing, quantity), channel, line });
  }
  return accept(taken);
}

function letGo(
  backings: readonly Backing[],
  { backing, quantity }: BackingUnits,
  moveTo: UnitTarget | null,
): readonly Backing[] {
  const { no, line, sku } = backing;
  const { held, confirmed } = splitOpen(backing, quantity);
  // Units refused before may have come to this backing since it was selected.
  const current = backings[no] ?? backing;
  const left = withoutUnits(withoutUnits(current, 'confirmed', confirmed, 'least'), 'held', held, 'least');
  const to = moveTo ? onStock(line, sku, moveTo.node, moveTo.fulfilment) : onNothing(line, sku);
  return withUnits(withBacking(backings, left), to, { held, confirmed });
}
