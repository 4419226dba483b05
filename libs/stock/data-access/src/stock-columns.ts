/**
 * The states of a stock row as columns. SQL is put together once, when a module is loaded, and says the states in the order of the
 * domain's list, in which rows come back as well.
 */
import {
  NO_FUTURE,
  NO_INBOUND,
  type NodeKey,
  type SkuKey,
  type SkuSupply,
  STATE_ACCOUNTS,
  STOCK_STATES,
  type StateAccount,
  type StateUnits,
  type SupplyKey,
  type SupplyKind,
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

/** A row of the book as an array; as JSON it is a {@link SupplyTuple}. */
export const SUPPLY_TUPLE = `ARRAY[sku_key, supply_key, node_key, kind, detail_key, ${stateColumns()}]::bigint[]`;
export type SupplyTuple = readonly [
  sku: SkuKey,
  key: SupplyKey,
  node: NodeKey,
  kind: number,
  detail: number,
  ...units: StateUnits,
];

/** A kind's place is its code in tables. */
export const SUPPLY_KINDS: readonly SupplyKind[] = ['stock', 'incoming', 'allowance'];
export const kindCode = (kind: SupplyKind): number => SUPPLY_KINDS.indexOf(kind);
export const kindOf = (code: number): SupplyKind => SUPPLY_KINDS[code] ?? 'stock';

/** The supplies of the rows' SKUs. */
export function suppliesOf(tuples: readonly SupplyTuple[] | null): Map<SkuKey, SkuSupply> {
  const rows = new Map<SkuKey, SupplyRow[]>();
  const future = new Map<SkuKey, SupplyRow[]>();
  for (const [sku, key, node, kind, detail, ...units] of tuples ?? []) {
    assertSafe(units);
    const row = supplyRowOf(key, node, units, kindOf(kind), detail);
    const into = kind === 0 ? rows : future;
    const of = into.get(sku);
    if (of) of.push(row);
    else into.set(sku, [row]);
  }
  const skus = future.size === 0 ? rows.keys() : new Set([...rows.keys(), ...future.keys()]);
  return new Map(
    [...skus].map((sku) => [
      sku,
      { sku, rows: rows.get(sku) ?? [], future: future.get(sku) ?? NO_FUTURE, inbound: NO_INBOUND },
    ]),
  );
}

/** JSON rounds what a number cannot hold; better to stop than to write it back. */
function assertSafe(units: readonly number[]): void {
  if (!units.every(Number.isSafeInteger)) throw new Error(`Broken invariant: units beyond 2^53: ${units.join(', ')}`);
}
