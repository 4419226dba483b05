/**
 * Makes every error of an HTTP app a problem document, wherever in Fastify or Nest it arises.
 *
 * Nest forwards Fastify's error and not-found handlers to its global filters, but first turns Fastify's errors into
 * bare HTTP exceptions that have lost their code; that step is switched off here. A bad URL and a
 * parameter that is too long fail before there is any handler: {@link problemServerOptions} covers those.
 */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CODE_TEXT_LENGTH_MAX } from '@onepool/platform-codes';
import { keepErrorsAsThrown } from '@onepool/platform-nest';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from './catalogue.ts';
import { parseJsonBody } from './parse-json-body.ts';
import type { ProblemError } from './problem.ts';
import { ProblemFilter, type ProblemFilterOptions, methodNotAllowed } from './problem-filter.ts';
import { RouteIndex } from './route-index.ts';
import { toProblemError } from './to-problem-error.ts';

export interface ProblemHandlingOptions extends ProblemFilterOptions {
  /** Largest body that is read, in bytes; 1 MiB unless said otherwise. */
  readonly bodyLimitBytes?: number;
}

const BODY_LIMIT_BYTES = 1_048_576;

/**
 * Options for `new FastifyAdapter(…)`, for the failures that arise before Nest is asked.
 *
 * @example new FastifyAdapter({ ...problemServerOptions(), trustProxy: true })
 */
export function problemServerOptions(): {
  frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void;
  routerOptions: { maxParamLength: number };
} {
  const filter = new ProblemFilter();
  // Fastify's message quotes the URL, which may be as long as the caller likes.
  const answer = problem('request.invalid', { detail: 'The address is not valid.' });
  return {
    routerOptions: { maxParamLength: CODE_TEXT_LENGTH_MAX },
    frameworkErrors: (error, request, reply) =>
      filter.send(toProblemError(error).status === 400 ? answer : filter.answerTo(error), request, reply),
  };
}

/**
 * Installs the filter, the JSON parser and the not-found answers. Call it once, after the app was created and before
 * it is initialised or listens. Microservices share the filter if connected with `{ inheritAppConfig: true }`.
 *
 * JSON is the only body that is parsed; add others (`text/csv`) with `app.useBodyParser`. Everything else is 415.
 */
export function installProblemHandling(app: NestFastifyApplication, options: ProblemHandlingOptions = {}): void {
  const adapter = app.getHttpAdapter();
  const server: FastifyInstance = adapter.getInstance();
  const routes = new RouteIndex();

  server.addHook('onRoute', (route) => routes.add(route.url, route.method));
  server.addHook('onRequest', (request, _reply, done) => done(refuseEarly(request, routes)));
  server.removeContentTypeParser('text/plain');
  app.useBodyParser(
    'application/json',
    { bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES },
    (request, body, done) => {
      if (isEncoded(request)) return done(ENCODED);
      try {
        done(null, parseJsonBody(body));
      } catch (error) {
        done(error instanceof Error ? error : problem('internal', { cause: error }));
      }
    },
  );
  keepErrorsAsThrown(adapter);
  app.useGlobalFilters(new ProblemFilter(options));
}

/** Only feeds may be compressed, and they read their bodies themselves. */
const ENCODED = problem('request.unsupported_media_type', {
  detail: 'Content-Encoding may only be identity here.',
  headers: { 'accept-encoding': 'identity' },
});

const isEncoded = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  (headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity';

/** Made once: a stranger who asks for them without end is not worth a stack each. */
const NUL_IN_ADDRESS = problem('request.invalid', {
  errors: [{ path: '', code: 'nul_byte', message: 'NUL characters are not allowed in the address' }],
});
const NO_SUCH_ADDRESS = problem('request.not_found');

function refuseEarly(request: FastifyRequest, routes: RouteIndex): ProblemError | undefined {
  const { url, method } = request.raw;
  if (url?.includes('%00')) return NUL_IN_ADDRESS;
  if (!request.is404) return undefined;
  const allowed = routes.methodsFor(url ?? '');
  if (allowed.length > 0 && !allowed.includes(method ?? '')) return methodNotAllowed(allowed);
  // Decided here, so that nothing reads the body of a request that has no handler.
  return NO_SUCH_ADDRESS;
}
