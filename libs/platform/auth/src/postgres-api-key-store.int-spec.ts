import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runMigrations } from '@onepool/platform-postgres';
import { type TestDatabase, createTestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { createApiKey } from './api-key.ts';
import { apiKeyTables } from './api-key-tables.ts';
import { PostgresApiKeyStore } from './postgres-api-key-store.ts';

describe('API keys in PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let store: PostgresApiKeyStore;
  const expiresAt = new Date('2030-01-01T00:00:00Z');

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.ownerUrl });
    await runMigrations({ url: database.ownerUrl, schemas: [{ schema: 'availability', parts: [apiKeyTables] }] });
    store = new PostgresApiKeyStore(pool, 'availability');
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('finds a client by the hash of its key, and nothing by any other', async () => {
    const { sha256 } = createApiKey();
    await store.register({ clientId: 'shop', sha256, scopes: ['stock:read', 'admin'], expiresAt });
    expect(await store.findBySha256(sha256)).toEqual({
      key: expect.any(Number),
      id: 'shop',
      scopes: new Set(['stock:read', 'admin']),
      expiresAt,
    });
    expect(await store.findBySha256(createApiKey().sha256)).toBeNull();
  });

  it('keeps several keys of one client, under one client key', async () => {
    const [one, two] = [createApiKey().sha256, createApiKey().sha256];
    await store.register({ clientId: 'rotating', sha256: one, scopes: ['all'], expiresAt: null });
    await store.register({ clientId: 'rotating', sha256: two, scopes: ['all'], expiresAt: null });
    expect((await store.findBySha256(one))?.key).toBe((await store.findBySha256(two))?.key);
    expect(await store.revoke('rotating', one.slice(0, 12))).toBe(1);
    expect(await store.findBySha256(one)).toBeNull();
    expect(await store.findBySha256(two)).not.toBeNull();
    expect(await store.revoke('rotating')).toBe(1);
    expect(await store.revoke('rotating')).toBe(0);
  });

  it('registers one key from many replicas at once, and renews it when repeated', async () => {
    const { sha256 } = createApiKey();
    const key = { clientId: 'replicas', sha256, scopes: ['all'], expiresAt: null } as const;
    await Promise.all(Array.from({ length: 8 }, () => store.register(key)));
    await store.register({ ...key, scopes: ['stock:read'] });
    expect((await store.findBySha256(sha256))?.scopes).toEqual(new Set(['stock:read']));
  });

  it('never revives a revoked key or gives a key to another client', async () => {
    const { sha256 } = createApiKey();
    const key = { clientId: 'first', sha256, scopes: ['all'], expiresAt: null } as const;
    await store.register(key);
    await expect(store.register({ ...key, clientId: 'second' })).rejects.toThrow(/not the client's/);
    await store.revoke('first');
    await expect(store.register(key)).rejects.toThrow(/revoked/);
    expect(await store.findBySha256(sha256)).toBeNull();
  });

  it('refuses bad ids, hashes, scopes, fingerprints and schema names', async () => {
    const good = { clientId: 'ok', sha256: createApiKey().sha256, scopes: ['all'] as const, expiresAt: null };
    await expect(store.register({ ...good, clientId: 'No good' })).rejects.toThrow(/client id/);
    await expect(store.register({ ...good, clientId: 'onepool' })).rejects.toThrow(/reserved/i);
    await expect(store.register({ ...good, clientId: 'onepool.feed' })).rejects.toThrow(/reserved/i);
    await expect(store.register({ ...good, sha256: 'abc' })).rejects.toThrow(/SHA-256/);
    await expect(store.register({ ...good, scopes: [] })).rejects.toThrow(/scopes/);
    await expect(store.register({ ...good, scopes: ['stock:*' as 'all'] })).rejects.toThrow(/scopes/);
    await expect(store.revoke('ok', '%')).rejects.toThrow(/fingerprint/);
    expect(() => new PostgresApiKeyStore(pool, 'a"; DROP')).toThrow(/schema name/);
  });

  it('lists keys by client, never the key or its whole hash', async () => {
    const { key, sha256 } = createApiKey();
    await store.register({ clientId: 'listed', sha256, scopes: ['events:read'], expiresAt });
    const rows = await store.list();
    expect(rows.find(({ clientId }) => clientId === 'listed')).toEqual({
      clientId: 'listed',
      fingerprint: sha256.slice(0, 12),
      scopes: ['events:read'],
      expiresAt,
      revokedAt: null,
      createdAt: expect.any(Date),
    });
    expect(JSON.stringify(rows)).not.toContain(key);
  });
});
