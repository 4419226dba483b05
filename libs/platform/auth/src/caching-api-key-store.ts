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
  readonly ttl_ms?: number;
  readonly known_max?: number;
  readonly unknown_max?: number;
  /** Milliseconds of any monotonic clock. */
  readonly monotonic?: () => number;
}

interface Entry {
  readonly client: ApiClient | null;
  readonly until_ms: number;
}

const TTL_MS_MAX = 5_000;

export class CachingApiKeyStore implements ApiKeyStore {
  private readonly known = new Map<string, Entry>();
  private readonly unknown = new Map<string, Entry>();
  private readonly asking = new Map<string, Promise<ApiClient | null>>();
  private readonly source: ApiKeyStore;
  private readonly ttl_ms: number;
  private readonly known_max: number;
  private readonly unknown_max: number;
  private readonly monotonic: () => number;

  constructor(source: ApiKeyStore, options: CachingOptions = {}) {
    this.source = source;
    this.ttl_ms = options.ttl_ms ?? TTL_MS_MAX;
    this.known_max = options.known_max ?? 10_000;
    this.unknown_max = options.unknown_max ?? 1_000;
    this.monotonic = options.monotonic ?? (() => performance.now());
    assert(this.ttl_ms > 0 && this.ttl_ms <= TTL_MS_MAX, 'A revoked key may work for 5 seconds at most.');
  }

  /** The remembered answer, or undefined if the source must be asked. */
  peek(sha256: string): ApiClient | null | undefined {
    return this.read(this.known, sha256) ?? this.read(this.unknown, sha256);
  }

  async findBySha256(sha256: string): Promise<ApiClient | null> {
    const remembered = this.peek(sha256);
    if (remembered !== undefined) return remembered;
    const already = this.asking.get(sha256);
    if (already) return already;
    const answer = this.ask(sha256);
    this.asking.set(sha256, answer);
    try {
      return await answer;
    } finally {
      this.asking.delete(sha256);
    }
  }

  private async ask(sha256: string): Promise<ApiClient | null> {
    // Counted from before the question, so that a slow answer is not remembered for longer than the TTL.
    const until_ms = this.monotonic() + this.ttl_ms;
    const client = await this.source.findBySha256(sha256);
    const [entries, count_max] = client ? [this.known, this.known_max] : [this.unknown, this.unknown_max];
    entries.set(sha256, { client, until_ms });
    if (entries.size > count_max) {
      const leastRecent = entries.keys().next();
      if (!leastRecent.done) entries.delete(leastRecent.value);
    }
    return client;
  }

  private read(entries: Map<string, Entry>, sha256: string): ApiClient | null | undefined {
    const entry = entries.get(sha256);
    if (!entry) return undefined;
    entries.delete(sha256);
    if (entry.until_ms <= this.monotonic()) return undefined;
    // A Map keeps the order of insertion: putting it back makes it the most recent.
    entries.set(sha256, entry);
    return entry.client;
  }
}
