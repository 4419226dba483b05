/**
 * Remembers answers of another store for a few seconds, so that a request costs a hash and a Map look-up.
 *
 * A revoked key therefore works for up to the TTL, at most 5 s. Unknown keys are remembered apart from known ones and
 * fewer of them, so that a caller who tries keys at random can neither reach the database with a repeated key nor push
 * known keys out. Concurrent questions about one key become one. Failures are never remembered.
 */
import assert from 'node:assert/strict';
import type { ApiClient, ApiKeyStore } from './api-client.ts';

export interface CachingOptions {
  /** How long an answer counts, in milliseconds; at most 5,000. */
  readonly ttlMs?: number;
  readonly knownMax?: number;
  readonly unknownMax?: number;
  /** Milliseconds of any monotonic clock. */
  readonly monotonic?: () => number;
}

interface Entry {
  readonly client: ApiClient | null;
  readonly untilMs: number;
}

const TTL_MS_MAX = 5_000;

export class CachingApiKeyStore implements ApiKeyStore {
  readonly #known = new Map<string, Entry>();
  readonly #unknown = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<ApiClient | null>>();
  readonly #source: ApiKeyStore;
  readonly #ttlMs: number;
  readonly #knownMax: number;
  readonly #unknownMax: number;
  readonly #monotonic: () => number;

  constructor(source: ApiKeyStore, options: CachingOptions = {}) {
    this.#source = source;
    this.#ttlMs = options.ttlMs ?? TTL_MS_MAX;
    this.#knownMax = options.knownMax ?? 10_000;
    this.#unknownMax = options.unknownMax ?? 1_000;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    assert(this.#ttlMs > 0 && this.#ttlMs <= TTL_MS_MAX, 'A revoked key may work for 5 seconds at most.');
  }

  /** The remembered answer, or undefined if the source must be asked. */
  peek(sha256: string): ApiClient | null | undefined {
    return this.#read(this.#known, sha256) ?? this.#read(this.#unknown, sha256);
  }

  async findBySha256(sha256: string): Promise<ApiClient | null> {
    const remembered = this.peek(sha256);
    if (remembered !== undefined) return remembered;
    const already = this.#asking.get(sha256);
    if (already) return already;
    const answer = this.#ask(sha256);
    this.#asking.set(sha256, answer);
    try {
      return await answer;
    } finally {
      this.#asking.delete(sha256);
    }
  }

  async #ask(sha256: string): Promise<ApiClient | null> {
    // Counted from before the question, so that a slow answer is not remembered for longer than the TTL.
    const untilMs = this.#monotonic() + this.#ttlMs;
    const client = await this.#source.findBySha256(sha256);
    const [entries, countMax] = client ? [this.#known, this.#knownMax] : [this.#unknown, this.#unknownMax];
    entries.set(sha256, { client, untilMs });
    if (entries.size > countMax) {
      const leastRecent = entries.keys().next();
      if (!leastRecent.done) entries.delete(leastRecent.value);
    }
    return client;
  }

  #read(entries: Map<string, Entry>, sha256: string): ApiClient | null | undefined {
    const entry = entries.get(sha256);
    if (!entry) return undefined;
    entries.delete(sha256);
    if (entry.untilMs <= this.#monotonic()) return undefined;
    // A Map keeps the order of insertion: putting it back makes it the most recent.
    entries.set(sha256, entry);
    return entry.client;
  }
}
