/** Every figure that the benchmark can give: what it is, which way is better, and what it should reach. */
export type Group = 'reserve' | 'http' | 'relay' | 'propagate' | 'scale' | 'feed' | 'orders';

export interface Key {
  readonly key: string;
  readonly kind: 'ratio' | 'absolute';
  readonly better: 'higher' | 'lower';
  /** Null for what is quoted only. */
  readonly target: number | null;
  readonly unit: string;
  /** Left out of a quick run. */
  readonly slow?: true;
}

const ratio = (key: string, better: Key['better'], target: number | null): Key => ({
  key,
  kind: 'ratio',
  better,
  target,
  unit: '×',
});
const absolute = (key: string, better: Key['better'], target: number | null, unit: string): Key => ({
  key,
  kind: 'absolute',
  better,
  target,
  unit,
});

export const KEYS: readonly Key[] = [
  ratio('reserve.hot_vs_multi', 'higher', 15),
  ratio('reserve.hot_vs_single', 'higher', 6),
  ratio('reserve.hot_p99_vs_multi', 'lower', 0.1),
  ratio('reserve.hot_512_vs_64', 'higher', 0.9),
  ratio('reserve.hot_vs_limit', 'higher', 0.6),
  ratio('reserve.hot_two_replicas_vs_one', 'higher', null),
  ratio('reserve.two_replicas_vs_one', 'higher', null),
  ratio('reserve.uniform_vs_multi', 'higher', 4),
  ratio('reserve.uniform_vs_single', 'higher', 1.2),
  ratio('reserve.uniform_vs_hot', 'higher', 0.4),
  ratio('reserve.carts_vs_multi', 'higher', 4),
  ratio('reserve.single_caller_vs_single', 'higher', 0.7),
  absolute('reserve.hot_per_s', 'higher', null, '/s'),
  ratio('http.reserve_vs_bare', 'higher', 0.3),
  ratio('http.read_vs_bare', 'higher', 0.5),
  ratio('http.read100_vs_bare', 'higher', 0.5),
  absolute('relay.lag_p99_s', 'lower', 1, 's'),
  absolute('relay.missing', 'lower', 0, 'facts'),
  absolute('relay.refill_per_s', 'higher', 10_000, '/s'),
  absolute('propagate.p99_ms', 'lower', 250, 'ms'),
  ratio('scale.reserve_1m_vs_10k', 'lower', 1.25),
  { ...ratio('scale.reserve_10m_vs_10k', 'lower', 1.25), slow: true },
  { ...ratio('scale.random_10m_vs_10k', 'lower', 1.6), slow: true },
  ratio('feed.reset_vs_copy', 'lower', 3),
  ratio('feed.reset_all_vs_copy', 'lower', 8),
  ratio('feed.p99_during_vs_idle', 'lower', 3),
  absolute('feed.rss_mb', 'lower', 300, 'MB'),
  absolute('allocate.swap_per_s', 'higher', null, '/s'),
  absolute('allocate.swap_batch_per_s', 'higher', null, '/s'),
  absolute('reject.p99_ms', 'lower', null, 'ms'),
  absolute('receipt.backorders_10k_ms', 'lower', 1_500, 'ms'),
  ratio('receipt.p99_during_vs_idle', 'lower', 3),
];

/** What orders ask for is named after the verb. */
const OF_ORDERS = ['allocate', 'reject', 'receipt'];

export function groupOf({ key }: Pick<Key, 'key'>): Group {
  const first = key.slice(0, key.indexOf('.'));
  return OF_ORDERS.includes(first) ? 'orders' : (first as Group);
}

/** The keys that a name stands for: `all`, a group, a key, or the beginning of keys. @throws on a name of nothing. */
export function keysNamed(names: readonly string[]): readonly Key[] {
  const isNamed = (key: Key, name: string): boolean =>
    name === 'all' || name === groupOf(key) || key.key.startsWith(name);
  const chosen = KEYS.filter((key) => names.some((name) => isNamed(key, name)));
  const unknown = names.filter((name) => !KEYS.some((key) => isNamed(key, name)));
  if (unknown.length > 0 || names.length === 0) {
    const known = ['all', ...new Set(KEYS.map(groupOf)), ...KEYS.map(({ key }) => key)];
    throw new RangeError(`${unknown.join(', ') || 'nothing'} is no benchmark; known are ${known.join(', ')}`);
  }
  return chosen;
}

/** Whether a figure reaches its target; null when there is none. */
export const reaches = ({ better, target }: Key, value: number): boolean | null =>
  target === null ? null : better === 'higher' ? value >= target : value <= target;
