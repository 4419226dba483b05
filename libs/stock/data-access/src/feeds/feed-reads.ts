/** What became of a feed. */
import type { Feed, FeedRefusal, FeedRefusalCode } from '@onepool/contracts';
import { accept } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Limits } from '@onepool/platform-rights';
import type { Doer } from '../requests/command.ts';
import type { Page } from '../queries/stock-reads.ts';
import { type Answer, refuse } from '../requests/refusal.ts';
import { type FeedView, feedView } from './feed-record.ts';

const SELECT_FEED = `
  SELECT f.*, n.code AS node, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
    FROM feed f LEFT JOIN rules_node n USING (node_key)`;

export interface FeedPage {
  readonly actor: string;
  readonly state: Feed['state'] | undefined;
  /** Whether waiting feeds of others are shown. */
  readonly isApprover: boolean;
  readonly nodes: Limits['nodes'];
  readonly limit: number;
  readonly cursor: string | undefined;
}

export class FeedReads {
  readonly #pool: Pick<pg.Pool, 'query'>;

  constructor(pool: Pick<pg.Pool, 'query'>) {
    this.#pool = pool;
  }

  async feed(actor: string, id: string): Promise<Answer<Feed>> {
    const found = await this.#find(actor, id);
    return found.ok ? accept(feedView(found.value)) : found;
  }

  /** Who sent it, and had it sent. */
  async sender(actor: string, id: string): Promise<Answer<Doer>> {
    const found = await this.#find(actor, id);
    return found.ok ? accept({ actor: found.value.actor, person: found.value.person }) : found;
  }

  /** Oldest first: those of a principal, and with `isApprover` those of everybody that wait. `nodes` limits them to feeds of these. */
  async feeds({ actor, state, isApprover, nodes, limit, cursor }: FeedPage): Promise<Page<Feed>> {
    const { rows } = await this.#pool.query<FeedView>(
      `${SELECT_FEED}
        WHERE (f.actor = $1 OR ($2 AND f.state = 'waiting')) AND ($3::text IS NULL OR f.state = $3)
          AND ($4::text[] IS NULL OR n.code = ANY($4)) AND f.feed_key > $5
        ORDER BY f.feed_key LIMIT $6`,
      [actor, isApprover, state ?? null, nodes === 'all' ? null : [...nodes], cursor ?? 0, limit],
    );
    const last = rows.at(-1);
    return { items: rows.map(feedView), nextCursor: last && rows.length === limit ? String(last.feed_key) : null };
  }

  /** Refused rows in the order in which they were found bad. */
  async refusals(
    actor: string,
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<Answer<Page<FeedRefusal>>> {
    const found = await this.#find(actor, id);
    if (!found.ok) return found;
    const { rows } = await this.#pool.query<{ refusal_key: number; line: number; code: string; message: string }>(
      `SELECT refusal_key, line, code, message FROM feed_refusal
        WHERE feed_key = $1 AND refusal_key > $2 ORDER BY refusal_key LIMIT $3`,
      [found.value.feed_key, cursor ?? 0, limit],
    );
    const items = rows.map(({ line, code, message }) => ({ line, code: code as FeedRefusalCode, message }));
    const last = rows.at(-1);
    return accept({ items, nextCursor: last && rows.length === limit ? String(last.refusal_key) : null });
  }

  async #find(actor: string, id: string): Promise<Answer<FeedView>> {
    const { rows } = await this.#pool.query<FeedView>(`${SELECT_FEED} WHERE f.actor = $1 AND f.id = $2`, [actor, id]);
    const [found] = rows;
    return found ? accept(found) : refuse('feed.unknown', { feed: id });
  }
}
