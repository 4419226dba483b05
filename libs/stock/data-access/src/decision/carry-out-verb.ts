/** A verb on a reservation, with what follows from it beside: what was told, what has to be inspected, and that an order has one reservation. */
import {
  type Controller,
  type Decision,
  type Rejection,
  type ToldBook,
  type VerbEffect,
  accept,
  attachedToOther,
  decideConfirm,
  reject,
} from '@onepool/stock-domain';
import { controllerKey } from '../repository/controllers.ts';
import type { BatchState } from '../repository/load-batch.ts';
import type { StoredReservation } from '../repository/stored-reservations.ts';
import type { VerbCommand } from '../requests/command.ts';
import { type Writes, toldBy } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import { openInspections, takenToInspection } from './open-inspections.ts';
import { FACT_OF_VERB, decideVerb, occurredAtOf } from './verb-decisions.ts';

/** Answers the reservation as the verb has left it. */
export function carryOutVerb(command: VerbCommand, state: BatchState, book: ChangingBook): Decision<StoredReservation> {
  const { verb, trace } = command;
  const { now } = state;
  const stored = book.stored(command.reservationKey);
  const attached = attachedToOther(stored.reservation, command.actor) ?? hasReservation(command, state);
  if (attached) return reject(attached);
  const occurredAt = Math.min(occurredAtOf(verb) ?? now, now);
  const decision = decideVerb(verb, stored, state, { occurredAt, teller: String(command.sourceKey) });
  if (!decision.ok) return decision;
  const origin = { ...toldBy(command), reason: verb.name, occurredAt };
  const deed = { origin, doer: command, fact: FACT_OF_VERB[verb.name], trace };
  const confirmed = verb.name === 'attach' && verb.confirm ? confirmWith(decision.value, verb, state) : null;
  if (confirmed?.ok === false) return confirmed;
  if (verb.name === 'attach') noteAttached(verb.controller, stored, state);
  tell(command.reservationKey, decision.value.told, state, book.writes);
  const changed = book.applyVerb(stored, decision.value, deed);
  if (verb.name === 'reject') doubt(command, verb.selected.fulfilment, decision.value, state, book.writes);
  if (!confirmed) return accept(changed);
  const how = { ...origin, reason: 'confirm' };
  return accept(book.applyVerb(changed, confirmed.value, { ...deed, origin: how, fact: 'confirmed' }));
}

/** What a node doubts that refuses units has to be inspected. */
function doubt(
  { actor, id: commandId, reservationKey }: VerbCommand,
  fulfilment: string,
  { effect }: VerbEffect,
  state: BatchState,
  writes: Writes,
): void {
  const of = { actor, commandId, line: null, detail: null, refused: { reservationKey, fulfilment } };
  const cause = { origin: 'reject', reason: 'reject', ...of } as const;
  openInspections(takenToInspection(effect.postings), cause, state, writes);
}

/** What is told of fulfilments from now on. */
function tell(reservationKey: number, told: ToldBook | undefined, state: BatchState, writes: Writes): void {
  if (told === undefined || told.size === 0) return;
  const before = state.told.get(reservationKey) ?? new Map();
  state.told.set(reservationKey, new Map([...before, ...told]));
  writes.tell(reservationKey, told);
}

/** Confirms what is being attached, in the same commit. */
function confirmWith(
  { reservation }: VerbEffect,
  { reacquire }: { readonly reacquire: boolean },
  { supplies, rules, now }: BatchState,
): Decision<VerbEffect> {
  return decideConfirm(reservation, supplies, rules, { now, reacquire });
}

/** An order has one reservation. */
function hasReservation({ verb, reservationKey }: VerbCommand, { controllers }: BatchState): Rejection | null {
  if (verb.name !== 'attach' || verb.controller === null) return null;
  const other = controllers.get(controllerKey(verb.controller));
  return other && other.key !== reservationKey ? { code: 'order.has_reservation', reservation: other } : null;
}

/** Others of the batch ask as well. */
function noteAttached(
  controller: Controller | null,
  { owner, id, reservation: { key, controller: before } }: StoredReservation,
  { controllers }: BatchState,
): void {
  if (before) controllers.delete(controllerKey(before));
  if (controller) controllers.set(controllerKey(controller), { key, owner, id });
}
