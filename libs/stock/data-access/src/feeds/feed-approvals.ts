/** Waiting feeds: somebody lets them be applied, or ends them. Who did, and when, is kept with the feed. */
import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import type { Feed } from '@onepool/contracts';
import { reject } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Doer } from '../requests/command.ts';
import { type Answer, refuse } from '../requests/refusal.ts';
import type { FeedReads } from './feed-reads.ts';
import type { FeedRecord } from './feed-record.ts';
import { dropStage } from './upload/staging.ts';

const DECIDE = commitPoint('stock.feed_decide');

export interface FeedDecisionAsked extends Doer {
  /** Whose feed it is. */
  readonly owner: string;
  readonly id: string;
  readonly verdict: 'approved' | 'rejected';
}

export class FeedApprovals {
  readonly #pool: pg.Pool;
  readonly #reads: FeedReads;
  readonly #onApproved: () => void;

  constructor(pool: pg.Pool, reads: FeedReads, onApproved: () => void) {
    this.#pool = pool;
    this.#reads = reads;
    this.#onApproved = onApproved;
  }

  /** Decides about a waiting feed. Asked again it answers with the state, if the verdict was the same; the first decision stays. */
  async decide({ owner, id, verdict, actor, person }: FeedDecisionAsked): Promise<Answer<Feed>> {
    const decided = await inTransaction(this.#pool, DECIDE, async (client) => {
      const { rows } = await client.query<FeedRecord>(
        'SELECT * FROM feed WHERE actor = $1 AND id = $2 FOR NO KEY UPDATE',
        [owner, id],
      );
      const [feed] = rows;
      if (!feed) return refuse('feed.unknown', { feed: id });
      if (feed.state !== 'waiting')
        return feed.verdict === verdict ? null : refuse('feed.not_waiting', { state: feed.state });
      await client.query(
        `UPDATE feed SET state = CASE $2 WHEN 'approved' THEN 'applying' ELSE 'rejected' END, verdict = $2, decided_by = $3,
                decided_person = $4, decided_at = clock_timestamp(),
                finished_at = CASE $2 WHEN 'rejected' THEN clock_timestamp() END, lease_until = '-infinity'
          WHERE feed_key = $1`,
        [feed.feed_key, verdict, actor, person],
      );
      if (verdict === 'rejected') await dropStage(client, feed);
      return null;
    });
    if (decided !== null) return reject(decided.rejection);
    if (verdict === 'approved') this.#onApproved();
    return this.#reads.feed(owner, id);
  }
}
