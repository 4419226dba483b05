import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { problem } from './catalogue.ts';
import type { Problem, ProblemError } from './problem.ts';
import { isOurFault, toProblemError } from './to-problem-error.ts';

/** What an app may adjust about its error answers. */
export interface ProblemFilterOptions {
  /** Knows the app's own failures, such as a lost database connection; asked before the platform's table. */
  readonly map?: (error: unknown) => ProblemError | undefined;
  /** Called for every answer of 500 or above, with what was thrown. It is the only place where that is seen. */
  readonly onFailure?: (error: unknown, answer: ProblemError) => void;
  /** Names this occurrence, for instance by the request's id. */
  readonly instance?: (request: FastifyRequest) => string | undefined;
}

/** Answers every error of a handler with its problem document, over HTTP (Fastify) and over NATS. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #options: ProblemFilterOptions;

  constructor(options: ProblemFilterOptions = {}) {
    this.#options = options;
  }

  catch(error: unknown, host: ArgumentsHost): void | Observable<never> {
    if (host.getType() !== 'http') return throwError(() => this.answerTo(error).toProblem());
    const http = host.switchToHttp();
    this.fail(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Answers a request that failed; for `setErrorHandler`, too. A caller who hung up within the body is nobody's failure. */
  fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const isCut = request.raw.destroyed && !request.raw.complete;
    this.send(isCut ? problem('request.aborted', { cause: error }) : this.answerTo(error), request, reply);
  }

  /** Decides the answer and reports what is our fault. */
  answerTo(error: unknown): ProblemError {
    const answer = this.#options.map?.(error) ?? toProblemError(error);
    if (isOurFault(answer)) this.#options.onFailure?.(answer === error ? (answer.cause ?? answer) : error, answer);
    return answer;
  }

  /** Sends the answer, unless the response has begun: then the connection is all that can still tell the caller. */
  send(answer: ProblemError, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    const instance = answer.instance ?? this.#options.instance?.(request);
    const body = { ...answer.toProblem(), ...(instance !== undefined && { instance }) };
    reply
      .status(answer.status)
      .headers(headersOf(answer))
      .type('application/problem+json')
      .send(Buffer.from(JSON.stringify(body)));
  }
}

function headersOf(answer: ProblemError): Record<string, string> {
  return {
    'cache-control': 'no-store',
    ...(answer.retryAfterSeconds !== undefined && { 'retry-after': String(answer.retryAfterSeconds) }),
    ...(answer.status === 401 && { 'www-authenticate': challengeFor(answer.code) }),
    ...answer.headers,
  };
}

/** RFC 6750: a request without a key gets the bare challenge, one with a bad key the reason too. */
function challengeFor(code: string): string {
  return code === 'auth.missing' ? 'Bearer realm="onepool"' : 'Bearer realm="onepool", error="invalid_token"';
}

/** The document to answer a NATS request with, for handlers that are not Nest's. */
export function toRpcProblem(error: unknown): Problem {
  return toProblemError(error).toProblem();
}

/** The error for a path that exists, but not with this method. */
export function methodNotAllowed(allowed: readonly string[]): ProblemError {
  const allow = allowed.join(', ');
  return problem('request.method_not_allowed', { detail: `Allowed: ${allow}.`, headers: { allow } });
}
