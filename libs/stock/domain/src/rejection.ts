/** Expected refusals: returned, never thrown, each with a stable code and the facts that explain it. */
import type { LineNo, NodeKey, SkuKey } from './keys.ts';
import type { Result } from '@onepool/result';
import type { UnitSelector } from './select-units.ts';

export type Rejection = (
  | { readonly code: 'stock.insufficient'; readonly shortages: readonly Shortage[] }
  | { readonly code: 'reservation.expired' }
  | { readonly code: 'reservation.not_held'; readonly at: UnitSelector | null }
  | { readonly code: 'reservation.not_confirmed'; readonly at: UnitSelector | null }
  /** The hold cannot be prolonged any more; it ends at `expiresAt`, in milliseconds. */
  | { readonly code: 'reservation.extend_limit'; readonly expiresAt: number }
  | { readonly code: 'reservation.conflict'; readonly version: number }
  | { readonly code: 'reservation.units_missing'; readonly at: UnitSelector; readonly there: number }
  | { readonly code: 'reservation.taken' }
  | { readonly code: 'reservation.tombstoned' }
  | { readonly code: 'order.has_reservation'; readonly reservation: { readonly owner: string; readonly id: string } }
  /** Another order than expected is attached, or the caller is not who attached it; null where none is. */
  | { readonly code: 'reservation.attached'; readonly order: string | null }
  /** A node works on these units, and has not let go of them. */
  | { readonly code: 'reservation.pinned'; readonly at: UnitSelector }
  | { readonly code: 'node.forbidden'; readonly node: NodeKey }
  | { readonly code: 'channel.forbidden' }
  | { readonly code: 'idempotency.mismatch' }
  /** A closed line brings nothing more. `line` counts from 1. */
  | { readonly code: 'inbound.line_closed'; readonly line: number }
  /** More units are judged than nobody has judged yet, or all of none. */
  | { readonly code: 'inspection.exceeds_open'; readonly open: number }
  /** More riders would be on their way with one transfer than a receipt may land. */
  | { readonly code: 'transfer.too_large'; readonly riders: number; readonly ridersMax: number }
  | { readonly code: 'movement.exceeds_stock'; readonly line: number; readonly there: number }
) &
  MoveRef;

/** Of a command with several reservations: which of them, and which of its moves, each from 0. */
export interface MoveRef {
  readonly part?: number;
  readonly move?: number;
}

export interface Shortage {
  /** Of the reservation. */
  readonly line: LineNo;
  readonly sku: SkuKey;
  readonly requested: number;
  readonly atp: number;
}

export type RejectionCode = Rejection['code'];

/** Whether sending the same request again later may succeed. */
export function isRetryable(code: RejectionCode): boolean {
  switch (code) {
    case 'stock.insufficient':
    case 'movement.exceeds_stock':
      return true;
    case 'reservation.expired':
    case 'reservation.not_held':
    case 'reservation.not_confirmed':
    case 'reservation.extend_limit':
    case 'reservation.conflict':
    case 'reservation.units_missing':
    case 'reservation.taken':
    case 'reservation.tombstoned':
    case 'order.has_reservation':
    case 'reservation.attached':
    case 'reservation.pinned':
    case 'node.forbidden':
    case 'channel.forbidden':
    case 'idempotency.mismatch':
    case 'inbound.line_closed':
    case 'inspection.exceeds_open':
    case 'transfer.too_large':
      return false;
  }
}

export type Decision<T> = Result<T, Rejection>;
