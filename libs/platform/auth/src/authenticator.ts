import { type Clock, systemClock } from '@onepool/platform-clock';
import { ProblemError, problem } from '@onepool/platform-problem';
import type { Access } from './access.ts';
import type { ApiClient, ApiKeyStore } from './api-client.ts';
import { apiKeyFromHeader, sha256OfApiKey } from './api-key.ts';
import { CachingApiKeyStore } from './caching-api-key-store.ts';
import { type Scope, hasScope } from './scopes.ts';

/** The client that may call, null where anybody may, or the refusal. */
export type Verdict = ApiClient | ProblemError | null;

/** Made once, for whoever tries without a key may try often: an error with its stack costs more than all that led to it. */
const refusals = {
  missing: problem('auth.missing'),
  invalid: problem('auth.invalid'),
  expired: problem('auth.expired'),
  nobody: problem('auth.forbidden', { detail: 'Nobody is allowed to call this.' }),
};

/** As many as handlers ask for. */
const lacking = new Map<Scope, ProblemError>();

function refusalWithout(scope: Scope): ProblemError {
  const known = lacking.get(scope);
  if (known) return known;
  const made = problem('auth.forbidden', { detail: `The scope ${scope} is required.` });
  lacking.set(scope, made);
  return made;
}

/**
 * Decides whether a caller may use a handler, from the `Authorization` header and the handler's declaration.
 *
 * Precedence: no declaration → `auth.forbidden`; no header → `auth.missing`; not a key, unknown or revoked →
 * `auth.invalid`; over → `auth.expired`; scope not held → `auth.forbidden`; key store not reachable →
 * `service.unavailable`.
 */
export class Authenticator {
  readonly #store: CachingApiKeyStore;
  readonly #clock: Clock;

  constructor(store: ApiKeyStore, clock: Clock = systemClock) {
    this.#store = store instanceof CachingApiKeyStore ? store : new CachingApiKeyStore(store);
    this.#clock = clock;
  }

  /** The refusal of a call that needs no look-up to be refused, or undefined. */
  glance(access: Access | undefined, authorization: string | undefined): ProblemError | undefined {
    if (!access) return refusals.nobody;
    if ('public' in access) return undefined;
    if (authorization === undefined || authorization === '') return refusals.missing;
    return apiKeyFromHeader(authorization) === undefined ? refusals.invalid : undefined;
  }

  /**
   * The client, null for a public handler, or the refusal: at once when the key is remembered, as nearly always, or as a
   * promise, which never rejects.
   */
  judge(access: Access | undefined, authorization: string | undefined): Verdict | Promise<Verdict> {
    const refusal = this.glance(access, authorization);
    if (refusal) return refusal;
    if (!access || 'public' in access) return null;
    const sha256 = sha256OfApiKey(apiKeyFromHeader(authorization ?? '') ?? '');
    const remembered = this.#store.peek(sha256);
    if (remembered !== undefined) return this.check(remembered, access);
    return this.#store.findBySha256(sha256).then(
      (client) => this.check(client, access),
      (cause: unknown) => (cause instanceof ProblemError ? cause : problem('service.unavailable', { cause })),
    );
  }

  /** Whether a client whose key was found may use a handler. */
  check(client: ApiClient | null, access: Access | undefined): ApiClient | ProblemError | null {
    if (!access) return refusals.nobody;
    if ('public' in access) return client;
    if (!client) return refusals.invalid;
    if (client.expiresAt && client.expiresAt <= this.#clock.now()) return refusals.expired;
    return hasScope(client, access.scope) ? client : refusalWithout(access.scope);
  }
}
