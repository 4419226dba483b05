/** Feeds in, and what became of them. */
import { Controller } from '@nestjs/common';
import { type Feed, AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import type { Caller } from '@onepool/platform-auth';
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
  async sendFeed({ query, body, contentType, caller }: Call<Op['sendFeed']>) {
    if (query.mode === 'delta' && query.completeness === 'full') {
      const message = 'only a reset can be full';
      throw problem('request.invalid', { errors: [{ path: '/completeness', code: 'const', message }] });
    }
    demandNodeOf(query, caller);
    const received = await this.#feeds.receive({
      actor: caller.id,
      person: caller.person,
      query,
      format: contentType === 'text/csv' ? 'csv' : 'ndjson',
      body,
      trace: currentTraceparent(),
    });
    return valueOf(received);
  }

  @Serve(operations.getFeed)
  async getFeed({ params, caller }: Call<Op['getFeed']>) {
    return seenBy(caller, valueOf(await this.#feeds.reads.feed(caller.id, params.id)));
  }

  @Serve(operations.listFeedRefusals)
  async listRefusals({ params, query: { limit = 100, cursor }, caller }: Call<Op['listFeedRefusals']>) {
    seenBy(caller, valueOf(await this.#feeds.reads.feed(caller.id, params.id)));
    return valueOf(await this.#feeds.reads.refusals(caller.id, params.id, limit, cursor));
  }
}

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
