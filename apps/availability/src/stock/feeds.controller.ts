/** Feeds in, and what became of them. */
import { Controller } from '@nestjs/common';
import { type Feed, AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { type Caller, decideApproval } from '@onepool/platform-auth';
import { problem } from '@onepool/platform-problem';
import { permits } from '@onepool/platform-rights';
import { currentTraceparent } from '@onepool/platform-tracing';
import { StockFeeds } from '@onepool/stock-data-access';
import { demandWithinLimits, refusal, valueOf } from '../problems.ts';

type Op = typeof operations;

@Controller()
export class FeedsController {
  readonly #feeds: StockFeeds;

  constructor(feeds: StockFeeds) {
    this.#feeds = feeds;
  }

  @Serve(operations.sendFeed)
  async sendFeed({ query, body, contentType, caller, sentAt }: Call<Op['sendFeed']>) {
    const { mode, measure, completeness, states } = query;
    if (mode === 'delta' && completeness === 'full') throw invalid('/completeness', 'only a reset can be full');
    if (states !== undefined && !(mode === 'reset' && measure === 'physical' && completeness === 'full'))
      throw invalid('/states', 'only a full physical reset tells all of a state');
    demandNodeOf(query, caller);
    const received = await this.#feeds.receive({
      actor: caller.id,
      person: caller.person,
      query,
      format: contentType === 'text/csv' ? 'csv' : 'ndjson',
      body,
      trace: currentTraceparent(),
      sentAt,
    });
    return valueOf(received);
  }

  @Serve(operations.getFeed)
  async getFeed({ params, query, caller }: Call<Op['getFeed']>) {
    return this.#seen(caller, query.owner, params.id);
  }

  @Serve(operations.listFeeds)
  listFeeds({ query: { state, limit = 100, cursor }, caller }: Call<Op['listFeeds']>) {
    const { id: actor, nodes } = caller;
    return this.#feeds.reads.feeds({ actor, state, isApprover: mayApprove(caller), nodes, limit, cursor });
  }

  @Serve(operations.listFeedRefusals)
  async listRefusals({ params, query: { limit = 100, cursor, owner }, caller }: Call<Op['listFeedRefusals']>) {
    const feed = await this.#seen(caller, owner, params.id);
    return valueOf(await this.#feeds.reads.refusals(feed.owner, params.id, limit, cursor));
  }

  @Serve(operations.approveFeed)
  async approveFeed({ params: { id }, query, caller }: Call<Op['approveFeed']>) {
    const { owner } = await this.#seen(caller, query.owner, id);
    const { actor, person } = valueOf(await this.#feeds.reads.sender(owner, id));
    const refused = decideApproval({ requestedBy: { id: actor, person }, approvedBy: caller });
    if (refused) throw problem(refused.code);
    return this.#decide(caller, owner, id, 'approved');
  }

  /** Whoever sent it may take it back as well: that zeroes nothing. */
  @Serve(operations.rejectFeed)
  async rejectFeed({ params: { id }, query, caller }: Call<Op['rejectFeed']>) {
    const { owner } = await this.#seen(caller, query.owner, id);
    return this.#decide(caller, owner, id, 'rejected');
  }

  async #decide({ id: actor, person }: Caller, owner: string, id: string, verdict: 'approved' | 'rejected') {
    return valueOf(await this.#feeds.approvals.decide({ actor, person, owner, id, verdict }));
  }

  /** Another's is as unknown to whoever may not approve it as one that nobody sent. */
  async #seen(caller: Caller, owner: string | undefined, id: string): Promise<Feed> {
    if (owner !== undefined && owner !== caller.id && !mayApprove(caller)) throw refusal('feed.unknown');
    return seenBy(caller, valueOf(await this.#feeds.reads.feed(owner ?? caller.id, id)));
  }
}

const invalid = (path: string, message: string): Error =>
  problem('request.invalid', { errors: [{ path, code: 'const', message }] });

const mayApprove = ({ scopes, person }: Caller): boolean => scopes.has('feeds:approve') && person !== null;

/** A key that is limited to nodes counts one of them at a time, and says which: what the feed does not name is then no other's. */
function demandNodeOf({ node }: { readonly node?: string | undefined }, caller: Caller): void {
  if (caller.nodes === 'all') return;
  if (node !== undefined) return demandWithinLimits(caller, { kind: 'node_work', nodes: [node] });
  throw refusal('node.forbidden', {
    nodes: [...caller.nodes].slice(0, 20),
    hint: 'name one of these nodes in the query',
  });
}

/** A limited key or person sees the feeds of its nodes, though others of the same principal sent more. */
function seenBy({ nodes }: Caller, feed: Feed): Feed {
  if (feed.node === null ? nodes === 'all' : permits(nodes, feed.node)) return feed;
  throw refusal('feed.unknown');
}
