/**
 * The states of a stock row as columns. SQL is put together once, when a module is loaded, and says the states in the order of the
 * domain's list, in which rows come back as well.
 */
import {
  type ChannelKey,
  type FenceKey,
  type FenceUse,
  type InboundLine,
  NO_FUTURE,
  NO_INBOUND,
  type NodeKey,
  type SkuKey,
  type SkuLimits,
  type SkuSupply,
  STATE_ACCOUNTS,
  STOCK_STATES,
  type Stop,
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

/** After the kinds of rows. */
const FENCE_USE = 3;
const STOP = 4;
const INBOUND_LINE = 5;

/** A use of a fence, a stop, and a line that brings units, as arrays that come in one list with those of rows. */
export const FENCE_USE_TUPLE = `ARRAY[sku_key, fence_key, node_key, ${FENCE_USE}, used]::bigint[]`;
export const STOP_TUPLE = `ARRAY[sku_key, channel_key, node_key, ${STOP}, drains::int, round(extract(epoch FROM until) * 1000)]::bigint[]`;
export type FenceUseTuple = readonly [sku: SkuKey, fence: FenceKey, node: NodeKey, kind: number, used: number];
export type StopTuple = readonly [
  sku: SkuKey,
  channel: ChannelKey,
  node: NodeKey,
  kind: number,
  drains: number,
  until: number | null,
];

export const INBOUND_TUPLE = `ARRAY[sku_key, detail_key, node_key, ${INBOUND_LINE}, kind, round(extract(epoch FROM due_at) * 1000), (closed_at IS NOT NULL)::int]::bigint[]`;
export type InboundTuple = readonly [
  sku: SkuKey,
  detail: number,
  node: NodeKey,
  tuple: number,
  kind: number,
  dueAt: number | null,
  isClosed: number,
];

/** What brings units, by its code in tables. */
export const INBOUND_KINDS: readonly InboundLine['brings'][] = ['receipt', 'transfer'];

/** All that is read of a SKU. */
export type SkuTuple = SupplyTuple | FenceUseTuple | StopTuple | InboundTuple;

/**
 * Selects the tuples of SKUs, each of which `sku` says to be looked for. `OFFSET 0` keeps each look-up a look-up: a plan is made once,
 * perhaps while a table is empty, and must not begin with a table that will be large. Of a fence that was lifted nobody needs to
 * know the use any more, and of a line that is done with nobody needs to know anything.
 */
export const tuplesSql = (sku: string): string => `
             (SELECT ${SUPPLY_TUPLE} AS units FROM supply WHERE ${sku} OFFSET 0)
             UNION ALL
             (SELECT ${FENCE_USE_TUPLE} FROM fence_use JOIN rules_fence USING (fence_key) WHERE ${sku} OFFSET 0)
             UNION ALL
             (SELECT ${STOP_TUPLE} FROM sku_stop WHERE ${sku} OFFSET 0)
             UNION ALL
             (SELECT ${INBOUND_TUPLE} FROM inbound_line WHERE ${sku} AND is_open OFFSET 0)`;

/** The supplies of the tuples' SKUs. */
export function suppliesOf(tuples: readonly SkuTuple[] | null): Map<SkuKey, SkuSupply> {
  const supplies = new Map<SkuKey, SupplyInMaking>();
  for (const tuple of tuples ?? []) {
    const [sku] = tuple;
    const supply = supplies.get(sku) ?? { rows: [], future: [], inbound: [], fenceUses: [], stops: [] };
    supplies.set(sku, supply);
    add(supply, tuple);
  }
  return new Map([...supplies].map(([sku, parts]) => [sku, supplyOf(sku, parts)]));
}

interface SupplyInMaking {
  readonly rows: SupplyRow[];
  readonly future: SupplyRow[];
  readonly inbound: InboundLine[];
  readonly fenceUses: FenceUse[];
  readonly stops: Stop[];
}

function add({ rows, future, inbound, fenceUses, stops }: SupplyInMaking, tuple: SkuTuple): void {
  const kind = tuple[3];
  if (kind === FENCE_USE) {
    const [, fence, node, , used] = tuple as FenceUseTuple;
    assertSafe([used]);
    fenceUses.push({ node, fence, used });
  } else if (kind === STOP) {
    const [, channel, node, , drains, until] = tuple as StopTuple;
    stops.push({ node: node || null, channel: channel || null, drains: drains === 1, until });
  } else if (kind === INBOUND_LINE) {
    const [, detail, node, , code, dueAt, isClosed] = tuple as InboundTuple;
    inbound.push({ detail, node, brings: INBOUND_KINDS[code] ?? 'receipt', dueAt, isClosed: isClosed === 1 });
  } else {
    const [, key, node, , detail, ...units] = tuple as SupplyTuple;
    assertSafe(units);
    (kind === 0 ? rows : future).push(supplyRowOf(key, node, units, kindOf(kind), detail));
  }
}

/** Most SKUs have neither future rows nor limits, and share the empty ones. */
export function supplyOf(sku: SkuKey, parts: Pick<SkuSupply, 'rows' | 'future' | 'inbound'> & SkuLimits): SkuSupply {
  const { rows, future, inbound, fenceUses, stops } = parts;
  const supply = {
    sku,
    rows,
    future: future.length === 0 ? NO_FUTURE : future,
    inbound: inbound.length === 0 ? NO_INBOUND : inbound,
  };
  return fenceUses.length + stops.length === 0 ? supply : { ...supply, limits: { fenceUses, stops } };
}

/** JSON rounds what a number cannot hold; better to stop than to write it back. */
function assertSafe(units: readonly number[]): void {
  if (!units.every(Number.isSafeInteger)) throw new Error(`Broken invariant: units beyond 2^53: ${units.join(', ')}`);
}
