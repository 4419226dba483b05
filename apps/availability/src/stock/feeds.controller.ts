/** Feeds in, and what became of them. */
import { Controller } from '@nestjs/common';
import { AVAILABILITY_OPERATIONS as operations } from '@onepool/contracts';
import { type Call, Serve } from '@onepool/platform-operations';
import { problem } from '@onepool/platform-problem';
import { currentTraceparent } from '@onepool/platform-tracing';
import { StockFeeds } from '@onepool/stock-data-access';

type Op = typeof operations;

@Controller()
export class FeedsController {
  readonly #feeds: StockFeeds;

  constructor(feeds: StockFeeds) {
    this.#feeds = feeds;
  }

  @Serve(operations.sendFeed)
  sendFeed({ query, body, contentType, caller }: Call<Op['sendFeed']>) {
    if (query.mode === 'delta' && query.completeness === 'full') {
      const message = 'only a reset can be full';
      throw problem('request.invalid', { errors: [{ path: '/completeness', code: 'const', message }] });
    }
    return this.#feeds.receive({
      client: caller.id,
      query,
      format: contentType === 'text/csv' ? 'csv' : 'ndjson',
      body,
      trace: currentTraceparent(),
    });
  }

  @Serve(operations.getFeed)
  getFeed({ params, caller }: Call<Op['getFeed']>) {
    return this.#feeds.reads.feed(caller.id, params.id);
  }

  @Serve(operations.listFeedRefusals)
  listRefusals({ params, query: { limit = 100, cursor }, caller }: Call<Op['listFeedRefusals']>) {
    return this.#feeds.reads.refusals(caller.id, params.id, limit, cursor);
  }
}
