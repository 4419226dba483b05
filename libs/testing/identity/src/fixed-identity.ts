/**
 * Identities that a spec gives in code, in place of tables: principals with their keys, and changes that are told at once.
 *
 * It is an `IdentitySource` of platform-auth by its form alone, whose own specs use it: a library that both import would stand
 * in a ring. Where the forms part, `new IdentityCache(identity)` of a spec does not compile any more.
 */
import { hash, randomBytes } from 'node:crypto';

interface Found {
  readonly principal: string;
  readonly kind: 'person' | 'service';
  readonly grants: readonly [Grant];
  readonly expiresAt: Date | null;
}

interface Grant {
  readonly scopes: readonly string[];
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

interface Beat {
  readonly incarnation: string;
  readonly epoch: number;
  readonly since: number;
  readonly touched: readonly { readonly epoch: number; readonly principals: readonly string[] }[];
}

type Listener = (beat: Beat, sentAtMs: number) => void;

export interface FixedPrincipal {
  readonly id?: string;
  readonly kind?: 'person' | 'service';
  readonly scopes: readonly string[];
  readonly nodes?: readonly string[];
  readonly channels?: readonly string[];
  readonly expiresAt?: Date;
}

export class FixedIdentity {
  readonly #found = new Map<string, Found>();
  readonly #listeners = new Set<Listener>();
  readonly #incarnation = 'spec';
  #epoch = 1;
  /** Set, what every question fails with. */
  failure: Error | undefined;

  /** A key of a principal of its own, as the header `authorization` carries it without `Bearer`. */
  makeKey(principal: FixedPrincipal): string {
    const key = `opk_${randomBytes(32).toString('base64url')}`;
    const sha256 = hash('sha256', key, 'hex');
    const {
      id = `prn_${randomBytes(6)
        .toString('hex')
        .replaceAll(/[0189]/g, 'x')}`,
      kind = 'service',
    } = principal;
    const { scopes, nodes = null, channels = null, expiresAt = null } = principal;
    const found: Found = { principal: id, kind, grants: [{ scopes, nodes, channels }], expiresAt };
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

  ask(question: { readonly sha256: string } | { readonly person: string }) {
    if (this.failure) return Promise.reject<never>(this.failure);
    const found = this.#found.get('sha256' in question ? question.sha256 : question.person) ?? null;
    return Promise.resolve({ incarnation: this.#incarnation, epoch: this.#epoch, found });
  }

  watch(onBeat: Listener): { stop(): Promise<void> } {
    this.#listeners.add(onBeat);
    onBeat(this.#beat([]), performance.now());
    return {
      stop: async () => {
        this.#listeners.delete(onBeat);
      },
    };
  }

  #beat(principals: readonly string[]): Beat {
    const epoch = this.#epoch;
    return { incarnation: this.#incarnation, epoch, since: epoch - 1, touched: [{ epoch, principals }] };
  }
}
