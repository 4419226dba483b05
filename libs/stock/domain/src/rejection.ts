/** Expected refusals: returned, never thrown, each with a stable code and the facts that explain it. */
import type { NodeKey, SkuKey } from './keys.ts';
import type { Result } from './result.ts';

export type Rejection =
  | { readonly code: 'stock.insufficient'; readonly shortages: readonly Shortage[] }
  | { readonly code: 'reservation.expired' }
  | { readonly code: 'reservation.not_held'; readonly at: BackingRef | null }
  | { readonly code: 'reservation.not_confirmed'; readonly at: BackingRef | null }
  | { readonly code: 'reback.conflict'; readonly version: number }
  | { readonly code: 'reback.pinned'; readonly at: BackingRef }
  | { readonly code: 'reback.not_backed'; readonly at: BackingRef }
  | { readonly code: 'reservation.taken' }
  | { readonly code: 'node.forbidden'; readonly node: NodeKey }
  | { readonly code: 'channel.forbidden' }
  | { readonly code: 'idempotency.mismatch' }
  | { readonly code: 'movement.exceeds_stock'; readonly line: number; readonly there: number };

export interface BackingRef {
  readonly sku: SkuKey;
  readonly node: NodeKey;
}

export interface Shortage {
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
    case 'reback.conflict':
    case 'reback.pinned':
    case 'reback.not_backed':
    case 'reservation.taken':
    case 'node.forbidden':
    case 'channel.forbidden':
    case 'idempotency.mismatch':
      return false;
  }
}

export type Decision<T> = Result<T, Rejection>;
