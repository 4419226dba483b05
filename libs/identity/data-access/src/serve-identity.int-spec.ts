/** An app that knows the identity over NATS only, beside two replicas of the app that has the tables. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { IDENTITY_SUBJECTS as subjects } from '@onepool/contracts';
import { IdentityCache, NatsIdentity, createApiKey } from '@onepool/platform-auth';
import { connectNats } from '@onepool/platform-messaging';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { type TestNats, createTestDatabase, startTestNats } from '@onepool/testing-servers';
import type pg from 'pg';
import { IdentityAdmin } from './identity-admin.ts';
import { PostgresIdentity } from './postgres-identity.ts';
import { serveIdentity } from './serve-identity.ts';
import { identitySchema } from './spec-support/identity-schema.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let nats: TestNats;
let owner: pg.Pool;
let admin: IdentityAdmin;
let principal: string;

const poolOf = (url: string): pg.Pool =>
  createPool({
    url,
    max: 2,
    schema: 'identity',
    applicationName: 'spec',
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 60_000,
  });

beforeAll(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), startTestNats()]);
  const schemas = [identitySchema];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas });
  owner = poolOf(database.ownerUrl);
  admin = new IdentityAdmin(owner, 'identity');
  const limits = { nodes: null, channels: null };
  principal = await admin.addPrincipal({ name: 'shop', kind: 'service', scopes: ['stock:read'], roles: [], ...limits });
});

afterAll(async () => {
  await owner.end();
  await Promise.all([nats.stop(), database.drop()]);
});

/** A replica of the app that has the tables. */
async function startReplica() {
  const [pool, connection] = [poolOf(database.url), await connectNats({ url: nats.url, name: 'availability' })];
  const source = new PostgresIdentity({ pool, schema: 'identity' });
  const served = serveIdentity({ connection, subjects, source });
  const watching = source.watch((beat, sentAtMs) => served.tell(beat, sentAtMs));
  return async () => {
    await watching.stop();
    await connection.close();
    await pool.end();
  };
}

async function makeKey(expiresAt: Date | null = null) {
  const { sha256 } = createApiKey();
  const key = { sha256, scopes: null, nodes: ['n1'], channels: null, expiresAt };
  return { sha256, id: await admin.addKey(principal, key) };
}

let replicas: (() => Promise<void>)[];
let connection: NatsConnection;
let cache: IdentityCache;
/** Of the cache's clock, ahead of the real one. */
let aheadMs: number;

beforeEach(async () => {
  replicas = await Promise.all([startReplica(), startReplica()]);
  connection = await connectNats({ url: nats.url, name: 'brokering' });
  aheadMs = 0;
  const monotonic = () => performance.now() + aheadMs;
  cache = new IdentityCache(new NatsIdentity({ connection, subjects }), { monotonic });
  cache.start();
});

afterEach(async () => {
  await cache.stop();
  await connection.close();
  await Promise.all(replicas.splice(0).map((stop) => stop()));
});

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

describe('an app that knows the identity over NATS only', () => {
  it('learns whose key it is, with its limits and its end', async () => {
    const expiresAt = new Date('2026-12-31T00:00:00Z');
    const { sha256 } = await makeKey(expiresAt);
    const found = await cache.find({ sha256 });
    expect(found).toMatchObject({ principal, kind: 'service', expiresAt });
    expect(found!.grants).toEqual([
      { scopes: ['stock:read'], nodes: null, channels: null },
      { scopes: ['stock:read'], nodes: ['n1'], channels: null },
    ]);
    expect(await cache.find({ sha256: 'f'.repeat(64) })).toBeNull();
  });

  it('forgets a revoked key, and no other, and hears of it from one replica when the other is gone', async () => {
    const [revoked, kept] = [await makeKey(), await makeKey()];
    await replicas.pop()!();
    await cache.find(revoked);
    await cache.find(kept);
    await admin.revokeKey(revoked.id);
    while (cache.peek(revoked)) await turn();
    expect(await cache.find(revoked)).toBeNull();
    expect(await cache.find(kept)).toMatchObject({ principal });
  });

  it('goes on with known keys for five minutes while NATS is down, refuses unknown ones, and comes back by itself', async () => {
    const [known, unknown] = [await makeKey(), await makeKey()];
    await cache.find(known);
    while (cache.ageMs > 1_000) await turn();
    await nats.kill();
    aheadMs = 299_000;
    expect(cache.peek(known)).toMatchObject({ principal });
    await expect(cache.find(unknown)).rejects.toMatchObject({ code: 'identity.unavailable', status: 503 });
    aheadMs = 360_000;
    expect(cache.peek(known)).toBeUndefined();
    await expect(cache.find(known)).rejects.toMatchObject({ code: 'identity.unavailable' });
    await admin.revokeKey(known.id);
    aheadMs = 0;
    await nats.restart();
    while (cache.peek(known)) await turn();
    expect(await cache.find(known)).toBeNull();
    expect(await cache.find(unknown)).toMatchObject({ principal });
  });

  it('is told at once, and not after a time-out, that nobody can read the identity', async () => {
    await owner.query('ALTER TABLE identity.identity_version RENAME TO gone');
    try {
      const { sha256 } = createApiKey();
      await expect(new NatsIdentity({ connection, subjects }).ask({ sha256 })).rejects.toThrow(
        'the identity cannot be read',
      );
    } finally {
      await owner.query('ALTER TABLE identity.gone RENAME TO identity_version');
    }
  });

  it('gets nowhere with what is no question', async () => {
    for (const question of ['{}', 'null', '{', '{"sha256":"x"}', `{"person":"prn_' OR true"}`]) {
      const reply = await connection.request(subjects.verify, question, { timeout: 60_000 });
      expect(reply.json()).toEqual({ failure: 'the identity cannot be read' });
    }
  });
});
