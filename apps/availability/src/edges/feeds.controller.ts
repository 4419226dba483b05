/**
 * HTTP: feeds in, and what became of them. The upload is a route of Fastify's own, in a scope without body parsers: Nest
 * would read the whole body, and the app's limit would refuse it.
 */
import { createGunzip } from 'node:zlib';
import { Controller, Get, Param, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AVAILABILITY_OPERATIONS, FEED_CONTENT_TYPES, type Feed, type PageQuery } from '@onepool/contracts';
import { type ApiClient, CurrentClient, RequireScope, clientOf, scopedRoute } from '@onepool/platform-auth';
import type { UploadPlaces } from '@onepool/platform-http';
import { ProblemFilter, type ProblemFilterOptions, bodyOf, problem } from '@onepool/platform-problem';
import { currentTrace, traceparentOf } from '@onepool/platform-telemetry';
import { StockFeeds } from '@onepool/stock-data-access';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { params, queries } from '../validators.ts';

/** The caller went away; nobody waits for an answer. */
class UploadCutError extends Error {
  override readonly name = 'UploadCutError';
}

interface FeedParam {
  readonly id: string;
}

@Controller('v1/feeds')
@RequireScope('stock:read')
export class FeedsController {
  readonly #feeds: StockFeeds;

  constructor(feeds: StockFeeds) {
    this.#feeds = feeds;
  }

  @Get(':id')
  getFeed(@Param(bodyOf(params.feed)) { id }: FeedParam, @CurrentClient() client: ApiClient): Promise<Feed> {
    return this.#feeds.reads.feed(client.id, id);
  }

  @Get(':id/refusals')
  listRefusals(
    @Param(bodyOf(params.feed)) { id }: FeedParam,
    @Query(bodyOf(queries.feedRefusalPage)) { limit = 100, cursor }: PageQuery,
    @CurrentClient() client: ApiClient,
  ) {
    return this.#feeds.reads.refusals(client.id, id, limit, cursor);
  }
}

/** Adds `POST /v1/feeds`. Call it after the installers of telemetry, problems and auth, whose hooks it inherits. */
export function installFeedUpload(
  app: NestFastifyApplication,
  feeds: StockFeeds,
  places: UploadPlaces,
  options: ProblemFilterOptions,
): void {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const filter = new ProblemFilter(options);
  void server.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser([...FEED_CONTENT_TYPES], (_request, payload, parsed) => parsed(null, payload));
    scope.setErrorHandler((error, request, reply) => filter.fail(error, request, reply));
    const { path, success } = AVAILABILITY_OPERATIONS.sendFeed.http;
    scope.post(path, scopedRoute('stock:write'), async (request, reply) => {
      const feed = await receive(feeds, places, request).finally(() => {
        // What was not read of the body is not worth reading: the connection ends with the answer.
        if (!request.raw.readableEnded) reply.header('connection', 'close');
      });
      return reply.status(success).send(feed);
    });
    done();
  });
}

async function receive(feeds: StockFeeds, places: UploadPlaces, request: FastifyRequest): Promise<Feed> {
  const client = clientOf(request);
  if (!client) throw problem('auth.missing');
  const query = queries.feed.parse(request.query);
  if (query.mode === 'delta' && query.completeness === 'full') {
    const message = 'only a reset can be full';
    throw problem('request.invalid', { errors: [{ path: '/completeness', code: 'const', message }] });
  }
  const trace = currentTrace();
  const body = decoded(request);
  const leave = places.enter(client);
  try {
    return await feeds.receive({
      client: client.id,
      query,
      format: request.headers['content-type']?.startsWith('text/csv') ? 'csv' : 'ndjson',
      body,
      trace: trace ? traceparentOf(trace) : null,
    });
  } finally {
    leave();
  }
}

/** The body as it was before compression. */
function decoded(request: FastifyRequest): AsyncIterable<Uint8Array> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const raw = (request.body ?? request.raw) as NodeJS.ReadableStream;
  if (encoding === 'identity') return raw as AsyncIterable<Uint8Array>;
  if (encoding !== 'gzip') {
    const detail = 'Content-Encoding may be gzip or identity.';
    throw problem('request.unsupported_media_type', { detail, headers: { 'accept-encoding': 'gzip, identity' } });
  }
  return gunzipped(raw, request);
}

async function* gunzipped(raw: NodeJS.ReadableStream, request: FastifyRequest): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // It is told to whoever reads; without a listener it would end the process.
  gunzip.on('error', () => undefined);
  // An upload that is cut must end the reading too. What had come of it is gone with the connection, even if it was all.
  const isCut = (): boolean => request.raw.destroyed && !request.raw.readableEnded;
  if (isCut()) throw new UploadCutError('the upload was cut');
  request.raw.once('close', () => {
    if (isCut()) gunzip.destroy(new UploadCutError('the upload was cut'));
  });
  yield* raw.pipe(gunzip) as AsyncIterable<Uint8Array>;
}
