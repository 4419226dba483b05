/** Feeds: stock told by another system, streamed as NDJSON or CSV, and what became of it. */
import { type Static, Type } from '@sinclair/typebox';
import { ClientChosenId, NodeCode, Timestamp, UnitCount, closed, oneOf } from '../shared/primitives.ts';
import { SourceName } from './stock.ts';

/** Largest body of a feed, after decompression. */
export const FEED_BYTES_MAX = 2 * 1_024 ** 3;
export const FEED_ROWS_MAX = 20_000_000;
/** Largest line of a feed, in bytes. */
export const FEED_LINE_BYTES_MAX = 65_536;
/** Units that one row may count or change. */
export const FEED_UNITS_MAX = 1_000_000_000;

export const FEED_CONTENT_TYPES = ['application/x-ndjson', 'text/csv'] as const;
/** Members of an NDJSON row and columns of a CSV. */
export const FEED_COLUMNS = ['sku', 'node', 'quantity', 'recordId', 'capturedAt', 'occurredAt', 'state'] as const;

export const FEED_MODES = ['reset', 'delta'] as const;
export const FEED_MEASURES = ['physical', 'availability'] as const;
export const FEED_COMPLETENESS = ['partial', 'full'] as const;
export const FEED_STATES = ['receiving', 'applying', 'done', 'failed'] as const;

const parameters = {
  id: ClientChosenId,
  source: SourceName,
  mode: oneOf(FEED_MODES, '`reset` counts, `delta` changes.'),
  measure: oneOf(FEED_MEASURES, 'Units that are there, or units that the other system has not yet promised.'),
  capturedAt: Timestamp,
};

export const FeedQuery = closed({
  ...parameters,
  completeness: Type.Optional(
    oneOf(
      FEED_COMPLETENESS,
      '`full`: what the feed does not name counts 0 at its nodes. Resets only; default `partial`.',
    ),
  ),
  node: Type.Optional(NodeCode),
  expectedRows: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: FEED_ROWS_MAX,
      description: 'Refused with `feed.rows_differ` unless as many rows are received.',
    }),
  ),
});
export type FeedQuery = Static<typeof FeedQuery>;

/** One row as it is sent; a CSV has the same columns. Documented, not compiled: rows are refused one by one. */
export const FeedRow = closed({
  sku: Type.String(),
  node: Type.Optional(Type.String({ description: 'May be left out where the feed names its node.' })),
  quantity: Type.Integer({ description: 'Units: counted (reset, at least 0) or changed (delta, signed).' }),
  recordId: Type.Optional(Type.String({ description: 'A delta takes effect once per source and record.' })),
  capturedAt: Type.Optional(Timestamp),
  occurredAt: Type.Optional(Timestamp),
  state: Type.Optional(Type.Literal('available')),
});

export const Feed = closed({
  ...parameters,
  completeness: oneOf(FEED_COMPLETENESS),
  node: Type.Union([NodeCode, Type.Null()]),
  state: oneOf(
    FEED_STATES,
    '`receiving`: the upload is under way, or was cut and may be sent again whole. `failed`: it was refused, and may be sent again mended.',
  ),
  failure: Type.Union([Type.String(), Type.Null()], { description: 'Why it failed.' }),
  rows: closed({
    received: UnitCount,
    staged: Type.Integer({ minimum: 0, description: 'Rows that can be applied, absent ones of a full feed included.' }),
    absent: Type.Integer({ minimum: 0, description: 'Rows a full feed did not name, counted 0.' }),
    unchanged: Type.Integer({ minimum: 0, description: 'Rows that left the book as it was.' }),
    applied: Type.Integer({ minimum: 0, description: 'Rows that changed the book.' }),
    refused: UnitCount,
  }),
  absentRows: oneOf(
    ['untouched', 'zeroed'] as const,
    'A full feed with unreadable lines leaves absent rows untouched.',
  ),
  percentage: Type.Number({ minimum: 0, maximum: 100, description: 'Of the staged rows, how many are settled.' }),
  rowsPerSecond: Type.Integer({ minimum: 0, description: 'Rows received, or once applying rows settled, per second.' }),
  startedAt: Timestamp,
  stagedAt: Type.Union([Timestamp, Type.Null()]),
  finishedAt: Type.Union([Timestamp, Type.Null()]),
});
export type Feed = Static<typeof Feed>;

export const FEED_REFUSAL_CODES = [
  'row.malformed',
  'row.too_long',
  'row.invalid',
  'row.duplicate',
  'row.failed',
  'sku.unknown',
  'node.unknown',
  'node.out_of_scope',
  'quantity.invalid',
  'state.unsupported',
  'time.invalid',
  'time.in_future',
  'record.invalid',
  'record.duplicate',
  'feed.stale',
  'feed.superseded',
] as const;
export type FeedRefusalCode = (typeof FEED_REFUSAL_CODES)[number];

export const FeedRefusal = closed({
  line: Type.Integer({ minimum: 0, description: 'Counted from 1, the header included; 0 for an absent row.' }),
  code: oneOf(FEED_REFUSAL_CODES),
  message: Type.String(),
});
export type FeedRefusal = Static<typeof FeedRefusal>;
