import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ProblemError } from '@onepool/platform-problem';
import { accessOf } from './access.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import { admitted, carrierOf, clientOf, wasAdmitted } from './current-client.ts';

/**
 * Makes sure that what reaches a handler was checked where it came in: HTTP requests by a hook of Fastify, messages by
 * their door. A message that came through no door is checked here.
 */
export class ScopeGuard implements CanActivate {
  readonly #authenticator: Authenticator;

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const carrier = carrierOf(context);
    if (context.getType() === 'http') return wasAdmitted(carrier);
    const access = accessOf(context.getHandler());
    const headers = headersOf(carrier);
    // The door asked what the first handler of the subject declares; there may be others.
    if (headers !== undefined && wasAdmitted(headers))
      return enter(carrier, this.#authenticator.check(clientOf(headers) ?? null, access));
    const verdict = this.#authenticator.judge(access, authorizationOf(headers));
    return verdict instanceof Promise ? verdict.then((later) => enter(carrier, later)) : enter(carrier, verdict);
  }
}

function enter(carrier: object, verdict: Verdict): true {
  if (verdict instanceof ProblemError) throw verdict;
  admitted(carrier, verdict);
  return true;
}

interface Headers {
  get(name: string): unknown;
}

function headersOf(context: object): Headers | undefined {
  const headers: unknown =
    'getHeaders' in context && typeof context.getHeaders === 'function' ? context.getHeaders() : undefined;
  return isHeaders(headers) ? headers : undefined;
}

/** The `authorization` header of a NATS message, in either of its usual spellings: NATS headers are case-sensitive. */
function authorizationOf(headers: Headers | undefined): string | undefined {
  const value = headers?.get('authorization') || headers?.get('Authorization');
  return typeof value === 'string' ? value : undefined;
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}
