/**
 * The ledger is double-entry. Each stock state is an account; `external` is the world outside the node; `shortfall`
 * and `overdrawn` are contra accounts, whose balance is minus the units they stand for. So every posting moves units
 * from one account to another, all accounts of a row sum to zero, and `−external = on_hand − overdrawn`.
 */
import type { NodeKey, SkuKey } from './keys.ts';

/** The accounts that are columns of a stock row. */
export const STATE_ACCOUNTS = [
  'available',
  'committed',
  'reserved',
  'safety_stock',
  'damaged',
  'quality_control',
  'shortfall',
  'overdrawn',
] as const;

/** The order is the code stored in the ledger: append, never reorder. */
export const ACCOUNTS = ['external', ...STATE_ACCOUNTS] as const;
export type Account = (typeof ACCOUNTS)[number];

export interface Transfer {
  readonly from: Account;
  readonly to: Account;
  readonly quantity: number;
}

export interface Posting extends Transfer {
  readonly sku: SkuKey;
  readonly node: NodeKey;
}
