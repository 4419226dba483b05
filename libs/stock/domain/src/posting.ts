/**
 * The ledger is double-entry. Each stock state is an account; `external` is the world outside the node; contra accounts
 * have a balance of minus the units they stand for. So every posting moves units from one account to another, all accounts
 * of a row sum to zero, and `−external = on_hand − overdrawn`.
 */
import type { NodeKey, SkuKey } from './keys.ts';
import { STATE_ACCOUNTS, type StateAccount } from './stock-states.ts';

export type Account = 'external' | StateAccount;

/** The order is the code stored in the ledger. */
export const ACCOUNTS: readonly Account[] = ['external', ...STATE_ACCOUNTS];

export interface Transfer {
  readonly from: Account;
  readonly to: Account;
  readonly quantity: number;
}

export interface Posting extends Transfer {
  readonly sku: SkuKey;
  readonly node: NodeKey;
}
