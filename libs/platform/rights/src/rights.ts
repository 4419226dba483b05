/**
 * What a caller may do: scopes, and for which nodes and channels. Rights are only ever narrowed: a key is never more than
 * its principal, and who acts for a person is never more than that person.
 */
/** Codes, or all there are and will be. */
export type Limit = 'all' | ReadonlySet<string>;

export interface Rights {
  readonly scopes: ReadonlySet<string>;
  /** Binds node work: movements, counts, fulfilments, exceptions. */
  readonly nodes: Limit;
  /** Binds selling: ATP, reservations, orders. */
  readonly channels: Limit;
}

export type Limits = Pick<Rights, 'nodes' | 'channels'>;

/** Whether a limit lets something of this code pass. */
export const permits = (limit: Limit, code: string): boolean => limit === 'all' || limit.has(code);

const both = <T>(one: ReadonlySet<T>, other: ReadonlySet<T>): ReadonlySet<T> =>
  new Set([...one].filter((member) => other.has(member)));

function narrowLimit(one: Limit, other: Limit): Limit {
  if (one === 'all') return other;
  return other === 'all' ? one : both(one, other);
}

/** What both allow. */
export const narrow = (one: Rights, other: Rights): Rights => ({
  scopes: both(one.scopes, other.scopes),
  nodes: narrowLimit(one.nodes, other.nodes),
  channels: narrowLimit(one.channels, other.channels),
});
