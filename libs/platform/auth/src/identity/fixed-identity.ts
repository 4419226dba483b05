/** Identities that a spec gives in code, in place of tables: principals with their keys, and changes that are told at once. */
import { createApiKey } from '../api-key.ts';
import { IdentityCache } from './identity-cache.ts';
import type {
  FoundIdentity,
  IdentityAnswer,
  IdentityBeat,
  IdentityQuestion,
  IdentitySource,
} from './identity-source.ts';

export interface FixedPrincipal {
  readonly id?: string;
  readonly kind?: 'person' | 'service';
  readonly scopes: readonly string[];
  readonly nodes?: readonly string[];
  readonly channels?: readonly string[];
  readonly expiresAt?: Date;
}

export class FixedIdentity implements IdentitySource {
  readonly #found = new Map<string, FoundIdentity>();
  readonly #listeners = new Set<(beat: IdentityBeat, sentAtMs: number) => void>();
  readonly #incarnation = 'spec';
  #epoch = 1;
  /** How often it was asked. */
  asked = 0;
  /** Set, what every question fails with. */
  failure: Error | undefined;

  /** A remembering reader of it, started. */
  cache(): IdentityCache {
    const cache = new IdentityCache(this);
    cache.start();
    return cache;
  }

  /** A key of a principal of its own, as the header `authorization` carries it without `Bearer`. */
  makeKey(principal: FixedPrincipal): string {
    const { key, sha256 } = createApiKey();
    const { id = `prn_${String(this.#found.size).padStart(12, 'a')}`, kind = 'service', expiresAt = null } = principal;
    const { scopes, nodes = null, channels = null } = principal;
    const found: FoundIdentity = { principal: id, kind, grants: [{ scopes, nodes, channels }], expiresAt };
    this.#found.set(sha256, found);
    if (kind === 'person') this.#found.set(id, found);
    return key;
  }

  /** Forgets everything of a principal, and says so. */
  remove(id: string): void {
    for (const [name, { principal }] of this.#found) if (principal === id) this.#found.delete(name);
    this.#epoch += 1;
    for (const listener of this.#listeners) listener(this.#beat([id]), performance.now());
  }

  ask(question: IdentityQuestion): Promise<IdentityAnswer> {
    this.asked += 1;
    if (this.failure) return Promise.reject(this.failure);
    const found = this.#found.get('sha256' in question ? question.sha256 : question.person) ?? null;
    return Promise.resolve({ incarnation: this.#incarnation, epoch: this.#epoch, found });
  }

  watch(onBeat: (beat: IdentityBeat, sentAtMs: number) => void): { stop(): Promise<void> } {
    this.#listeners.add(onBeat);
    onBeat(this.#beat([]), performance.now());
    return {
      stop: async () => {
        this.#listeners.delete(onBeat);
      },
    };
  }

  #beat(principals: readonly string[]): IdentityBeat {
    const epoch = this.#epoch;
    return { incarnation: this.#incarnation, epoch, since: epoch - 1, touched: [{ epoch, principals }] };
  }
}
