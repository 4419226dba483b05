/**
 * The states of a stock row as columns. SQL is put together once, when a module is loaded, and says the states in the order of the
 * domain's list, in which rows come back as well.
 */
import {
  type SkuKey,
  STATE_ACCOUNTS,
  STOCK_STATES,
  type StateAccount,
  type StateUnits,
  type SupplyRow,
  supplyRowOf,
} from '@onepool/stock-domain';

/** Every state's column, or what `of` makes of it, as a list. */
export const stateColumns = (of: (state: StateAccount) => string = (state) => state): string =>
  STATE_ACCOUNTS.map(of).join(', ');

/** What an upsert sets of these states. */
export const setExcluded = (states: readonly StateAccount[] = STATE_ACCOUNTS): string =>
  states.map((state) => `${state} = excluded.${state}`).join(', ');

/** A row as a JSON object in the way in which answers and facts show it; `node` and each state's units are expressions. */
export function rowJson(node: string, units: (state: StateAccount) => string): string {
  const onHand = STOCK_STATES.filter(({ kind }) => kind === 'on_hand').map(({ account }) => units(account));
  const members = STOCK_STATES.map(({ account, field }) => `',"${field}":', ${units(account)}`);
  // By concatenation: a quarter of what building it from pairs costs, and a feed may tell a million.
  return `concat('{"node":', ${node}, ',"onHand":', ${onHand.join(' + ')} - ${units('shortfall')}, ${members.join(', ')}, '}')`;
}

/** A stock row as an array; as JSON it is a {@link StockTuple}. */
export const STOCK_TUPLE = `ARRAY[sku_key, node_key, ${stateColumns()}]::bigint[]`;
export type StockTuple = readonly [sku: SkuKey, node: number, ...units: StateUnits];

export function rowsOf(tuples: readonly StockTuple[] | null): Map<SkuKey, SupplyRow[]> {
  const rows = new Map<SkuKey, SupplyRow[]>();
  for (const [sku, node, ...units] of tuples ?? []) {
    assertSafe(units);
    const row = supplyRowOf(node, units);
    const of = rows.get(sku);
    if (of) of.push(row);
    else rows.set(sku, [row]);
  }
  return rows;
}

/** JSON rounds what a number cannot hold; better to stop than to write it back. */
function assertSafe(units: readonly number[]): void {
  if (!units.every(Number.isSafeInteger)) throw new Error(`Broken invariant: units beyond 2^53: ${units.join(', ')}`);
}
