/**
 * What a command on a reservation concerns, as far as a caller's limits ask: the channel in which it sells, or the nodes at which
 * it works. Whether limits let it pass is one rule for everything, and not of stock.
 */
import type { ChannelKey, NodeKey } from './keys.ts';
import type { Reservation } from './reservation.ts';

/** By key under the rules of the decision, so that nobody is refused for what another replica has just learnt. */
export type Concern =
  | { readonly kind: 'selling'; readonly channel: ChannelKey }
  | { readonly kind: 'node_work'; readonly nodes: readonly NodeKey[] };

/** What is done: to whole units of the reservation, or at nodes. */
export type Doing =
  | { readonly kind: 'selling' }
  /** Without nodes: at all that have confirmed units for it, and of a command that took effect before, at those that did. */
  | { readonly kind: 'node_work'; readonly nodes: readonly NodeKey[] | null; readonly isRepeated: boolean }
  /** With what a node works on: at all nodes where the fulfilment has units, and at those named besides. */
  | { readonly kind: 'fulfilment_work'; readonly fulfilment: string; readonly nodes: readonly NodeKey[] };

/** Holding, and all that becomes of what was held until it ships, is selling; what leaves or arrives at a node is node work. */
export function concernOf({ channel, backings }: Reservation, doing: Doing): Concern {
  if (doing.kind === 'selling') return { kind: 'selling', channel };
  if (doing.kind === 'fulfilment_work') {
    const own = backings.filter(({ kind, fulfilment }) => kind === 'stock' && fulfilment === doing.fulfilment);
    return { kind: 'node_work', nodes: [...own.map(({ node }) => node), ...doing.nodes] };
  }
  const { nodes, isRepeated } = doing;
  if (nodes) return { kind: 'node_work', nodes };
  const atNodes = backings.filter(({ kind }) => kind === 'stock');
  const concerned = atNodes.filter(({ confirmed, fulfilled }) => confirmed > 0 || (isRepeated && fulfilled > 0));
  return { kind: 'node_work', nodes: concerned.map(({ node }) => node) };
}
