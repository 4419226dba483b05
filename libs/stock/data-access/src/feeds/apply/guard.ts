/**
 * Whether a full count may be applied by itself. What it does not name counts 0, so an export that lost half of its rows, or
 * that has new names for them, takes as much off sale, or puts as many damaged units on sale; such a count waits until somebody
 * approves it.
 */
import { FEED_WAIT_REASONS, type Feed, type FeedWaitReason } from '@onepool/contracts';
import type { FeedRecord } from '../feed-record.ts';

export interface GuardLimits {
  /** Of the rows with units in its scope, how many per cent a full count may zero; 100 never stops one. */
  readonly zeroedPercent: number;
  /** So many rows with units there have to be before their share tells anything. */
  readonly minRows: number;
}

export const GUARD_LIMITS: GuardLimits = { zeroedPercent: 20, minRows: 50 };

export type Outlook = NonNullable<Feed['outlook']>;
export type Zeroes = Omit<Outlook, 'wouldChange'>;
type Zeroed = NonNullable<Zeroes['states']>;

type Told = Pick<FeedRecord, 'completeness' | 'unreadable' | 'max_zeroed_percent'>;

/** A sender may ask for a stricter share, which then counts however few rows there are. */
export function waitReasons(feed: Told, zeroes: Zeroes, limits: GuardLimits): readonly FeedWaitReason[] {
  if (feed.completeness !== 'full') return [];
  const { unknownSkus, states } = zeroes;
  const own = feed.max_zeroed_percent;
  const applies: Record<FeedWaitReason, (of: Zeroed) => boolean> = {
    zeroes_many: ({ wouldZero, nonZero }) => {
      const isMoreThan = (percent: number): boolean => wouldZero * 100 > percent * nonZero;
      if (own !== null && isMoreThan(Math.min(own, limits.zeroedPercent))) return true;
      return nonZero >= limits.minRows && isMoreThan(limits.zeroedPercent);
    },
    unknown_skus: ({ wouldZeroAbsent }) => wouldZeroAbsent > 0 && unknownSkus >= wouldZeroAbsent,
    unreadable_lines: ({ wouldZeroAbsent }) => wouldZeroAbsent > 0 && feed.unreadable > 0,
  };
  // Totals and states each for themselves: few units are damaged, and many totals would hide that all of those come free.
  const counted = states ? [zeroes, states] : [zeroes];
  return FEED_WAIT_REASONS.filter((reason) => counted.some(applies[reason]));
}
