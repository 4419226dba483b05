/** The app's problem codes, and the one table from what the engine answers to what the edge says. */
import { type ProblemError, defineProblems } from '@onepool/platform-problem';
import {
  EngineError,
  FeedHeaderError,
  FeedSupersededError,
  FeedTooLargeError,
  Refusal,
  type Settled,
} from '@onepool/stock-data-access';

export const problems = defineProblems({
  'stock.insufficient': { status: 409, title: 'Not enough units to promise', retryable: true },
  'sku.unknown': { status: 404, title: 'No such SKU', retryable: false },
  'node.unknown': { status: 404, title: 'No such node', retryable: false },
  'channel.unknown': { status: 404, title: 'No such channel', retryable: false },
  'reservation.unknown': { status: 404, title: 'No such reservation', retryable: false },
  'reservation.expired': { status: 409, title: 'The hold has expired', retryable: false },
  'reservation.not_held': { status: 409, title: 'The units are not held', retryable: false },
  'reservation.not_confirmed': { status: 409, title: 'The units are not confirmed', retryable: false },
  'reback.conflict': { status: 409, title: 'The reservation has changed since', retryable: false },
  'reback.pinned': { status: 409, title: 'A node is working on the units', retryable: false },
  'reback.not_backed': { status: 409, title: 'The units are not backed there', retryable: false },
  'movement.exceeds_stock': { status: 409, title: 'More units than there are', retryable: true },
  'movement.out_of_range': { status: 422, title: 'More units than a balance can hold', retryable: false },
  'movement.in_future': { status: 422, title: 'The movement lies in the future', retryable: false },
  'idempotency.mismatch': { status: 409, title: 'The id was used with another body', retryable: false },
  'source.reserved': {
    status: 422,
    title: 'The name of the source is reserved for the system itself',
    retryable: false,
  },
  'version.not_reached': {
    status: 409,
    title: 'The version has not been reached',
    retryable: true,
    retryAfterSeconds: 1,
  },
  'ledger.too_long': { status: 503, title: 'The ledger of one SKU takes too long to add up', retryable: false },
  'feed.unknown': { status: 404, title: 'No such feed', retryable: false },
  'feed.in_future': { status: 422, title: 'The capture time lies in the future', retryable: false },
  'feed.too_large': { status: 413, title: 'The feed is larger than any may be', retryable: false },
  'feed.not_gzip': { status: 400, title: 'The body cannot be decompressed', retryable: false },
  'feed.header_invalid': { status: 422, title: 'The first line does not name the columns', retryable: false },
  'feed.superseded': { status: 409, title: 'Another upload with this id has begun', retryable: false },
  'import.rejected': { status: 422, title: 'The file has bad rows; nothing was applied', retryable: false },
});

/** A settled command's value, or its refusal as a problem. */
export function valueOf<T>(settled: Settled<T>): T {
  if (settled.ok) return settled.value;
  throw refusal(settled.code, settled.details);
}

export function refusal(code: string, details: Readonly<Record<string, unknown>> = {}): ProblemError {
  if (!problems.has(code)) throw new Error(`Broken invariant: ${code} is no problem code`);
  return problems.problem(code, { extensions: details });
}

/** A number that no column holds: the batch is split until only the command that asks for it fails. */
const NUMERIC_VALUE_OUT_OF_RANGE = '22003';

/** Operational errors of what lies below the edge. */
export function problemOf(error: unknown): ProblemError | undefined {
  if (error instanceof EngineError) return problems.problem(error.code, { retryAfterSeconds: 1, cause: error });
  if (error instanceof Refusal) return refusal(error.code, error.details);
  const ofFeed = feedProblemOf(error);
  if (ofFeed) return ofFeed;
  return isOutOfRange(error) ? problems.problem('movement.out_of_range', { cause: error }) : undefined;
}

function feedProblemOf(error: unknown): ProblemError | undefined {
  if (error instanceof FeedTooLargeError) return problems.problem('feed.too_large', { detail: error.message });
  if (error instanceof FeedHeaderError) return problems.problem('feed.header_invalid', { detail: error.message });
  if (error instanceof FeedSupersededError) return problems.problem('feed.superseded', { cause: error });
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const isZlib = /^Z_[A-Z]+_ERROR$/.test(code);
  return isZlib ? problems.problem('feed.not_gzip', { cause: error }) : undefined;
}

const isOutOfRange = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === NUMERIC_VALUE_OUT_OF_RANGE;
