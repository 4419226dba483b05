/** The app's problem codes, and the one table from what the engine answers to what the edge says. */
import { AVAILABILITY_PROBLEMS } from '@onepool/contracts';
import { type ProblemError, defineProblems } from '@onepool/platform-problem';
import {
  EngineError,
  FeedHeaderError,
  FeedSupersededError,
  FeedTooLargeError,
  Refusal,
  type Settled,
} from '@onepool/stock-data-access';

export const problems = defineProblems(AVAILABILITY_PROBLEMS);

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
