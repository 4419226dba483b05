/**
 * The states that units are in, told once: rows, accounts, columns and readers follow from this list.
 *
 * `unapplied` units have come, and wait until it is settled which backorders they serve: nobody may have them before, so they
 * are not on hand yet. `shortfall` are promised units the book no longer covers; `overdrawn` are units sold that were never on record. They are
 * contra accounts: what they say is not there, so that their balance in the ledger is minus the units they stand for.
 */
interface StockState {
  /** As the ledger and the table's column name it. */
  readonly account: string;
  /** As a row names it. */
  readonly field: string;
  readonly kind: 'on_hand' | 'aside' | 'contra';
  /** Units that are for sale, or sold: between such states only who may have them changes. */
  readonly isForSale: boolean;
}

/** A state's code in the ledger follows from its place: append, never reorder. */
export const STOCK_STATES = [
  { account: 'available', field: 'available', kind: 'on_hand', isForSale: true },
  { account: 'committed', field: 'committed', kind: 'on_hand', isForSale: true },
  { account: 'reserved', field: 'reserved', kind: 'on_hand', isForSale: true },
  { account: 'safety_stock', field: 'safetyStock', kind: 'on_hand', isForSale: false },
  { account: 'damaged', field: 'damaged', kind: 'on_hand', isForSale: false },
  { account: 'quality_control', field: 'qualityControl', kind: 'on_hand', isForSale: false },
  { account: 'shortfall', field: 'shortfall', kind: 'contra', isForSale: true },
  { account: 'overdrawn', field: 'overdrawn', kind: 'contra', isForSale: false },
  { account: 'unapplied', field: 'unapplied', kind: 'aside', isForSale: true },
] as const satisfies readonly StockState[];

type State = (typeof STOCK_STATES)[number];
export type StateAccount = State['account'];
export type StateField = State['field'];

/** Units of every state, in the order of the list. */
export type StateUnits = NumberEach<typeof STOCK_STATES>;
type NumberEach<List extends readonly unknown[]> = { readonly [Place in keyof List]: number };

/** The accounts that are columns of a stock row, in the order of the list. */
export const STATE_ACCOUNTS: readonly StateAccount[] = STOCK_STATES.map(({ account }) => account);

export const STATE_OF = Object.fromEntries(STOCK_STATES.map((state) => [state.account, state])) as {
  readonly [One in State as One['account']]: One;
};

export const isContra = (account: StateAccount): boolean => STATE_OF[account].kind === 'contra';

export const isForSale = (account: StateAccount): boolean => STATE_OF[account].isForSale;

/** States that other systems count by themselves. What is available is none of them: it follows from all that is there. */
export const COUNTED_STATES = ['damaged', 'quality_control'] as const satisfies readonly StateAccount[];
export type CountedState = (typeof COUNTED_STATES)[number];
