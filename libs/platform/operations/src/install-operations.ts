/**
 * The routes of `@Serve()` that are Fastify's own: hot ones, those that read a body as it arrives, which Nest would read
 * whole, and those that answer with a CSV as it is read. Who may call, what a call may hold, how an error is answered and what is logged are the same as for Nest's
 * routes, since all of that are hooks of Fastify or compiled schemas.
 */
import { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Verdict, judgeAgain, scopedRoute } from '@onepool/platform-auth';
import type { UploadPlaces } from '@onepool/platform-http';
import { jsonTextOf } from '@onepool/platform-messaging';
import { ProblemFilter, type ProblemFilterOptions, problem } from '@onepool/platform-problem';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { compileOperation } from './compiled-operation.ts';
import { decompressed } from './decompressed.ts';
import { endOfTurn } from './end-of-turn.ts';
import type { Call, CsvAnswer, ServedOperation } from './operation.ts';
import { routePath } from './serve.ts';
import { type ServedMethod, servedOperations } from './served-operations.ts';
import { whileAdmitted } from './while-admitted.ts';

export interface OperationsOptions {
  /** The operations of the app's contract, by name. */
  readonly operations: Readonly<Record<string, ServedOperation>>;
  /** How errors are answered: what `installProblemHandling` was given. */
  readonly answers: ProblemFilterOptions;
  /** Bounds the bodies that are read as they arrive. */
  readonly uploads: UploadPlaces;
  /** Largest CSV that is read whole, in bytes. */
  readonly csvLimitBytes: number;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Call it after the installers of telemetry, problems and auth, whose hooks the routes inherit.
 *
 * @throws Error unless each operation is served by one method, and no other is served.
 */
export function installOperations(app: NestFastifyApplication, options: OperationsOptions): void {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const served = servedOperations(app);
  requireEach(options.operations, served);
  const filter = new ProblemFilter(options.answers);
  app.useBodyParser('text/csv', { bodyLimit: options.csvLimitBytes }, (_request, body, done) => done(null, body));
  void server.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => filter.fail(error, request, reply));
    for (const method of served.filter(({ hot }) => hot)) addRoute(scope, method, (request) => callOf(method, request));
    for (const method of served.filter(({ operation }) => operation.csvAnswer)) addCsvRoute(scope, method);
    done();
  });
  for (const method of served) {
    const { stream } = method.operation;
    if (!stream) continue;
    void server.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser([...stream.contentTypes], (_request, payload, parsed) => parsed(null, payload));
      scope.setErrorHandler((error, request, reply) => filter.fail(error, request, reply));
      addRoute(scope, method, (request, reply) =>
        upload(method, options.uploads, () => judgeAgain(app, request), request, reply),
      );
      done();
    });
  }
}

function requireEach(operations: OperationsOptions['operations'], served: readonly ServedMethod[]): void {
  const faults = Object.entries(operations).flatMap(([id, operation]) => {
    const names = served.filter((method) => method.operation === operation).map(({ name }) => name);
    if (names.length === 1) return [];
    return names.length === 0 ? `${id} is served by no controller` : `${id} is served by ${names.sort().join(' and ')}`;
  });
  const known = new Set(Object.values(operations));
  const strays = served
    .filter(({ operation }) => !known.has(operation))
    .map(
      ({ name, operation: { http } }) => `${name} serves ${http.method} ${http.path}, which the contract does not have`,
    );
  if (faults.length + strays.length > 0) throw new Error(`Broken contract: ${[...faults, ...strays].join('; ')}.`);
}

type Answering = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function addRoute(scope: FastifyInstance, { operation }: ServedMethod, answer: Answering): void {
  const { method, path, success } = operation.http;
  scope.route({
    method,
    url: routePath(path),
    ...scopedRoute(operation.scope),
    handler: async (request, reply) => {
      // As text, before others get their turn: a hundred SKUs are a thousand objects, which would all outlive it.
      const text = jsonTextOf(await answer(request, reply));
      await endOfTurn();
      return reply.status(success).type(JSON_TYPE).send(text);
    },
  });
}

function addCsvRoute(scope: FastifyInstance, method: ServedMethod): void {
  const { http, scope: needed } = method.operation;
  scope.route({
    method: http.method,
    url: routePath(http.path),
    ...scopedRoute(needed),
    handler: async (request, reply) => {
      const { fileName, headers, pieces } = (await callOf(method, request)) as CsvAnswer;
      const named = { ...headers, 'content-disposition': `attachment; filename="${fileName}"` };
      return reply.status(http.success).headers(named).type('text/csv; charset=utf-8').send(Readable.from(pieces));
    },
  });
}

const callOf = ({ operation, call }: ServedMethod, request: FastifyRequest): Promise<unknown> =>
  call(compileOperation(operation).ofRequest(request));

async function upload(
  { operation, call }: ServedMethod,
  places: UploadPlaces,
  judge: () => Verdict | Promise<Verdict>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  try {
    const checked = compileOperation(operation).ofRequest(request);
    const left = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) left.abort(problem('request.aborted'));
    });
    const body = whileAdmitted(decompressed(request), judge, left.signal);
    const leave = places.enter(checked.caller);
    try {
      return await call({ ...checked, body } as unknown as Call<ServedOperation>);
    } finally {
      leave();
    }
  } finally {
    // What was not read of the body is not worth reading: the connection ends with the answer.
    if (!request.raw.readableEnded) reply.header('connection', 'close');
  }
}
