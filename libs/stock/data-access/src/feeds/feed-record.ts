/** A feed as stored, and as the API shows it. */
import type { Feed, FeedQuery } from '@onepool/contracts';
import type { NodeKey } from '@onepool/stock-domain';
import { isoTime } from '../requests/views.ts';

export interface FeedRecord {
  readonly feed_key: number;
  readonly actor: string;
  readonly person: string | null;
  readonly id: string;
  readonly parameters_hash: Buffer;
  /** Of the uncompressed body; null until it has been received whole. */
  readonly body_hash: Buffer | null;
  readonly body_bytes: number | null;
  readonly source: string;
  readonly mode: FeedQuery['mode'];
  readonly measure: FeedQuery['measure'];
  readonly completeness: 'partial' | 'full';
  readonly captured_at: Date;
  readonly node_key: NodeKey | null;
  readonly state: Feed['state'];
  readonly attempt: number;
  readonly prepared: boolean;
  readonly cursor: number;
  readonly received: number;
  readonly staged: number;
  readonly absent: number;
  readonly settled: number;
  readonly applied: number;
  readonly refused: number;
  readonly unreadable: number;
  readonly has_records: boolean;
  readonly failure: string | null;
  readonly trace: string | null;
  readonly started_at: Date;
  readonly staged_at: Date | null;
  readonly finished_at: Date | null;
}

/** Rows of a feed on their way to the book; a table of its own, dropped when the feed is done. */
export const stageTableOf = ({ feed_key, attempt }: Pick<FeedRecord, 'feed_key' | 'attempt'>): string =>
  `feed_stage_${feed_key}_${attempt}`;

/** Whether what a full feed does not name counts 0: only if all that it names could be read. */
export const zeroesAbsent = ({ completeness, unreadable }: Pick<FeedRecord, 'completeness' | 'unreadable'>): boolean =>
  completeness === 'full' && unreadable === 0;

/** Rows refused while applying, out of those that were staged. */
export interface FeedView extends FeedRecord {
  readonly node: string | null;
  readonly refused_applying: number;
  /** Milliseconds; the database's clock. */
  readonly now: number;
}

export function feedView(feed: FeedView): Feed {
  const { state, staged, settled, applied } = feed;
  const from = (feed.state === 'receiving' ? feed.started_at : (feed.staged_at ?? feed.started_at)).getTime();
  const seconds = Math.max(0.001, ((feed.finished_at?.getTime() ?? feed.now) - from) / 1_000);
  return {
    id: feed.id,
    source: feed.source,
    mode: feed.mode,
    measure: feed.measure,
    capturedAt: feed.captured_at.toISOString(),
    completeness: feed.completeness,
    node: feed.node,
    state,
    failure: feed.failure,
    rows: {
      received: feed.received,
      staged,
      absent: feed.absent,
      unchanged: settled - applied - feed.refused_applying,
      applied,
      refused: feed.refused,
    },
    absentRows: zeroesAbsent(feed) && state !== 'failed' ? 'zeroed' : 'untouched',
    percentage: state === 'done' ? 100 : staged === 0 ? 0 : Math.floor((1_000 * settled) / staged) / 10,
    rowsPerSecond: Math.round((state === 'receiving' ? feed.received : settled) / seconds),
    startedAt: feed.started_at.toISOString(),
    stagedAt: feed.staged_at?.toISOString() ?? null,
    finishedAt: feed.finished_at === null ? null : isoTime(feed.finished_at.getTime()),
  };
}
