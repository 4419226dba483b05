import { describe, expect, it } from '@jest/globals';
import { apiKeyFromHeader, createApiKey, sha256OfApiKey } from './api-key.ts';
import { heldScopes, isScope } from './scopes.ts';

describe('API keys', () => {
  it('are different every time, and known by their SHA-256', () => {
    const { key, sha256 } = createApiKey();
    expect(key).toMatch(/^opk_[A-Za-z0-9_-]{43}$/);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(sha256OfApiKey(key)).toBe(sha256);
    expect(createApiKey().key).not.toBe(key);
  });

  it('are read from a Bearer header', () => {
    const { key } = createApiKey();
    expect(apiKeyFromHeader(`Bearer ${key}`)).toBe(key);
    expect(apiKeyFromHeader(`bearer  ${key}`)).toBe(key);
  });

  it.each(['', 'opk_aaaaaaaaaaaaaaaaaaaa', 'Basic opk_aaaaaaaaaaaaaaaaaaaa', 'Bearer', 'Bearer x', 'Bearer opk_short'])(
    'are not read from %j',
    (header) => {
      expect(apiKeyFromHeader(header)).toBeUndefined();
    },
  );

  it('are not read from a header that is longer than any key, or has more behind it', () => {
    expect(apiKeyFromHeader(`Bearer opk_${'a'.repeat(1_000)}`)).toBeUndefined();
    expect(apiKeyFromHeader(`Bearer opk_${'a'.repeat(40)} more`)).toBeUndefined();
  });
});

describe('scopes', () => {
  const rules = { 'stock:read': {}, 'stock:write': {}, stock: {}, 'orders:any': { explicit: true } };
  const held = (...scopes: string[]): string[] => [...heldScopes(scopes, rules)];

  it('grant themselves only', () => {
    for (const scope of Object.keys(rules)) expect(held(scope)).toEqual([scope]);
    expect(held()).toEqual([]);
  });

  it('are all granted by all, but for those that are given by name alone', () => {
    expect(held('all')).toEqual(['stock:read', 'stock:write', 'stock']);
    expect(held('all', 'orders:any')).toEqual(Object.keys(rules));
  });

  it('of another app are none of this one', () => {
    expect(held('shelves:read')).toEqual([]);
  });

  it('are words, and never patterns', () => {
    expect(['all', ...Object.keys(rules)].every(isScope)).toBe(true);
    expect(['', 'stock:*', 'Stock:read', 'stock:', ':read', 'stock:read:all', 'stock read'].some(isScope)).toBe(false);
  });
});
