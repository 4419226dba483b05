import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type IdentityBeat, type IdentityQuestion, IdentityCache, createApiKey } from '@onepool/platform-auth';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { IdentityAdmin } from './identity-admin.ts';
import type { NewPrincipal } from './identity-input.ts';
import { identitySchema } from './spec-support/identity-schema.ts';
import { PostgresIdentity } from './postgres-identity.ts';

const { schema: SCHEMA } = identitySchema;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let owner: pg.Pool;
let pool: pg.Pool;
let admin: IdentityAdmin;
let source: PostgresIdentity;

const poolOf = (url: string): pg.Pool =>
  createPool({
    url,
    max: 4,
    schema: SCHEMA,
    applicationName: 'spec',
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 60_000,
  });

beforeAll(async () => {
  database = await createTestDatabase();
  const schemas = [identitySchema];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas });
  [owner, pool] = [poolOf(database.ownerUrl), poolOf(database.url)];
  admin = new IdentityAdmin(owner, SCHEMA);
  source = new PostgresIdentity({ pool, schema: SCHEMA });
});

afterAll(async () => {
  await Promise.all([owner.end(), pool.end()]);
  await database.drop();
});

let names = 0;
const service = (more: Partial<NewPrincipal> = {}): Promise<string> =>
  admin.addPrincipal({
    name: `service-${(names += 1)}`,
    kind: 'service',
    scopes: ['stock:read'],
    roles: [],
    nodes: null,
    channels: null,
    ...more,
  });
async function keyOf(principal: string, more: Partial<Parameters<IdentityAdmin['addKey']>[1]> = {}) {
  const { sha256 } = createApiKey();
  const id = await admin.addKey(principal, {
    sha256,
    scopes: null,
    nodes: null,
    channels: null,
    expiresAt: null,
    ...more,
  });
  return { id, sha256 };
}
const find = async (question: IdentityQuestion) => (await source.ask(question)).found;

describe('a key', () => {
  it('is its principal’s: own scopes, those of its roles, and its limits, beside what the key leaves of them', async () => {
    await admin.putRole('clerk', ['catalog:read', 'stock:read']);
    const principal = await service({ roles: ['clerk'], nodes: ['n1', 'n2'] });
    const { sha256 } = await keyOf(principal, { scopes: ['stock:read'], channels: ['web'], nodes: ['n2'] });
    const found = await find({ sha256 });
    expect(found).toMatchObject({ principal, kind: 'service', expiresAt: null });
    const [own, ofKey] = found!.grants;
    expect({ ...own, scopes: [...own.scopes].sort() }).toEqual({
      scopes: ['catalog:read', 'stock:read'],
      nodes: ['n1', 'n2'],
      channels: null,
    });
    expect(ofKey).toEqual({ scopes: ['stock:read'], nodes: ['n2'], channels: ['web'] });
  });

  it('is found with its end, and not any more once it is revoked or its principal disabled', async () => {
    const principal = await service();
    const expiresAt = new Date('2026-01-01T00:00:00Z');
    const { sha256, id } = await keyOf(principal, { expiresAt });
    expect(await find({ sha256 })).toMatchObject({ expiresAt });
    await admin.changePrincipal(principal, { isDisabled: true });
    expect(await find({ sha256 })).toBeNull();
    await admin.changePrincipal(principal, { isDisabled: false });
    expect(await find({ sha256 })).toMatchObject({ principal });
    await admin.revokeKey(id);
    expect(await find({ sha256 })).toBeNull();
  });

  it('is renewed when it is added again, and never once it was revoked, nor for somebody else', async () => {
    const [principal, other] = [await service(), await service()];
    const { sha256, id } = await keyOf(principal);
    const again = { sha256, scopes: [], nodes: null, channels: null, expiresAt: null };
    expect(await admin.addKey(principal, again)).toBe(id);
    expect((await find({ sha256 }))!.grants[1]).toMatchObject({ scopes: [] });
    await expect(admin.addKey(other, again)).rejects.toThrow(/make another/);
    await admin.revokeKey(id);
    await expect(admin.addKey(principal, again)).rejects.toThrow(/make another/);
    await expect(admin.revokeKey(id)).rejects.toThrow(/no key .* not revoked already/);
  });

  it('tells on which day it was last used', async () => {
    const principal = await service();
    const { sha256, id } = await keyOf(principal);
    const row = async () => (await admin.keys()).find((key) => key.id === id);
    expect(await row()).toMatchObject({ lastUsedOn: null, fingerprint: sha256.slice(0, 12) });
    await source.noteUse([sha256, sha256]);
    await source.noteUse([sha256]);
    const { rows } = await owner.query(`SELECT (now() AT TIME ZONE 'UTC')::date::text AS today`);
    expect(await row()).toMatchObject({ lastUsedOn: rows[0].today });
  });
});

