/** Feeds: stock told by another system, streamed as NDJSON or CSV, and what became of it. */
import { type Static, Type } from '@sinclair/typebox';
import {
  ClientChosenId,
  NodeCode,
  PrincipalId,
  Timestamp,
  UnitCount,
  closed,
  oneOf,
  pageMembers,
} from '../shared/primitives.ts';
import { COUNTED_STATES, SourceName } from './stock.ts';

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
export const FEED_DUPLICATES = ['refuse', 'sum'] as const;
const COUNTED = COUNTED_STATES.join('|');
export const FEED_STATES = [
  'receiving',
  'applying',
  'waiting',
  'done',
  'failed',
  'rejected',
  'replaced',
  'dry_run',
] as const;
/** Why a full count waits. */
export const FEED_WAIT_REASONS = ['zeroes_many', 'unknown_skus', 'unreadable_lines'] as const;
export type FeedWaitReason = (typeof FEED_WAIT_REASONS)[number];

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
  states: Type.Optional(
    Type.String({
      pattern: `^(?:${COUNTED})(?:,(?:${COUNTED}))*$`,
      maxLength: 64,
      description:
        'Of a full physical count: states, separated by commas, in which what it does not name counts 0 at its nodes. Of other states only rows that name one are counted.',
    }),
  ),
  node: Type.Optional(NodeCode),
  expectedRows: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: FEED_ROWS_MAX,
      description: 'Refused with `feed.rows_differ` unless as many rows are received.',
    }),
  ),
  duplicates: Type.Optional(
    oneOf(
      FEED_DUPLICATES,
      'Lines of a reset that tell different quantities of one SKU and node (and state): all refused, or added up. Default `refuse`.',
    ),
  ),
  maxZeroedPercent: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description:
        'A full count that would zero more of the rows in its scope waits for approval, from the first row on. Stricter than the setting of the app only.',
    }),
  ),
  dryRun: Type.Optional(
    Type.Boolean({ description: 'Says what would follow (`outlook`), applies nothing, and ends as `dry_run`.' }),
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
  state: Type.Optional(
    oneOf(
      COUNTED_STATES,
      'Of a physical count: how many of the units are in that state. A row without it counts all that is there.',
    ),
  ),
});

const count = (description: string) => Type.Integer({ minimum: 0, description });

const zeroed = {
  wouldZero: count('Rows with units that it counts 0, absent ones among them.'),
  wouldZeroAbsent: count('Rows with units that it does not name.'),
  nonZero: count('Rows with units at the nodes of which it speaks.'),
};

/** What a feed does to the book as it was when the feed was looked through. */
export const FeedOutlook = closed({
  wouldChange: count('Rows that differ from the book.'),
  ...zeroed,
  states: Type.Optional(
    closed(zeroed, {
      description:
        'The same of the states that it counts, each row and state for itself; units are those in the state.',
    }),
  ),
  unknownSkus: count('Rows that name an unknown SKU.'),
});

export const FeedDecision = closed({
  verdict: oneOf(['approved', 'rejected'] as const),
  by: Type.String({ description: 'The principal that decided.' }),
  person: Type.Union([Type.String(), Type.Null()], { description: 'The person that decided.' }),
  at: Timestamp,
});

export const Feed = closed({
  ...parameters,
  owner: Type.String({ description: 'Whose it is: the principal that sent it.' }),
  completeness: oneOf(FEED_COMPLETENESS),
  node: Type.Union([NodeCode, Type.Null()]),
  states: Type.Array(oneOf(COUNTED_STATES), {
    description: 'States in which what a full count does not name counts 0 at its nodes.',
  }),
  state: oneOf(
    FEED_STATES,
    '`receiving`: the upload is under way, or was cut and may be sent again whole. `waiting`: somebody has to approve it. `failed`: it was refused, and may be sent again mended. `replaced`: while it waited, the source has told a newer full count of the same nodes.',
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
  absentRows: oneOf(['untouched', 'zeroed'] as const, 'What becomes of rows that a full count does not name.'),
  waitsFor: Type.Array(oneOf(FEED_WAIT_REASONS), {
    description:
      'Why it waits, or waited: it would zero more than may be; it names at least as many unknown SKUs as it would zero rows; a line that nobody can read might have named a row that it would zero.',
  }),
  outlook: Type.Union([FeedOutlook, Type.Null()], { description: 'Of feeds that wait or waited, and of dry runs.' }),
  decision: Type.Union([FeedDecision, Type.Null()]),
  percentage: Type.Number({ minimum: 0, maximum: 100, description: 'Of the staged rows, how many are settled.' }),
  rowsPerSecond: Type.Integer({ minimum: 0, description: 'Rows received, or once applying rows settled, per second.' }),
  startedAt: Timestamp,
  stagedAt: Type.Union([Timestamp, Type.Null()]),
  finishedAt: Type.Union([Timestamp, Type.Null()]),
});
export type Feed = Static<typeof Feed>;

const Owner = Type.Optional(
  Type.String({
    ...PrincipalId,
    description: 'Whose feed it is: the caller’s unless given. Another’s needs the scope `feeds:approve`.',
  }),
);
export const FeedOwnerQuery = closed({ owner: Owner });
export const FeedListQuery = closed({ ...pageMembers('^\\d{1,15}$'), state: Type.Optional(oneOf(FEED_STATES)) });
export const FeedRefusalQuery = closed({ ...pageMembers('^\\d{1,15}$'), owner: Owner });

export const FEED_REFUSAL_CODES = [
  'row.malformed',
  'row.too_long',
  'row.invalid',
  'row.duplicate',
  'row.conflict',
  'row.failed',
  'sku.unknown',
  'node.unknown',
  'node.out_of_scope',
  'quantity.invalid',
  'quantity.negative',
  'state.unsupported',
  'state.exceeds_stock',
  'time.invalid',
  'record.invalid',
  'record.duplicate',
  'feed.stale',
  'feed.superseded',
] as const;
export type FeedRefusalCode = (typeof FEED_REFUSAL_CODES)[number];

export const FeedRefusal = closed({
  line: Type.Integer({ minimum: 0, description: 'Counted from 1, the header included; 0 for an absent row.' }),
  code: oneOf(
    FEED_REFUSAL_CODES,
    '`quantity.negative` and `state.exceeds_stock` are notes, and no refusals: an availability below 0 was counted 0; more units were counted in a state than the row has, and the count was applied as far as it goes.',
  ),
  message: Type.String(),
});
export type FeedRefusal = Static<typeof FeedRefusal>;
