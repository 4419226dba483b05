/**
 * One change of one (SKU, node), as the client's history and the facts allow it: it took effect at some instant of
 * its interval. Three numbers describe a row: `net` units (received − sold ± adjusted − fulfilled, negative when more
 * was sold than was on record), `damaged` units among them, and `promised` units backed there. What may be granted
 * is `net − damaged − promised`, here called *free*; a physical event may push it below zero, a promise may not.
 */
import type { Units } from '../history/history.ts';

export interface Effect {
  readonly sku: string;
  readonly node: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly net: number;
  readonly damaged: number;
  readonly promised: number;
  /** Takes units as a promise: a grant, or the arrival of a quantity that moved. */
  readonly claim: boolean;
  /** False for a call without an answer: it may not have happened, and its interval never ends. */
  readonly certain: boolean;
  /** The client's id of the call, for the report of a finding. */
  readonly cause: string;
}

/** Units that an unanswered hold may have taken from any node. */
export interface FloatingClaim {
  readonly sku: string;
  readonly fromMs: number;
  readonly quantity: number;
}

export interface Timing {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly certain: boolean;
  readonly cause: string;
}

export const freeUnits = ({ net, damaged, promised }: Effect): number => net - damaged - promised;

type Change = Partial<Pick<Effect, 'net' | 'damaged' | 'promised' | 'claim'>>;

export const effectOf = ({ sku, node }: Omit<Units, 'quantity'>, timing: Timing, change: Change): Effect => ({
  sku,
  node,
  fromMs: timing.fromMs,
  untilMs: timing.certain ? timing.untilMs : Infinity,
  certain: timing.certain,
  cause: timing.cause,
  net: 0,
  damaged: 0,
  promised: 0,
  claim: false,
  ...change,
});
