/** Rejections in the words of the API: a stable code, and by their codes what it is about. */
import { type Rejection, type RejectionCode, type Result, reject } from '@onepool/stock-domain';
import { type Views, isoTime } from './views.ts';

/** Codes beside the domain's: of what is refused before it is decided on, or is only read. */
export type RefusalCode =
  | RejectionCode
  | 'sku.unknown'
  | 'node.unknown'
  | 'channel.unknown'
  | 'reservation.unknown'
  | 'line.duplicate'
  | 'fulfilment.unknown'
  | 'fulfilment.ambiguous'
  | 'reservation.duplicate'
  | 'allocation.too_large'
  | 'inbound.unknown'
  | 'inbound.line_differs'
  | 'inbound.line_unknown'
  | 'inbound.other_kind'
  | 'transfer.same_node'
  | 'receipt.damaged_beyond'
  | 'inspection.unknown'
  | 'source.reserved'
  | 'feed.unknown'
  | 'feed.too_large'
  | 'feed.header_invalid'
  | 'feed.incomplete'
  | 'feed.rows_differ'
  | 'feed.not_waiting'
  | 'feed.superseded'
  | 'version.not_reached'
  | 'ledger.too_long'
  | 'limit.rate';

export interface Refusal {
  readonly code: RefusalCode;
  /** A sentence about this one occurrence, where its code and details do not say it all. */
  readonly detail?: string;
  /** Members of the problem document. */
  readonly details: Readonly<Record<string, unknown>>;
}

export type Answer<Value> = Result<Value, Refusal>;

export const refuse = (code: RefusalCode, details: Readonly<Record<string, unknown>> = {}) =>
  reject<Refusal>({ code, details });

/** Ids of the lines of a reservation, by the number of the reservation in the command. */
export type LineIds = (part: number) => readonly string[];

/** What was decided by keys, told by codes and by the ids of lines. */
export function refusalOf(rejection: Rejection, views: Views, lineIds: LineIds): Refusal {
  const { code, details } = told(rejection, views, lineIds);
  const { part, move } = rejection;
  const place = { ...(part === undefined ? {} : { reservation: part }), ...(move === undefined ? {} : { move }) };
  return { code, details: { ...details, ...place } };
}

function told(rejection: Rejection, views: Views, lineIds: LineIds): Refusal {
  const { code } = rejection;
  switch (code) {
    case 'stock.insufficient': {
      const ids = lineIds(rejection.part ?? 0);
      const shortages = rejection.shortages.map(({ line, sku, ...units }) => ({
        line: ids[line],
        sku: views.sku(sku),
        ...units,
      }));
      return { code, details: { shortages } };
    }
    case 'node.forbidden':
      return { code, details: { node: views.node(rejection.node) } };
    case 'reservation.not_held':
    case 'reservation.not_confirmed': {
      const { at } = rejection;
      return { code, details: at === null ? {} : { at: views.selector(at) } };
    }
    case 'order.has_reservation': {
      const { owner, id } = rejection.reservation;
      return { code, details: { reservation: id, owner } };
    }
    case 'reservation.attached':
      return { code, details: { order: rejection.order } };
    case 'reservation.extend_limit':
      return { code, details: { expiresAt: isoTime(rejection.expiresAt) } };
    case 'reservation.pinned':
      return { code, details: { at: views.selector(rejection.at) } };
    case 'reservation.units_missing':
      return { code, details: { at: views.selector(rejection.at), there: rejection.there } };
    case 'reservation.conflict':
      return { code, details: { version: rejection.version } };
    case 'movement.exceeds_stock':
      return { code, details: { line: rejection.line, there: rejection.there } };
    case 'inspection.exceeds_open':
      return { code, details: { open: rejection.open } };
    case 'transfer.too_large':
      return { code, details: { riders: rejection.riders, ridersMax: rejection.ridersMax } };
    case 'inbound.line_closed':
      return { code, details: { line: rejection.line } };
    case 'idempotency.mismatch':
    case 'reservation.expired':
    case 'reservation.taken':
    case 'reservation.tombstoned':
    case 'channel.forbidden':
      return { code, details: {} };
  }
}
