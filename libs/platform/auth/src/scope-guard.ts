import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { accessOf } from './access.ts';
import type { Authenticator } from './authenticator.ts';
import { admitted, carrierOf, wasAdmitted } from './current-client.ts';

/** Checks messages; for HTTP it only makes sure that the request was checked where it came in. */
export class ScopeGuard implements CanActivate {
  private readonly authenticator: Authenticator;

  constructor(authenticator: Authenticator) {
    this.authenticator = authenticator;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const carrier = carrierOf(context);
    if (context.getType() === 'http') return wasAdmitted(carrier);
    const decision = this.authenticator.admit(accessOf(context.getHandler()), authorizationOf(carrier));
    if (!(decision instanceof Promise)) {
      admitted(carrier, decision);
      return true;
    }
    return decision.then((client) => {
      admitted(carrier, client);
      return true;
    });
  }
}

interface Headers {
  get(name: string): unknown;
}

/** The `authorization` header of a NATS message, in either of its usual spellings: NATS headers are case-sensitive. */
function authorizationOf(context: object): string | undefined {
  const headers: unknown =
    'getHeaders' in context && typeof context.getHeaders === 'function' ? context.getHeaders() : undefined;
  if (!isHeaders(headers)) return undefined;
  const value = headers.get('authorization') || headers.get('Authorization');
  return typeof value === 'string' ? value : undefined;
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}
