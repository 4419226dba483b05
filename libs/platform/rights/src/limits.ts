/**
 * Whether limits keep a caller from something: one rule, whoever asks. Node limits bind node work: what leaves or arrives at a
 * node is for those who may work there. Channel limits bind selling: holding, and all that becomes of what was held until it
 * ships.
 */
import { type Limits, permits } from './rights.ts';

/** What is done, as far as limits ask. Nodes and channels are named as they are at hand, by code or by key. */
export type Concern<N = string, C = string> =
  { readonly kind: 'selling'; readonly channel: C } | { readonly kind: 'node_work'; readonly nodes: readonly N[] };

/** The first of what is concerned that a limit does not let pass. */
export type BeyondLimits<N = string, C = string> =
  { readonly code: 'channel.forbidden'; readonly channel: C } | { readonly code: 'node.forbidden'; readonly node: N };

/** The codes that limits are made of. */
export interface Codes<N, C> {
  readonly node: (node: N) => string;
  readonly channel: (channel: C) => string;
}

/**
 * The refusal, or null where nothing stands in the way.
 *
 * @example beyondLimits(caller, { kind: 'node_work', nodes: ['shop-12'] }) // { code: 'node.forbidden', node: 'shop-12' }
 */
export function beyondLimits(limits: Limits, concern: Concern): BeyondLimits | null;
export function beyondLimits<N, C>(
  limits: Limits,
  concern: Concern<N, C>,
  codes: Codes<N, C>,
): BeyondLimits<N, C> | null;
export function beyondLimits<N, C>(
  { nodes, channels }: Limits,
  concern: Concern<N, C>,
  codes: Codes<N, C> = { node: String, channel: String },
): BeyondLimits<N, C> | null {
  if (concern.kind === 'selling') {
    const { channel } = concern;
    return permits(channels, codes.channel(channel)) ? null : { code: 'channel.forbidden', channel };
  }
  for (const node of concern.nodes) if (!permits(nodes, codes.node(node))) return { code: 'node.forbidden', node };
  return null;
}
