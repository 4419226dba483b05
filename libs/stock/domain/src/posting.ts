/**
 * The ledger is double-entry. Each stock state is an account. `external` is the world outside the node; `expected`, that which
 * incoming units and allowances come from and go to, of which nothing is there yet. Contra accounts have a balance of minus
 * the units they stand for. So every posting moves units from one account to another, and all accounts of a row sum to zero.
 */
import type { SkuKey } from './keys.ts';
import type { SupplyPlace } from './supply-row.ts';
import { STATE_ACCOUNTS, type StateAccount } from './stock-states.ts';

export type Account = 'external' | 'expected' | StateAccount;

/** The order is the code stored in the ledger. */
export const ACCOUNTS: readonly Account[] = ['external', 'expected', ...STATE_ACCOUNTS];

export interface Transfer {
  readonly from: Account;
  readonly to: Account;
  readonly quantity: number;
}

/** A transfer between accounts of one row of the book. */
export interface Posting extends Transfer {
  readonly sku: SkuKey;
  readonly at: SupplyPlace;
}
