import assert from 'node:assert/strict';
import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { ApiClient } from './api-client.ts';

/** On the carrier itself: a WeakMap with an entry for each request costs the garbage collector more than the request. */
const CLIENT = Symbol('client');

interface Carrier {
  [CLIENT]?: ApiClient | null;
}

/** Records the decision about a request or a message: the client, or null where anybody is let in. */
export function admitted(carrier: object, client: ApiClient | null): void {
  (carrier as Carrier)[CLIENT] = client;
}

/** True if the request or message was decided about. */
export function wasAdmitted(carrier: object): boolean {
  return (carrier as Carrier)[CLIENT] !== undefined;
}

/** The client of a Fastify request or of a NATS message's context, undefined where nobody had to say who they are. */
export function clientOf(carrier: object): ApiClient | undefined {
  return (carrier as Carrier)[CLIENT] ?? undefined;
}

/** What carries the decision: the Fastify request, or Nest's context of the message. */
export function carrierOf(context: ExecutionContext): object {
  return context.getType() === 'http'
    ? context.switchToHttp().getRequest<object>()
    : context.switchToRpc().getContext<object>();
}

/** Gives a handler the {@link ApiClient} that calls it. Only for handlers that ask for a scope. */
export const CurrentClient: () => ParameterDecorator = createParamDecorator(
  (_nothing: unknown, context: ExecutionContext): ApiClient => {
    const client = clientOf(carrierOf(context));
    assert(client, '@CurrentClient() is for handlers with @RequireScope()');
    return client;
  },
);
