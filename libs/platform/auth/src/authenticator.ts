import { type Clock, systemClock } from '@onepool/platform-clock';
import { ProblemError, problem } from '@onepool/platform-problem';
import type { Access } from './access.ts';
import type { ApiClient, ApiKeyStore } from './api-client.ts';
import { apiKeyFromHeader, sha256OfApiKey } from './api-key.ts';
import { CachingApiKeyStore } from './caching-api-key-store.ts';
import { hasScope } from './scopes.ts';

/**
 * Decides whether a caller may use a handler, from the `Authorization` header and the handler's declaration.
 *
 * Precedence: no declaration → `auth.forbidden`; no header → `auth.missing`; not a key, unknown or revoked →
 * `auth.invalid`; over → `auth.expired`; scope not held → `auth.forbidden`; key store not reachable →
 * `service.unavailable`.
 */
export class Authenticator {
  private readonly store: CachingApiKeyStore;
  private readonly clock: Clock;

  constructor(store: ApiKeyStore, clock: Clock = systemClock) {
    this.store = store instanceof CachingApiKeyStore ? store : new CachingApiKeyStore(store);
    this.clock = clock;
  }

  /**
   * The client, or null for a public handler: at once when the key is remembered, as nearly always, or as a promise.
   *
   * @throws ProblemError as told above; the promise rejects with the same.
   */
  admit(access: Access | undefined, authorization: string | undefined): ApiClient | null | Promise<ApiClient> {
    if (!access) throw problem('auth.forbidden', { detail: 'Nobody is allowed to call this.' });
    if ('public' in access) return null;
    if (authorization === undefined || authorization === '') throw problem('auth.missing');
    const key = apiKeyFromHeader(authorization);
    if (key === undefined) throw problem('auth.invalid');
    const sha256 = sha256OfApiKey(key);
    const remembered = this.store.peek(sha256);
    if (remembered !== undefined) return this.check(remembered, access);
    return this.store.findBySha256(sha256).then(
      (client) => this.check(client, access),
      (cause: unknown) => {
        throw cause instanceof ProblemError ? cause : problem('service.unavailable', { cause });
      },
    );
  }

  private check(client: ApiClient | null, access: Exclude<Access, { public: true }>): ApiClient {
    if (!client) throw problem('auth.invalid');
    if (client.expiresAt && client.expiresAt <= this.clock.now()) throw problem('auth.expired');
    if (!hasScope(client, access.scope)) {
      throw problem('auth.forbidden', { detail: `The scope ${access.scope} is required.` });
    }
    return client;
  }
}
