/**
 * The one table from any thrown value to a problem: HTTP and NATS edges both answer through it.
 *
 * Known failures of Nest, Fastify, PostgreSQL and Nest's NATS client get their own code; everything else is `internal`, and its
 * message stays on this side.
 */
import { types } from 'node:util';
import { HttpException } from '@nestjs/common';
import { TransactionOutcomeUnknownError, isTransient } from '@onepool/platform-postgres';
import { platformProblems, problem, type PlatformProblemCode } from './catalogue.ts';
import { ProblemError } from './problem.ts';

const codeByFastifyCode: Readonly<Record<string, PlatformProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request.too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'request.unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'request.malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request.malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request.malformed_json',
  FST_ERR_VALIDATION: 'request.invalid',
  FST_ERR_BAD_URL: 'request.invalid',
  FST_ERR_MAX_PARAM_LENGTH: 'request.invalid',
  FST_ERR_NOT_FOUND: 'request.not_found',
};

const codeByStatus: Readonly<Record<number, PlatformProblemCode>> = {
  401: 'auth.invalid',
  403: 'auth.forbidden',
  404: 'request.not_found',
  405: 'request.method_not_allowed',
  408: 'request.timeout',
  413: 'request.too_large',
  415: 'request.unsupported_media_type',
  429: 'limit.rate',
  431: 'request.head_too_large',
  503: 'service.unavailable',
};

/** Turns anything that was thrown or rejected with into the problem to answer with. Never throws. */
export function toProblemError(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  // While it is disconnected, Nest's NATS client rejects with a bare string; nothing of ours ever throws one.
  if (typeof error === 'string') return problem('service.unavailable', { cause: error });
  if (error instanceof HttpException) return fromHttpException(error);
  // Where modules have globals of their own, as under Jest, a socket's error is another realm's; RxJS has errors that are not native.
  if (error instanceof Error || types.isNativeError(error)) return fromError(error);
  return fromRemoteProblem(error) ?? problem('internal', { cause: error });
}

function fromHttpException(error: HttpException): ProblemError {
  const status = error.getStatus();
  const code = codeByStatus[status] ?? (status < 500 ? 'request.invalid' : 'internal');
  // A 4xx text was written for the caller. A 5xx text was not.
  return problem(code, status < 500 ? { detail: error.message, cause: error } : { cause: error });
}

function fromError(error: Error): ProblemError {
  const code = 'code' in error ? error.code : undefined;
  const mapped =
    typeof code === 'string' && Object.hasOwn(codeByFastifyCode, code) ? codeByFastifyCode[code] : undefined;
  if (mapped) return problem(mapped, { detail: error.message, cause: error });
  // Fastify marks a body whose connection broke with 400; there is nobody left to read the answer.
  if (code === 'ECONNRESET' && 'statusCode' in error && error.statusCode === 400) {
    return problem('request.aborted', { cause: error });
  }
  if (error instanceof TransactionOutcomeUnknownError) return problem('outcome.unknown', { cause: error });
  if (isTransient(error)) return problem('service.unavailable', { cause: error });
  // Nobody subscribes to the subject: the service on the other side is not running.
  if (error.name === 'EmptyResponseException' || error.constructor.name === 'EmptyResponseException') {
    return problem('service.unavailable', { cause: error });
  }
  // Another of ours says so of a server or a service that it could not reach, with ServiceUnavailableError of platform-messaging.
  if (error.name === 'ServiceUnavailableError') return problem('service.unavailable', { cause: error });
  // RxJS gave up waiting for a reply: the other side may or may not have acted.
  if (error.name === 'TimeoutError') return problem('outcome.unknown', { cause: error });
  return problem('internal', { cause: error });
}

/** A problem that another service answered with over NATS passes through as it is. */
function fromRemoteProblem(value: unknown): ProblemError | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, title, status, code, detail, errors, instance, retryable, retryAfterSeconds, ...extensions } = {
    ...value,
  } as Record<string, unknown>;
  if (typeof type !== 'string' || typeof code !== 'string' || typeof title !== 'string') return undefined;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599) return undefined;
  const definition = { status, title, retryable: retryable === true };
  return new ProblemError(code, definition, {
    ...(typeof detail === 'string' && { detail }),
    ...(typeof instance === 'string' && { instance }),
    ...(Array.isArray(errors) && { errors }),
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds: retryAfterSeconds }),
    extensions,
    cause: value,
  });
}

/** True if somebody on our side must look at it: the log hook is called for these. */
export function isOurFault(error: ProblemError): boolean {
  return error.status >= platformProblems.internal.status;
}
