import { ProblemError, type ProblemDefinition, type ProblemOptions } from './problem.ts';

/** The problem codes every app answers with. Apps add their own with {@link defineProblems}. */
export const platformProblems = {
  'request.invalid': { status: 400, title: 'The request is not valid', retryable: false },
  'request.malformed_json': { status: 400, title: 'The body is not valid JSON', retryable: false },
  // Nobody reads it; 499 is how proxies count a caller that went away.
  'request.aborted': { status: 499, title: 'The caller went away', retryable: false },
  'request.timeout': { status: 408, title: 'The request came too slowly', retryable: true, retryAfterSeconds: 1 },
  'request.too_large': { status: 413, title: 'The body is too large', retryable: false },
  'request.unsupported_media_type': { status: 415, title: 'The content type is not supported', retryable: false },
  'request.head_too_large': { status: 431, title: 'The head of the request is too large', retryable: false },
  'request.not_found': { status: 404, title: 'There is nothing at this address', retryable: false },
  'request.method_not_allowed': { status: 405, title: 'The address does not support this method', retryable: false },
  'auth.missing': { status: 401, title: 'An API key is required', retryable: false },
  'auth.invalid': { status: 401, title: 'The API key is not valid', retryable: false },
  'auth.expired': { status: 401, title: 'The API key has expired', retryable: false },
  'auth.forbidden': { status: 403, title: 'The API key does not grant this', retryable: false },
  'approval.same_person': { status: 403, title: 'Whoever asked for it may not approve it', retryable: false },
  'approval.person_required': { status: 403, title: 'Only a person may approve it', retryable: false },
  'identity.unavailable': {
    status: 503,
    title: 'It cannot be found out at the moment who is calling',
    retryable: true,
    retryAfterSeconds: 1,
  },
  'limit.rate': { status: 429, title: 'Too many requests at once', retryable: true, retryAfterSeconds: 1 },
  'service.unavailable': {
    status: 503,
    title: 'The service is not available at the moment',
    retryable: true,
    retryAfterSeconds: 1,
  },
  'service.overloaded': { status: 503, title: 'The service is busy', retryable: true, retryAfterSeconds: 1 },
  'outcome.unknown': {
    status: 503,
    title: 'It is not known whether the request took effect; repeat it with the same id',
    retryable: true,
    retryAfterSeconds: 1,
  },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: false },
} as const satisfies Record<string, ProblemDefinition>;

/** A code of {@link platformProblems}. */
export type PlatformProblemCode = keyof typeof platformProblems;

/** The codes one edge may answer with: the platform's and its own. */
export interface ProblemCatalogue<Code extends string> {
  readonly definitions: Readonly<Record<Code, ProblemDefinition>>;
  /** Makes the error to throw for `code`. */
  problem(code: Code, options?: ProblemOptions): ProblemError;
  /** True if the same request may succeed later. Exhaustive: a code without an answer does not compile. */
  isRetryable(code: Code): boolean;
  /** Narrows a string, for instance a rejection's code, to a code of this catalogue. */
  has(code: string): code is Code;
}

/**
 * Adds an app's own codes to the platform's.
 *
 * @throws Error when a code is not dotted lower case, or redefines one of the platform's.
 * @example
 * const { problem } = defineProblems({
 *   'stock.insufficient': { status: 409, title: 'Not enough units', retryable: true },
 * });
 * throw problem('stock.insufficient', { detail: 'Asked for 3, 2 are available.' });
 */
export function defineProblems<const Own extends Record<string, ProblemDefinition>>(
  own: Own,
): ProblemCatalogue<PlatformProblemCode | (keyof Own & string)> {
  for (const code of Object.keys(own)) {
    if (!/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(code)) throw new Error(`Problem code ${code} is not dotted lower case`);
    if (Object.hasOwn(platformProblems, code)) throw new Error(`Problem code ${code} belongs to the platform`);
  }
  return catalogueOf({ ...platformProblems, ...own });
}

function catalogueOf<Code extends string>(definitions: Record<Code, ProblemDefinition>): ProblemCatalogue<Code> {
  return {
    definitions,
    problem: (code, options) => new ProblemError(code, definitions[code], options),
    isRetryable: (code) => definitions[code].retryable,
    has: (code): code is Code => Object.hasOwn(definitions, code),
  };
}

const platform: ProblemCatalogue<PlatformProblemCode> = catalogueOf(platformProblems);

/** Makes the error to throw for one of the platform's codes. */
export function problem(code: PlatformProblemCode, options?: ProblemOptions): ProblemError {
  return platform.problem(code, options);
}

/** True if a request refused with this platform code may succeed later without being changed. */
export function isRetryable(code: PlatformProblemCode): boolean {
  return platform.isRetryable(code);
}
