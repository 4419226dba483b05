/** Every operation of the availability app, the catalogue's among them: its HTTP route, its NATS subject, scope, schemas and problem codes. */
import { Type } from '@sinclair/typebox';
import { Sku } from '../catalog/catalog.ts';
import { CATALOG_OPERATIONS } from '../catalog/operations.ts';
import { requestSubject } from '../shared/module-contract.ts';
import { type Operation, get, post, put } from '../shared/operation.ts';
import { STOCK_SCOPE } from './facts.ts';
import * as feeds from './feeds.ts';
import { RESERVATION_VERBS, RESERVATION_VERBS_MANY } from './reservation-verbs.ts';
import * as reservations from './reservations.ts';
import type { AVAILABILITY_PROBLEMS } from './problems.ts';
import type { AVAILABILITY_SCOPES } from './scopes.ts';
import * as sources from './sources.ts';
import * as stock from './stock.ts';
import * as stops from './stops.ts';
import { CodePrefix, ExceptionPageQuery, LedgerPageQuery, closed, pageOf } from '../shared/primitives.ts';

/** Codes of the platform that some of these operations name, because their callers have to deal with them. */
type Code = keyof typeof AVAILABILITY_PROBLEMS | 'outcome.unknown';
type Scope = keyof typeof AVAILABILITY_SCOPES;

const rpc = (name: string): string => requestSubject(STOCK_SCOPE, name);
const skuParam = closed({ sku: Sku.properties.sku });
const reservationParam = closed({ id: reservations.HoldRequest.properties.id });
const feedParam = closed({ id: reservations.HoldRequest.properties.id });
const namePrefixQuery = closed({ namePrefix: Type.Optional(CodePrefix) });

const decision = (name: 'approve' | 'reject', summary: string, description: string) => ({
  summary,
  description,
  http: post(`/v1/feeds/{id}/${name}`),
  idempotency: 'natural' as const,
  scope: 'feeds:approve' as const,
  params: feedParam,
  query: feeds.FeedOwnerQuery,
  response: feeds.Feed,
  problems: ['feed.unknown' as const, 'feed.not_waiting' as const],
});

