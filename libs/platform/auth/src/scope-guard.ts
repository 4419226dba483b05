import type { CanActivate, ExecutionContext, PreRequestHook } from '@nestjs/common';
import { Observable } from 'rxjs';
import { accessOf } from './access.ts';
import type { ApiClient } from './api-client.ts';
import type { Authenticator } from './authenticator.ts';
import { admitted, carrierOf, wasAdmitted } from './current-client.ts';
import type { InFlightLimit } from './in-flight-limit.ts';

/** Checks messages; for HTTP it only makes sure that the request was checked where it came in. */
export class ScopeGuard implements CanActivate {
  private readonly authenticator: Authenticator;
  private readonly limit: InFlightLimit;
  /** Messages under way and how each gives its place back; nothing to give back until it was admitted. */
  private readonly leaving = new WeakMap<object, () => void>();

  constructor(authenticator: Authenticator, limit: InFlightLimit) {
    this.authenticator = authenticator;
    this.limit = limit;
  }

  /**
   * Gives a message's place back when it is answered, whatever the answer. Only messages that come through this hook
   * take a place. (A global interceptor would do, were it not also run for every HTTP request, at a price.)
   */
  readonly aroundMessage: PreRequestHook = (context, next) =>
    new Observable((subscriber) => {
      const carrier = carrierOf(context);
      this.leaving.set(carrier, () => undefined);
      const answer = next().subscribe(subscriber);
      return () => {
        answer.unsubscribe();
        this.leaving.get(carrier)?.();
        this.leaving.delete(carrier);
      };
    });

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const carrier = carrierOf(context);
    if (context.getType() === 'http') return wasAdmitted(carrier);
    const decision = this.authenticator.admit(accessOf(context.getHandler()), authorizationOf(carrier));
    if (!(decision instanceof Promise)) return this.enter(carrier, decision);
    return decision.then((client) => this.enter(carrier, client));
  }

  private enter(carrier: object, client: ApiClient | null): true {
    if (client && this.leaving.has(carrier)) this.leaving.set(carrier, this.limit.enter(client));
    admitted(carrier, client);
    return true;
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
