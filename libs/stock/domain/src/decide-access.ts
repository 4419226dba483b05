/**
 * Whether limits keep a caller from something. Node limits bind node work: what leaves or arrives at a node is for those who
 * may work there. Channel limits bind selling: holding, and all that becomes of what was held until it ships.
 */
import type { ChannelKey, NodeKey } from './keys.ts';
import type { Rejection } from './rejection.ts';
import type { Reservation } from './reservation.ts';

/** Asked by key under the rules of the decision, so that nobody is refused for what another replica has just learnt. */
export interface AccessLimits {
  readonly node: (key: NodeKey) => boolean;
  readonly channel: (key: ChannelKey) => boolean;
}

/** What is done, as far as limits ask: to whole units of the reservation, or at nodes. */
export type Access =
  | { readonly kind: 'selling' }
  /** Without nodes: at all that back confirmed units, and of a command that took effect before, at those that did. */
  | { readonly kind: 'node_work'; readonly nodes: readonly NodeKey[] | null; readonly isRepeated: boolean };

/** The refusal, or null where nothing stands in the way. */
export function forbidden(limits: AccessLimits, reservation: Reservation, access: Access): Rejection | null {
  if (access.kind === 'selling') return limits.channel(reservation.channel) ? null : { code: 'channel.forbidden' };
  const { nodes, isRepeated } = access;
  const concerned = reservation.backings.filter(
    ({ confirmed, fulfilled }) => confirmed > 0 || (isRepeated && fulfilled > 0),
  );
  const node = (nodes ?? concerned.map((backing) => backing.node)).find((one) => !limits.node(one));
  return node === undefined ? null : { code: 'node.forbidden', node };
}
