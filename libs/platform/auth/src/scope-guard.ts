import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ProblemError } from '@onepool/platform-problem';
import { accessOf } from './access.ts';
import { type Authenticator, type Credentials, PERSON_HEADER, type Verdict } from './authenticator.ts';
import { admitted, callerOf, carrierOf, wasAdmitted } from './current-caller.ts';

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
      return enter(carrier, this.#authenticator.check(callerOf(headers) ?? null, access));
    const verdict = this.#authenticator.judge(access, credentialsOf(headers));
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

/** NATS headers are case-sensitive: either of the usual spellings will do. */
function credentialsOf(headers: Headers | undefined): Credentials {
  const read = (...names: readonly string[]): string | undefined => {
    const value = names.map((name) => headers?.get(name)).find(Boolean);
    return typeof value === 'string' ? value : undefined;
  };
  return { authorization: read('authorization', 'Authorization'), person: read(PERSON_HEADER) };
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}
