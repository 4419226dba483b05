/**
 * Whether a full count may be applied by itself. What it does not name counts 0, so an export that lost half of its rows, or
 * that has new names for them, takes as much off sale; such a count waits until somebody approves it.
 */
import type { Feed, FeedWaitReason } from '@onepool/contracts';
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

type Told = Pick<FeedRecord, 'completeness' | 'unreadable' | 'max_zeroed_percent'>;

/** A sender may ask for a stricter share, which then counts however few rows there are. */
export function waitReasons(feed: Told, zeroes: Zeroes, limits: GuardLimits): readonly FeedWaitReason[] {
  if (feed.completeness !== 'full') return [];
  const { wouldZero, wouldZeroAbsent, nonZero, unknownSkus } = zeroes;
  const isMoreThan = (percent: number): boolean => wouldZero * 100 > percent * nonZero;
  const own = feed.max_zeroed_percent;
  const reasons: [FeedWaitReason, boolean][] = [
    [
      'zeroes_many',
      (nonZero >= limits.minRows && isMoreThan(limits.zeroedPercent)) ||
        (own !== null && isMoreThan(Math.min(own, limits.zeroedPercent))),
    ],
    ['unknown_skus', wouldZeroAbsent > 0 && unknownSkus >= wouldZeroAbsent],
    ['unreadable_lines', wouldZeroAbsent > 0 && feed.unreadable > 0],
  ];
  return reasons.filter(([, applies]) => applies).map(([reason]) => reason);
}
