/**
 * HTTP: the routes that a shop calls for every page and every buyer. They are routes of Fastify's own: what Nest does
 * around a handler (context, guards, pipes, interceptors) costs as much as the whole of a hold. Who may call, what a body
 * may hold, how an error is answered and what is logged are the same as everywhere, since all of that are hooks of
 * Fastify or compiled schemas.
 */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AVAILABILITY_OPERATIONS as operations, type Atp } from '@onepool/contracts';
import { type ApiClient, type Scope, clientOf, scopedRoute } from '@onepool/platform-auth';
import { Slices } from '@onepool/platform-clock';
import { ProblemFilter, type ProblemFilterOptions, problem } from '@onepool/platform-problem';
import type { StockEngine, StockReads } from '@onepool/stock-data-access';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { valueOf } from '../problems.ts';
import { bodies, params, queries } from '../validators.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export interface HotServices {
  readonly engine: StockEngine;
  readonly reads: StockReads;
}

/** Call it after the installers of telemetry, problems and auth, whose hooks it inherits. */
export function installHotRoutes(
  app: NestFastifyApplication,
  { engine, reads }: HotServices,
  options: ProblemFilterOptions,
): void {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const filter = new ProblemFilter(options);
  void server.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => filter.fail(error, request, reply));
    const add = (
      { method, path, success }: { readonly method: string; readonly path: string; readonly success: number },
      needed: Scope,
      answer: (request: FastifyRequest) => Promise<string>,
    ): void => {
      const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
      scope.route({
        method: method.toUpperCase(),
        url,
        ...scopedRoute(needed),
        handler: async (request, reply) => {
          // As text, before others get their turn: a hundred SKUs are a thousand objects, which would all outlive it.
          const answered = await answer(request);
          await endOfTurn();
          return reply.status(success).type(JSON_TYPE).send(answered);
        },
      });
    };
    add(operations.hold.http, 'reservations:write', async (request) =>
      JSON.stringify(valueOf(await engine.hold(callerOf(request).id, bodies.hold.parse(request.body)))),
    );
    add(operations.getAtp.http, 'stock:read', async (request) => {
      const { sku } = params.sku.parse(request.params);
      return JSON.stringify(await reads.atpOfOne({ ...queries.atp.parse(request.query), skus: [sku] }));
    });
    add(operations.queryAtp.http, 'stock:read', async (request) =>
      textOf(await reads.atp(bodies.queryAtp.parse(request.body))),
    );
    done();
  });
}

const ROWS_PER_SLICE = 2_000;
const rowsOf = ({ nodes }: Atp): number => 1 + (nodes?.length ?? 0);

/** A thousand SKUs at hundreds of nodes are megabytes: others get a turn while they become text. */
async function textOf(items: readonly Atp[]): Promise<string> {
  if (items.reduce((sum, item) => sum + rowsOf(item), 0) <= ROWS_PER_SLICE) return JSON.stringify({ items });
  const slices = new Slices(ROWS_PER_SLICE);
  const texts: string[] = [];
  for (const item of items) {
    texts.push(JSON.stringify(item));
    if (slices.isFull(rowsOf(item))) await slices.next();
  }
  return `{"items":[${texts.join(',')}]}`;
}

let ending: Promise<void> | null = null;

/**
 * Answers of one turn of the event loop leave together. One that is written at once wakes its caller, who sleeps again
 * before the next is ready; that many wake-ups cost more than the answers.
 */
function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) =>
    setImmediate(() => {
      ending = null;
      resolve();
    }),
  );
  return ending;
}

function callerOf(request: FastifyRequest): ApiClient {
  const client = clientOf(request);
  if (!client) throw problem('auth.missing');
  return client;
}
