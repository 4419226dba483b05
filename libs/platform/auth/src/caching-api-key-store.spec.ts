import { describe, expect, it } from '@jest/globals';
import type { ApiClient } from './api-client.ts';
import { CachingApiKeyStore, type CachingOptions } from './caching-api-key-store.ts';

const client: ApiClient = { key: 1, id: 'shop', scopes: new Set(['all']), expiresAt: null };

function setUp(options: CachingOptions = {}) {
  const asked: string[] = [];
  let timeMs = 0;
  const store = new CachingApiKeyStore(
    {
      findBySha256: (sha256) => {
        asked.push(sha256);
        return Promise.resolve(sha256.startsWith('good') ? client : null);
      },
    },
    { monotonic: () => timeMs, ...options },
  );
  return { store, asked, advance: (byMs: number) => (timeMs += byMs) };
}

describe('the cache of API keys', () => {
  it('asks once per TTL, for known and unknown keys alike', async () => {
    const { store, asked, advance } = setUp({ ttlMs: 1_000 });
    for (const sha256 of ['good', 'bad']) {
      expect(store.peek(sha256)).toBeUndefined();
      await store.findBySha256(sha256);
      await store.findBySha256(sha256);
    }
    expect(store.peek('good')).toBe(client);
    expect(store.peek('bad')).toBeNull();
    expect(asked).toEqual(['good', 'bad']);
    advance(1_000);
    expect(store.peek('good')).toBeUndefined();
    await store.findBySha256('good');
    expect(asked).toEqual(['good', 'bad', 'good']);
  });

  it('turns concurrent questions about one key into one', async () => {
    const { store, asked } = setUp();
    await Promise.all(Array.from({ length: 10 }, () => store.findBySha256('good')));
    expect(asked).toHaveLength(1);
  });

  it('forgets the key that was used longest ago', async () => {
    const { store } = setUp({ knownMax: 2 });
    await store.findBySha256('good1');
    await store.findBySha256('good2');
    store.peek('good1');
    await store.findBySha256('good3');
    expect([store.peek('good1'), store.peek('good2'), store.peek('good3')]).toEqual([client, undefined, client]);
  });

  it('never lets unknown keys push known ones out', async () => {
    const { store } = setUp({ knownMax: 1, unknownMax: 3 });
    await store.findBySha256('good');
    for (let index = 0; index < 100; index++) await store.findBySha256(`bad${index}`);
    expect(store.peek('good')).toBe(client);
    expect(store.peek('bad96')).toBeUndefined();
    expect(store.peek('bad97')).toBeNull();
  });

  it('does not remember a failure', async () => {
    let isUp = false;
    const store = new CachingApiKeyStore({
      findBySha256: () => (isUp ? Promise.resolve(client) : Promise.reject(new Error('down'))),
    });
    await expect(store.findBySha256('good')).rejects.toThrow('down');
    isUp = true;
    expect(await store.findBySha256('good')).toBe(client);
  });

  it('refuses to let a revoked key work for longer than 5 seconds', () => {
    expect(() => setUp({ ttlMs: 5_001 })).toThrow(/5 seconds/);
  });
});
