/** Who may act on a reservation: from the moment at which an order is attached to it, the principal that attached it. */
import { type VerbEffect, NO_EFFECT, next } from './decide-verb.ts';
import type { Decision, Rejection } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { Controller, Reservation } from './reservation.ts';

export interface Attachment {
  /** The order that the caller believes is attached; null for none. */
  readonly expected: string | null;
  /** Null gives the reservation back to whoever made it. */
  readonly controller: Controller | null;
  /** Milliseconds; null leaves it as it is. */
  readonly orderedAt: number | null;
  /** Null leaves it as it is. */
  readonly priority: number | null;
}

/**
 * Compare-and-set of the attached order. The same attachment told again is accepted, whatever is expected, and changes nothing, so
 * that it does not defeat what others decide on the version that they saw.
 */
export function decideAttach(reservation: Reservation, attachment: Attachment): Decision<VerbEffect> {
  const { expected, controller } = attachment;
  const order = reservation.controller?.order ?? null;
  const isAttached = controller !== null && isSameController(reservation.controller, controller);
  if (!isAttached && order !== expected) return reject({ code: 'reservation.attached', order });
  const orderedAt = attachment.orderedAt ?? reservation.orderedAt;
  const priority = attachment.priority ?? reservation.priority;
  const isUnchanged =
    isSameController(reservation.controller, controller) &&
    orderedAt === reservation.orderedAt &&
    priority === reservation.priority;
  const attached = isUnchanged ? reservation : next(reservation, { controller, orderedAt, priority });
  return accept({ reservation: attached, effect: NO_EFFECT, changes: [] });
}

const isSameController = (a: Controller | null, b: Controller | null): boolean =>
  a?.actor === b?.actor && a?.order === b?.order;

/** Every verb asks this first: only the controller's actor may act on what an order is attached to. */
export const attachedToOther = ({ controller }: Reservation, actor: string): Rejection | null =>
  controller && controller.actor !== actor ? { code: 'reservation.attached', order: controller.order } : null;
