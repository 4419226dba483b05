/**
 * Moves units of several reservations at once: to other nodes, to and from fulfilments, and from no node at all. Moves never create
 * or drop a promise, and they are judged by their net effect, so that orders may swap nodes with nothing free.
 */
import { maySell } from './atp.ts';
import { type BackingChange, type VerbEffect, NO_EFFECT, changeOf, next } from './decide-verb.ts';
import type { NodeKey } from './keys.ts';
import { isOnSameRow, moveUnits } from './move-units.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import {
  type Backing,
  type BackingPlace,
  type Reservation,
  type ReservationLine,
  onStock,
  open,
  supplyOf,
} from './reservation.ts';
import { type SelectedUnits, inLineOrder, selectUnits, unitsMissing } from './select-units.ts';
import type { SellingChannel } from './selling-rules.ts';
import { Settlement, type Terms } from './settlement.ts';
import { type Supplies, SupplyDraft, noSupply } from './supply.ts';
import { stockAt } from './supply-row.ts';

export interface AllocationMove {
  /** Units on which a node works move only where their fulfilment is named: the node has let go. */
  readonly from: SelectedUnits & { readonly fulfilment: string | null };
  readonly to: { readonly node: NodeKey; readonly fulfilment: string | null };
}

/** The moves of one reservation, decided on what it was at that version. */
export interface AllocationPart {
  readonly reservation: Reservation;
  readonly expectedVersion: number;
  readonly moves: readonly AllocationMove[];
}

/** What happens together or not at all. */
export interface AllocationEffect {
  /** In the order of the parts; the book's effect of all is in the first. */
  readonly effects: readonly VerbEffect[];
}

/** Compare-and-set of every reservation, all or nothing. `part` and `move` of a refusal count from 0. */
export function decideAllocate(
  parts: readonly AllocationPart[],
  supplies: Supplies,
  terms: Terms,
): Decision<AllocationEffect> {
  const settlement = new Settlement();
  const effects: VerbEffect[] = [];
  const keys = new Set<number>();
  for (const [part, { reservation, expectedVersion, moves }] of parts.entries()) {
    if (reservation.version !== expectedVersion)
      return reject({ code: 'reservation.conflict', part, version: reservation.version });
    if (keys.has(reservation.key)) throw new Error('Broken invariant: the moves of a reservation are in two parts');
    keys.add(reservation.key);
    const moved = moveAll({ reservation, moves, part }, supplies, terms, settlement);
    if (!moved.ok) return reject({ ...moved.rejection, part });
    effects.push(moved.value);
  }
  const draft = new SupplyDraft(supplies);
  const moved = effects.map(({ reservation: after }, part) => ({ before: parts[part]?.reservation ?? after, after }));
  const settled = settlement.settle(draft, terms, moved);
  if (!settled.ok) return settled;
  const [first, ...others] = effects.map((one, part) => withBackings(one, settled.value[part]));
  return accept({ effects: first ? [{ ...first, effect: draft.effect() }, ...others] : [] });
}

const withBackings = (effect: VerbEffect, backings: readonly Backing[] = []): VerbEffect => ({
  ...effect,
  reservation: { ...effect.reservation, backings },
});

function moveAll(
  { reservation, moves, part }: Pick<AllocationPart, 'reservation' | 'moves'> & { readonly part: number },
  supplies: Supplies,
  terms: Terms,
  settlement: Settlement,
): Decision<VerbEffect> {
  const { rules } = terms;
  const channel = rules.channels.get(reservation.channel);
  const changes: BackingChange[] = [];
  let { backings } = reservation;
  for (const [move, { from, to }] of moves.entries()) {
    const units = selectUnits({ ...reservation, backings }, from, open, inLineOrder);
    if (!units) return reject({ ...unitsMissing({ ...reservation, backings }, from, open), move });
    for (const { backing, quantity } of units) {
      const { line: no, sku } = backing;
      const line = reservation.lines[no];
      const target = onStock(no, sku, to.node, to.fulfilment);
      const { backings: after, moved } = moveUnits(backings, backing, target, quantity);
      backings = after;
      changes.push({ ...changeOf(backing, quantity), to });
      // They take nothing from anybody, so they may stay where nothing may be sold any more.
      if (isOnSameRow(backing, target)) continue;
      if (!channel || !line || !mayBack(line, channel, target, supplies, terms)) {
        return reject({
          code: 'stock.insufficient',
          shortages: [{ line: no, sku, requested: quantity, atp: 0 }],
          move,
        });
      }
      const source = supplyOf(backing);
      if (source) settlement.give({ sku, at: source, units: moved, channel });
      settlement.take({ sku, at: stockAt(to.node), units: moved, channel, line: no, part });
    }
  }
  return accept({ reservation: next(reservation, { backings }), effect: NO_EFFECT, changes });
}

/** Whether units of a line may come to stand at a node: by hand they may be where they could not be sold from, or no longer. */
export function mayBack(
  line: ReservationLine,
  channel: SellingChannel,
  { node }: Pick<BackingPlace, 'node'>,
  supplies: Supplies,
  { rules, now, override }: Terms,
): boolean {
  if (override) return rules.nodes.has(node);
  const supply = supplies.get(line.sku) ?? noSupply(line.sku);
  return (line.nodes === null || line.nodes.includes(node)) && maySell(supply, rules, channel, node, now);
}
