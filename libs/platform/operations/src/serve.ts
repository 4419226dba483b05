import 'reflect-metadata';
import { type ExecutionContext, HttpCode, RequestMapping, RequestMethod, createParamDecorator } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { RequireScope, carrierOf } from '@onepool/platform-auth';
import { NatsReply } from '@onepool/platform-messaging';
import type { FastifyRequest } from 'fastify';
import { type CompiledOperation, compileOperation } from './compiled-operation.ts';
import type { AnswerOf, Call, ServedOperation } from './operation.ts';

export interface ServeOptions {
  /**
   * Serves HTTP by a route of Fastify's own: what Nest does around a handler (context, guards, pipes, interceptors) costs
   * as much as the whole of a hold. Interceptors and pipes do not see it; who may call, what a call may hold and how an
   * error is answered are the same as everywhere.
   */
  readonly hot?: boolean;
}

/** What {@link Serve} has noted of a handler. */
export interface Served {
  readonly operation: ServedOperation;
  readonly hot: boolean;
}

const SERVED = 'onepool:served';
const METHODS = { GET: RequestMethod.GET, POST: RequestMethod.POST, PUT: RequestMethod.PUT } as const;

type Handler<O extends ServedOperation> = (call: Call<O>) => Promise<AnswerOf<O>>;
type AnyHandler = (this: unknown, call: Call<ServedOperation>) => Promise<unknown>;

/**
 * Serves an operation of the app's contract by a method of a controller: its HTTP route, its NATS subject, its scope, and
 * its schemas, by which the method's one parameter is checked and typed. The class wears a bare `@Controller()`.
 *
 * @example
 * ```ts
 * @Serve(operations.confirm)
 * confirm({ params, body, client }: Call<typeof operations.confirm>) {
 *   return this.#engine.confirm(client.id, params.id, body);
 * }
 * ```
 */
export function Serve<const O extends ServedOperation>(operation: O, { hot = false }: ServeOptions = {}) {
  return <H extends Handler<O>>(prototype: object, name: string, descriptor: TypedPropertyDescriptor<H>): void => {
    const { http, subject, scope, stream, csvAnswer } = operation;
    const compiled = compileOperation(operation);
    const told = descriptor as unknown as PropertyDescriptor & { value: AnyHandler };
    told.value = sayingStatus(told.value, operation);
    RequireScope(scope)(prototype, name, told);
    CalledWith(compiled)(prototype, name, 0);
    if (!hot && !stream && !csvAnswer) {
      RequestMapping({ path: routePath(http.path), method: METHODS[http.method] })(prototype, name, told);
      HttpCode(http.success)(prototype, name, told);
    }
    if (subject !== undefined) MessagePattern(subject)(prototype, name, told);
    Reflect.defineMetadata(SERVED, { operation, hot } satisfies Served, told.value);
  };
}

/** What a controller's method serves, if anything. */
export const servedBy = (handler: object): Served | undefined =>
  Reflect.getOwnMetadata(SERVED, handler) as Served | undefined;

/** `/v1/reservations/{id}` as Nest and Fastify write it. */
export const routePath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Checks what came, and gives the handler its call. */
const CalledWith = createParamDecorator((compiled: CompiledOperation, context: ExecutionContext) =>
  context.getType() === 'http'
    ? compiled.ofRequest(context.switchToHttp().getRequest<FastifyRequest>())
    : compiled.ofMessage(context.switchToRpc().getData(), carrierOf(context)),
);

/** Over HTTP the route says the status of a success; over NATS, where it is not 200, the answer does. */
function sayingStatus(handler: AnyHandler, { subject, http: { success } }: ServedOperation): AnyHandler {
  if (subject === undefined || success === 200) return handler;
  const saying = async function (this: unknown, call: Call<ServedOperation>): Promise<unknown> {
    const answer = await handler.call(this, call);
    return call.via === 'nats' ? new NatsReply(success, answer) : answer;
  };
  // Logs and metrics name handlers.
  return Object.defineProperty(saying, 'name', { value: handler.name });
}
