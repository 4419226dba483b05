import assert from 'node:assert/strict';
import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Caller } from './caller.ts';

/** On the carrier itself: a WeakMap with an entry for each request costs the garbage collector more than the request. */
const CALLER = Symbol('caller');

interface Carrier {
  [CALLER]?: Caller | null;
}

/** Records the decision about a request or a message: the caller, or null where anybody is let in. */
export function admitted(carrier: object, caller: Caller | null): void {
  (carrier as Carrier)[CALLER] = caller;
}

/** True if the request or message was decided about. */
export function wasAdmitted(carrier: object): boolean {
  return (carrier as Carrier)[CALLER] !== undefined;
}

/** The caller of a Fastify request or of a NATS message's context, undefined where nobody had to say who they are. */
export function callerOf(carrier: object): Caller | undefined {
  return (carrier as Carrier)[CALLER] ?? undefined;
}

/** What carries the decision: the Fastify request, or Nest's context of the message. */
export function carrierOf(context: ExecutionContext): object {
  return context.getType() === 'http'
    ? context.switchToHttp().getRequest<object>()
    : context.switchToRpc().getContext<object>();
}

/** Gives a handler the {@link Caller}. Only for handlers that ask for a scope. */
export const CurrentCaller: () => ParameterDecorator = createParamDecorator(
  (_nothing: unknown, context: ExecutionContext): Caller => {
    const caller = callerOf(carrierOf(context));
    assert(caller, '@CurrentCaller() is for handlers with @RequireScope()');
    return caller;
  },
);
