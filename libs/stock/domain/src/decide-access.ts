/**
 * Whether limits keep a caller from something. Node limits bind node work: what leaves or arrives at a node is for those who
 * may work there. Channel limits bind selling: holding, and all that becomes of what was held until it ships.
 */
import type { ChannelKey, NodeKey } from './keys.ts';
import type { Rejection } from './rejection.ts';
import type { Reservation } from './reservation.ts';

/** Keys, or null for all. */
export interface AccessLimits {
  readonly nodes: ReadonlySet<NodeKey> | null;
  readonly channels: ReadonlySet<ChannelKey> | null;
}

/** What is done, as far as limits ask: to whole units of the reservation, or at named nodes. */
export type Access =
  | { readonly kind: 'selling' }
  /** Without nodes: at all that back confirmed units. */
  | { readonly kind: 'node_work'; readonly nodes: readonly NodeKey[] | null };

/** The refusal, or null where nothing stands in the way. */
export function forbidden(limits: AccessLimits, reservation: Reservation, access: Access): Rejection | null {
  if (access.kind === 'selling') return forbiddenChannel(limits, reservation.channel);
  const backing = reservation.backings.filter(({ confirmed }) => confirmed > 0).map(({ node }) => node);
  return forbiddenNode(limits, access.nodes ?? backing);
}

export function forbiddenChannel({ channels }: AccessLimits, channel: ChannelKey): Rejection | null {
  return channels === null || channels.has(channel) ? null : { code: 'channel.forbidden' };
}

export function forbiddenNode({ nodes }: AccessLimits, wanted: readonly NodeKey[]): Rejection | null {
  const node = nodes === null ? undefined : wanted.find((one) => !nodes.has(one));
  return node === undefined ? null : { code: 'node.forbidden', node };
}
