/** Who takes part in `reserve.*`, and which figure is which turn over which. */
export const TURNS = [
  'hot_engine',
  'hot_multi',
  'hot_single',
  'hot_limit',
  'hot_engine_512',
  'hot_two',
  'uniform_engine',
  'uniform_two',
  'uniform_multi',
  'uniform_single',
  'carts_engine',
  'carts_multi',
  'alone_engine',
  'alone_single',
] as const;
export type TurnName = (typeof TURNS)[number];

export type Workload = 'hot' | 'uniform' | 'carts' | 'alone';
export const workloadOf = (turn: TurnName): Workload => turn.slice(0, turn.indexOf('_')) as Workload;

/** `two` are two replicas that sell the same SKUs. */
export const SELLERS = ['engine', 'multi', 'single', 'limit', 'two'] as const;
export type Seller = (typeof SELLERS)[number];
export const sellerOf = (turn: TurnName): Seller => turn.split('_')[1] as Seller;

interface Comparison {
  readonly over: TurnName;
  readonly under: TurnName;
  readonly of: 'perSecond' | 'p99Ms';
}

const rate = (over: TurnName, under: TurnName): Comparison => ({ over, under, of: 'perSecond' });

export const COMPARISONS: Readonly<Record<string, Comparison>> = {
  'reserve.hot_vs_multi': rate('hot_engine', 'hot_multi'),
  'reserve.hot_vs_single': rate('hot_engine', 'hot_single'),
  'reserve.hot_p99_vs_multi': { over: 'hot_engine', under: 'hot_multi', of: 'p99Ms' },
  'reserve.hot_512_vs_64': rate('hot_engine_512', 'hot_engine'),
  'reserve.hot_two_replicas_vs_one': rate('hot_two', 'hot_engine'),
  'reserve.two_replicas_vs_one': rate('uniform_two', 'uniform_engine'),
  'reserve.hot_vs_limit': rate('hot_engine', 'hot_limit'),
  'reserve.uniform_vs_multi': rate('uniform_engine', 'uniform_multi'),
  'reserve.uniform_vs_single': rate('uniform_engine', 'uniform_single'),
  'reserve.uniform_vs_hot': rate('uniform_engine', 'hot_engine'),
  'reserve.carts_vs_multi': rate('carts_engine', 'carts_multi'),
  'reserve.single_caller_vs_single': rate('alone_engine', 'alone_single'),
};

/** The turns that these figures need, in the order in which they are taken. */
export function turnsFor(keys: readonly string[]): readonly TurnName[] {
  const needed = new Set(
    keys.flatMap((key) => {
      const comparison = COMPARISONS[key];
      return comparison ? [comparison.over, comparison.under] : ['hot_engine'];
    }),
  );
  return TURNS.filter((turn) => needed.has(turn));
}
