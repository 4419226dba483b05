/** A feed as stored, and as the API shows it. */
import type { SourceKey } from '../sources/source-book.ts';
import type { Feed, FeedQuery, FeedWaitReason } from '@onepool/contracts';
import type { NodeKey } from '@onepool/stock-domain';
import { countedStateOf } from '../repository/watermarks.ts';
import { isoTime } from '../requests/views.ts';

export interface FeedRecord {
  readonly feed_key: number;
  readonly actor: string;
  readonly person: string | null;
  readonly id: string;
  readonly parameters_hash: Buffer;
  /** Of the uncompressed body; null until it has been received whole. */
  readonly body_hash: Buffer | null;
  /** In bytes. */
  readonly body_size: number | null;
  readonly source: string;
  readonly source_key: SourceKey;
  /** From which stage on its source leaves promised units out of availability. */
  readonly deducts_at: number;
  readonly mode: FeedQuery['mode'];
  readonly measure: FeedQuery['measure'];
  readonly completeness: 'partial' | 'full';
  readonly captured_at: Date;
  readonly node_key: NodeKey | null;
  readonly duplicates: 'refuse' | 'sum';
  /** Stricter than the limit of the app, where the sender wants it so. */
  readonly max_zeroed_percent: number | null;
  readonly dry_run: boolean;
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
  /** Whether it counts units of one state; most feeds do not, and are not asked for them. */
  readonly has_states: boolean;
  /** Of a full count: states in which absent rows count 0, as `measureOf` says them. */
  readonly states: readonly number[];
  readonly failure: string | null;
  /** Nodes of a full count, ascending; null until it is prepared. */
  readonly scope: readonly NodeKey[] | null;
  readonly waits_for: readonly FeedWaitReason[];
  readonly outlook: Feed['outlook'];
  readonly verdict: 'approved' | 'rejected' | null;
  readonly decided_by: string | null;
  readonly decided_person: string | null;
  readonly decided_at: Date | null;
  readonly trace: string | null;
  readonly started_at: Date;
  readonly staged_at: Date | null;
  readonly finished_at: Date | null;
}

/** Rows of a feed on their way to the book; a table of its own, dropped when the feed is done. */
export const stageTableOf = ({ feed_key, attempt }: Pick<FeedRecord, 'feed_key' | 'attempt'>): string =>
  `feed_stage_${feed_key}_${attempt}`;

/** States in which what a full count does not name stays, or has stayed, as it is. */
const LEFT_ALONE: ReadonlySet<Feed['state']> = new Set(['waiting', 'failed', 'rejected', 'replaced', 'dry_run']);

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
    owner: feed.actor,
    source: feed.source,
    mode: feed.mode,
    measure: feed.measure,
    capturedAt: feed.captured_at.toISOString(),
    completeness: feed.completeness,
    node: feed.node,
    states: feed.states.flatMap((measure) => countedStateOf(measure) ?? []),
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
    absentRows: feed.completeness === 'full' && !LEFT_ALONE.has(state) ? 'zeroed' : 'untouched',
    waitsFor: [...feed.waits_for],
    outlook: feed.outlook,
    decision: decisionOf(feed),
    percentage: state === 'done' ? 100 : staged === 0 ? 0 : Math.floor((1_000 * settled) / staged) / 10,
    rowsPerSecond: Math.round((state === 'receiving' ? feed.received : settled) / seconds),
    startedAt: feed.started_at.toISOString(),
    stagedAt: feed.staged_at?.toISOString() ?? null,
    finishedAt: feed.finished_at === null ? null : isoTime(feed.finished_at.getTime()),
  };
}

function decisionOf({ verdict, decided_by, decided_person, decided_at }: FeedRecord): Feed['decision'] {
  if (verdict === null || decided_by === null || decided_at === null) return null;
  return { verdict, by: decided_by, person: decided_person, at: isoTime(decided_at.getTime()) };
}