export const AVAILABILITY_OPERATIONS = {
  ...CATALOG_OPERATIONS,
  hold: {
    summary: 'Hold units',
    description: 'A reservation whose units are backed by named stock at once, or a refusal.',
    http: post('/v1/reservations', 201),
    subject: rpc('reservation.hold'),
    idempotency: 'id',
    scope: 'reservations:write',
    moreWith: ['reservations:any', 'stock:override'],
    body: reservations.HoldRequest,
    response: reservations.Reservation,
    problems: [...reservations.HOLD_PROBLEMS, 'outcome.unknown'],
  },
  getReservation: {
    summary: 'Read a reservation',
    http: get('/v1/reservations/{id}'),
    subject: rpc('reservation.get'),
    scope: 'reservations:read',
    moreWith: ['reservations:any'],
    params: reservationParam,
    query: reservations.OwnerQuery,
    response: reservations.Reservation,
    problems: ['reservation.unknown', 'channel.forbidden'],
  },
  ...RESERVATION_VERBS,
  allocate: {
    summary: 'Move units of many reservations',
    description:
      'To other nodes, and to and from fulfilments. Each group happens whole or not at all and is answered by itself; after a time-out the same request finishes what is missing.',
    http: post('/v1/allocations'),
    subject: rpc('reservation.allocate'),
    idempotency: 'commandId',
    scope: 'reservations:write',
    moreWith: ['reservations:any', 'stock:override'],
    body: reservations.AllocateRequest,
    response: reservations.AllocateResult,
    problems: ['allocation.too_large', 'idempotency.mismatch', 'outcome.unknown'],
    problemsInAnswer: reservations.ALLOCATION_PROBLEMS,
  },
  holdMany: {
    summary: 'Hold units, many times',
    description:
      'Each item is decided by itself, as a hold is, and has its own result. They have at most 2,000 lines in all.',
    http: post('/v1/reservations.many', 200),
    subject: rpc('reservation.hold.many'),
    idempotency: 'natural',
    scope: 'reservations:write',
    moreWith: ['reservations:any', 'stock:override'],
    body: reservations.HoldManyRequest,
    response: reservations.HoldManyResult,
    problems: ['bulk.too_large', 'outcome.unknown'],
    problemsInAnswer: reservations.HOLD_PROBLEMS,
  },
  ...RESERVATION_VERBS_MANY,
  recordMovements: {
    summary: 'Record stock movements',
    description: 'What another system tells: a sale, a receipt, a loss. Facts are not refused for lack of stock.',
    http: post('/v1/movements', 201),
    subject: rpc('movement.record'),
    idempotency: 'id',
    scope: 'stock:write',
    saysSentAt: true,
    body: stock.MovementsRequest,
    response: stock.MovementsResult,
    problems: [
      'sku.unknown',
      'node.unknown',
      'node.forbidden',
      'fulfilment.unknown',
      'fulfilment.ambiguous',
      'movement.exceeds_stock',
      'movement.out_of_range',
      'source.reserved',
      'idempotency.mismatch',
      'outcome.unknown',
    ],
  },
  putStops: {
    summary: 'Stop the sale of SKUs, or go on',
    description:
      'From the answer on no replica promises what is stopped. Sent again, it changes nothing. A key with limits names a node or channel of its own.',
    http: put('/v1/stops'),
    subject: rpc('stop.put'),
    idempotency: 'natural',
    scope: 'stock:write',
    body: stops.PutStops,
    response: stops.StoppedSkus,
    problems: [
      'sku.unknown',
      'node.unknown',
      'channel.unknown',
      'node.forbidden',
      'channel.forbidden',
      'outcome.unknown',
    ],
  },
  listStops: {
    summary: 'List stops of SKUs',
    description: 'Those that are over by the clock among them, until they are lifted.',
    http: get('/v1/stops'),
    subject: rpc('stop.list'),
    scope: 'stock:read',
    query: stops.StopQuery,
    response: pageOf(stops.SkuStop),
    problems: ['sku.unknown'],
  },
  getAtp: {
    summary: 'ATP of one SKU',
    http: get('/v1/atp/{sku}'),
    subject: rpc('atp.get'),
    scope: 'stock:read',
    params: skuParam,
    query: stock.AtpQuery,
    response: stock.Atp,
    problems: ['sku.unknown', 'channel.unknown', 'channel.forbidden', 'version.not_reached'],
  },
  queryAtp: {
    summary: 'ATP of many SKUs',
    http: post('/v1/atp/query'),
    subject: rpc('atp.query'),
    idempotency: 'natural',
    scope: 'stock:read',
    body: stock.AtpManyRequest,
    response: stock.AtpMany,
    problems: ['sku.unknown', 'node.unknown', 'channel.unknown', 'channel.forbidden', 'version.not_reached'],
  },
  getStock: {
    summary: 'Stock of one SKU',
    description: 'Its units by state, at every node.',
    http: get('/v1/stock/{sku}'),
    subject: rpc('stock.get'),
    scope: 'stock:read',
    params: skuParam,
    response: stock.StockOfSku,
    problems: ['sku.unknown'],
  },
  listLedger: {
    summary: 'Ledger of one SKU',
    description: 'Oldest entry first. Who moved the units shows only to keys with scope `stock:audit`.',
    http: get('/v1/stock/{sku}/ledger'),
    scope: 'stock:read',
    moreWith: ['stock:audit'],
    params: skuParam,
    query: LedgerPageQuery,
    response: pageOf(stock.LedgerEntry),
    problems: ['sku.unknown'],
  },
  verifyLedger: {
    summary: 'Prove the ledger',
    description: 'Compares every balance with the sum of its ledger.',
    http: post('/v1/ledger/verify'),
    idempotency: 'natural',
    scope: 'stock:read',
    body: stock.LedgerVerifyRequest,
    response: stock.LedgerVerification,
    problems: ['ledger.too_long'],
  },
  sendFeed: {
    summary: 'Send a feed',
    description: 'Counts or changes of stock, as many rows as it takes. The same id answers with its state.',
    http: post('/v1/feeds', 202),
    idempotency: 'id',
    scope: 'stock:write',
    saysSentAt: true,
    query: feeds.FeedQuery,
    stream: {
      contentTypes: feeds.FEED_CONTENT_TYPES,
      row: feeds.FeedRow,
      description: `One JSON object a line, or a CSV whose first line names the columns: ${feeds.FEED_COLUMNS.join(', ')}. \`Content-Encoding: gzip\` is allowed. At most ${feeds.FEED_BYTES_MAX} bytes uncompressed, ${feeds.FEED_ROWS_MAX} rows, ${feeds.FEED_LINE_BYTES_MAX} bytes a line.`,
    },
    response: feeds.Feed,
    problems: [
      'feed.header_invalid',
      'feed.incomplete',
      'feed.not_gzip',
      'feed.rows_differ',
      'feed.superseded',
      'feed.too_large',
      'idempotency.mismatch',
      'node.forbidden',
      'node.unknown',
      'source.reserved',
    ],
  },
  getFeed: {
    summary: 'State and progress of a feed',
    http: get('/v1/feeds/{id}'),
    scope: 'stock:read',
    moreWith: ['feeds:approve'],
    params: feedParam,
    query: feeds.FeedOwnerQuery,
    response: feeds.Feed,
    problems: ['feed.unknown'],
  },
  listFeeds: {
    summary: 'List feeds',
    description: 'The caller’s own, oldest first; with scope `feeds:approve` also those of others that wait.',
    http: get('/v1/feeds'),
    scope: 'stock:read',
    moreWith: ['feeds:approve'],
    query: feeds.FeedListQuery,
    response: pageOf(feeds.Feed),
    problems: [],
  },
  approveFeed: decision('approve', 'Approve a feed', 'One that waits is applied, as of its capture time.'),
  rejectFeed: decision('reject', 'Reject a feed', 'One that waits is not applied.'),
  listFeedRefusals: {
    summary: 'Refused rows of a feed',
    description: 'Each with its line and the reason.',
    http: get('/v1/feeds/{id}/refusals'),
    scope: 'stock:read',
    moreWith: ['feeds:approve'],
    params: feedParam,
    query: feeds.FeedRefusalQuery,
    response: pageOf(feeds.FeedRefusal),
    problems: ['feed.unknown'],
  },
  listExceptions: {
    summary: 'List exceptions',
    description: 'Promises that nothing covers, here or in another system, open ones first.',
    http: get('/v1/exceptions'),
    scope: 'stock:read',
    query: ExceptionPageQuery,
    response: pageOf(stock.StockException),
    problems: [],
  },
  listSources: {
    summary: 'List sources',
    description: 'The names under which the caller has told of stock, and how what it tells is read.',
    http: get('/v1/sources'),
    subject: rpc('source.list'),
    scope: 'stock:read',
    response: sources.SourceList,
    problems: [],
  },
  putSource: {
    summary: 'Say how a source is read',
    description: 'Of the caller’s own source of that name, from its next feed on.',
    http: put('/v1/sources/{name}'),
    subject: rpc('source.put'),
    idempotency: 'natural',
    scope: 'stock:write',
    params: sources.SourceParam,
    body: sources.SourceSettings,
    response: sources.Source,
    problems: ['source.reserved'],
  },
  countEvents: {
    summary: 'Count facts',
    description: 'How many were written about SKUs and reservations whose names begin so; a consumer compares.',
    http: get('/v1/events/count'),
    scope: 'events:read',
    query: namePrefixQuery,
    response: stock.EventCount,
    problems: [],
  },
} as const satisfies Record<string, Operation<Scope, Code>>;