describe('a person', () => {
  it('is found by id, a service is not', async () => {
    const person = await service({ name: 'Zoë 名', kind: 'person' });
    expect(await find({ person })).toMatchObject({ principal: person, kind: 'person' });
    expect(await find({ person: await service() })).toBeNull();
    expect(await find({ person: 'prn_nobody222222' })).toBeNull();
  });
});

describe('what cannot be', () => {
  it.each<[string, Partial<NewPrincipal>, RegExp]>([
    ['a name of the system itself', { name: 'onepool-x' }, /reserved/],
    ['a service with a name for people', { name: 'My shop' }, /no name for a service/],
    ['a person without a name', { name: '', kind: 'person' }, /no name for a person/],
    ['a scope that is a pattern', { scopes: ['stock:*'] }, /No scopes: stock:\*/],
    ['a role that nobody made', { roles: ['pirate'] }, /no role pirate/],
  ])('%s is refused in a sentence, and nothing is left of it', async (_what, more, sentence) => {
    const before = await admin.principals();
    await expect(service(more)).rejects.toThrow(sentence);
    expect(await admin.principals()).toEqual(before);
  });

  it('a name twice', async () => {
    await service({ name: 'twice' });
    await expect(service({ name: 'twice' })).rejects.toThrow('There is a service twice already.');
  });

  it('a change by the app itself', async () => {
    const { sha256 } = createApiKey();
    const asApp = new IdentityAdmin(pool, SCHEMA);
    const key = { sha256, scopes: null, nodes: null, channels: null, expiresAt: null };
    await expect(asApp.addKey(await service(), key)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the version', () => {
  let beats: IdentityBeat[];
  let watching: { stop(): Promise<void> };
  let told: () => void;
  beforeEach(() => {
    beats = [];
    told = () => undefined;
    watching = source.watch((beat) => {
      beats.push(beat);
      told();
    });
  });
  afterEach(() => watching.stop());

  /** The next beat that is about a change. */
  async function beatOf(change: () => Promise<unknown>): Promise<IdentityBeat> {
    const { epoch } = await source.ask({ person: '' });
    await change();
    for (;;) {
      const beat = beats.at(-1);
      if (beat && beat.epoch > epoch) return beat;
      await new Promise<void>((resolve) => (told = resolve));
    }
  }
  const concerns = ({ touched, epoch }: IdentityBeat) => touched.find((step) => step.epoch === epoch)?.principals;

  it('steps with every change, and says whom it concerns; a new key or principal concerns nobody', async () => {
    const principal = await service();
    const { id } = await keyOf(principal);
    expect(concerns(await beatOf(() => service()))).toEqual([]);
    expect(concerns(await beatOf(() => keyOf(principal)))).toEqual([]);
    expect(concerns(await beatOf(() => admin.revokeKey(id)))).toEqual([principal]);
    expect(concerns(await beatOf(() => admin.changePrincipal(principal, { scopes: [] })))).toEqual([principal]);
    await admin.putRole('cook', ['stock:read']);
    const cooks = [await service({ roles: ['cook'] }), await service({ roles: ['cook'] })];
    const step = concerns(await beatOf(() => admin.putRole('cook', [])));
    expect(new Set(step)).toEqual(new Set(cooks));
  });

  it('stays when a change fails', async () => {
    const before = await source.ask({ person: '' });
    await expect(admin.revokeKey('key_none')).rejects.toThrow();
    expect((await source.ask({ person: '' })).epoch).toBe(before.epoch);
  });

  it('keeps no step to itself when many change at once', async () => {
    const principals = await Promise.all(Array.from({ length: 8 }, () => service()));
    const last = await beatOf(() => Promise.all(principals.map((id) => admin.changePrincipal(id, { scopes: [] }))));
    const seen = (beat: IdentityBeat) => beat.touched.flatMap((step) => step.principals ?? []);
    let beat = last;
    while (!principals.every((id) => seen(beat).includes(id))) {
      await new Promise<void>((resolve) => (told = resolve));
      beat = beats.at(-1)!;
    }
    expect(beat.since).toBe(Math.max(1, beat.epoch - 64));
  });

  it('makes a reader forget a revoked key', async () => {
    const principal = await service();
    const { sha256, id } = await keyOf(principal);
    const cache = new IdentityCache(source);
    cache.start();
    expect(await cache.find({ sha256 })).toMatchObject({ principal });
    await admin.revokeKey(id);
    while (cache.peek({ sha256 })) await new Promise<void>((resolve) => (told = resolve));
    expect(await cache.find({ sha256 })).toBeNull();
    await cache.stop();
  });
});
