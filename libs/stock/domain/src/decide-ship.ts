/**
 * A transfer leaves its node: units travel in the state that they were in, and are on their way to the destination from then on.
 * Units of a fulfilment may ride; they stay promised, on the same line and to the same fulfilment.
 */
import { type RowChange, type TravelState, expectUnits, fulfil, giveBack, recommit, removable } from './arithmetic.ts';
import type { FenceTerms } from './charge-fences.ts';
import { type CountedStates, stateInBook } from './counted-states.ts';
import type { VerbEffect } from './decide-verb.ts';
import { type InboundLine, onTheWay } from './inbound.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { MovingPromises } from './moving-promises.ts';
import type { Decision, Rejection } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { Backing, Reservation } from './reservation.ts';
import { type FulfilmentUnits, inLineOrder, selectUnits, unitsMissing } from './select-units.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowAt } from './supply.ts';
import { type SupplyRow, stockAt } from './supply-row.ts';
import { type TravelledUnits, leave, leaveLate, travelStates, travelled } from './travel.ts';

/** The ship leg of a transfer, for one SKU. */
export interface Shipment {
  readonly sku: SkuKey;
  readonly from: NodeKey;
  /** The line that it is at its destination from now on, or has been since an earlier leg. */
  readonly line: InboundLine;
  /** In all, those of riders included. */
  readonly units: number;
  /** The state of those that nobody rides on; null: what physical events take first, in the state in which it is. */
  readonly state: TravelState | null;
  readonly riders: readonly Rider[];
  /** Whether the newest count of the row has seen the units gone: then its net stays, and the units are on their way all the same. */
  readonly isLate: boolean;
  /** States whose newest count has seen them gone. */
  readonly counted: CountedStates;
}

/** Confirmed units of a fulfilment at the node. */
export interface Rider {
  readonly reservation: Reservation;
  readonly selected: Omit<FulfilmentUnits, 'sku' | 'node'>;
}

export interface ShipEffect {
  /** Of each reservation that rides, once, whatever lines it rides on; the book's part of all is in `effect`. */
  readonly effects: readonly VerbEffect[];
  readonly effect: SupplyEffect;
  /** Of each shipment, in their order. */
  readonly sent: readonly (readonly TravelledUnits[])[];
}

const confirmedThere = ({ kind, confirmed }: Backing): number => (kind === 'stock' ? confirmed : 0);

/**
 * All shipments, in order, or none. Never refused for what the book does not know of, only for named states that do not have the units
 * and for riders that are not there; in a refusal `line` counts shipments from 1, and `part` the riders of all of them from 0. A late
 * leg may free units at its node, which the caller offers to those who wait.
 */
export function decideShip(
  shipments: readonly Shipment[],
  supplies: Supplies,
  terms: FenceTerms,
): Decision<ShipEffect> {
  const draft = new SupplyDraft(supplies);
  const riders = shipments.flatMap((shipment) => shipment.riders);
  const promises = new MovingPromises(
    riders.map(({ reservation }) => reservation),
    draft,
    terms,
  );
  const sent: (readonly TravelledUnits[])[] = [];
  let before = 0;
  for (const [index, shipment] of shipments.entries()) {
    const shipped = ship(shipment, draft, promises);
    if (!shipped.ok) return reject(placed(shipped.rejection, index + 1, before));
    sent.push(shipped.value);
    before += shipment.riders.length;
  }
  return accept({ effects: promises.effects(), effect: draft.effect(), sent });
}

/** A refusal of one shipment, counted among all. */
const placed = (rejection: Rejection, line: number, before: number): Rejection => ({
  ...rejection,
  ...(rejection.code === 'movement.exceeds_stock' ? { line } : {}),
  ...(rejection.part === undefined ? {} : { part: before + rejection.part }),
});

function ship(shipment: Shipment, draft: SupplyDraft, promises: MovingPromises): Decision<readonly TravelledUnits[]> {
  const { sku, from, line, units, state, riders, isLate, counted } = shipment;
  const riding = riders.reduce((sum, { selected }) => sum + selected.quantity, 0);
  if (riding > units) return reject({ code: 'movement.exceeds_stock', line: 1, there: units });
  for (const [part, rider] of riders.entries()) {
    const refusal = ride(rider, shipment, promises);
    if (refusal) return reject({ ...refusal, part });
  }
  const at = stockAt(from);
  draft.change(sku, at, (row) => (isLate ? giveBack(row, 'committed', riding) : fulfil(row, riding)));
  const there = removable(rowAt(draft.supply(sku), from), stateInBook(state ?? 'available', counted));
  if (!isLate && units - riding > there)
    return reject({ code: 'movement.exceeds_stock', line: 1, there: riding + there });
  const plain = send(draft, shipment, units - riding);
  draft.setLine(sku, line);
  draft.change(sku, onTheWay(line), (row) => boarding(row, plain, riding));
  const sent = { available: riding, quality_control: 0, damaged: 0 };
  for (const one of plain) sent[one.state] += one.units;
  return accept(travelled(sent));
}

function ride({ reservation, selected }: Rider, { sku, from, line }: Shipment, promises: MovingPromises) {
  const current = { ...reservation, backings: promises.backings(reservation) };
  const wanted = { ...selected, sku, node: from };
  const units = selectUnits(current, wanted, confirmedThere, inLineOrder);
  if (!units) return unitsMissing(current, wanted, confirmedThere);
  for (const { backing, quantity } of units) {
    const to = { ...onTheWay(line), line: backing.line, sku, fulfilment: backing.fulfilment };
    promises.move(reservation, backing, to, quantity);
  }
  return null;
}

/** What nobody rides on leaves the row, and is answered as it travels. */
function send(
  draft: SupplyDraft,
  { sku, from, state, isLate, counted }: Shipment,
  units: number,
): readonly TravelledUnits[] {
  let left: RowChange['transfers'] = [];
  const inBook = stateInBook(state ?? 'available', counted);
  draft.change(sku, stockAt(from), (row) => {
    const change = isLate ? leaveLate(row, inBook, units) : leave(row, inBook, units);
    left = change.transfers;
    return change;
  });
  if (state !== null || isLate) return units > 0 ? [{ state: state ?? 'available', units }] : [];
  return travelStates(left);
}

/** Riders stand on what travels, whatever the line owed to others before. */
function boarding(before: SupplyRow, plain: readonly TravelledUnits[], riding: number): RowChange {
  let row = before;
  const transfers: RowChange['transfers'][number][] = [];
  const then = (change: RowChange): void => {
    row = change.row;
    transfers.push(...change.transfers);
  };
  then(expectUnits(row, riding));
  then(recommit(row, riding));
  for (const { state, units } of plain) then(expectUnits(row, units, state));
  return { row, transfers };
}
