/** What the identity tells, held against its tables. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { IDENTITY_FACTS, KEY_CHANGED, PRINCIPAL_CHANGED, ROLE_CHANGED } from '@onepool/contracts';
import { createApiKey } from '@onepool/platform-auth';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { compileSchema } from '@onepool/platform-problem';
import { installFailpoints } from '@onepool/platform-failpoints';
import { createTestDatabase } from '@onepool/testing-servers';
import fc from 'fast-check';
import type pg from 'pg';
import { IdentityAdmin } from './identity-admin.ts';
import type { NewKey, NewPrincipal } from './identity-input.ts';
import { identitySchema } from './spec-support/identity-schema.ts';

const { schema } = identitySchema;
const PLANTED = 'Zoë Planted';
const all = { nodes: null, channels: null } as const;
const validators = new Map(
  IDENTITY_FACTS.map(({ subject, data }) => [subject as string, compileSchema<unknown>(data)]),
);

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;
let admin: IdentityAdmin;
beforeAll(async () => {
  database = await createTestDatabase();
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas: [identitySchema] });
  pool = createPool({
    url: database.ownerUrl,
    max: 4,
    schema,
    applicationName: 'spec',
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 60_000,
  });
  admin = new IdentityAdmin(pool, schema);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pool.query(
    'DELETE FROM principal_role; DELETE FROM api_key; DELETE FROM role; DELETE FROM principal; DELETE FROM aggregate; DELETE FROM outbox',
  );
});
afterEach(() => installFailpoints(null));

let names = 0;
const addService = (more: Partial<NewPrincipal> = {}): Promise<string> =>
  admin.addPrincipal({
    name: `service-${(names += 1)}`,
    kind: 'service',
    scopes: ['stock:read'],
    roles: [],
    ...all,
    ...more,
  });
const addPerson = (): Promise<string> => addService({ name: PLANTED, kind: 'person' });
const addKey = (principal: string, more: Partial<NewKey> = {}): Promise<string> =>
  admin.addKey(principal, { sha256: createApiKey().sha256, scopes: null, expiresAt: null, ...all, ...more });

interface Fact {
  readonly key: string;
  readonly subject: string;
  readonly data: Record<string, unknown> & { fromVersion: number; toVersion: number; epoch: number };
}
async function facts(): Promise<readonly Fact[]> {
  return (await pool.query<Fact>('SELECT key, subject, data FROM outbox ORDER BY id')).rows;
}
/** What the facts since the last call told, without their versions. */
async function told(change: () => Promise<unknown>): Promise<readonly (readonly [string, string, object])[]> {
  const before = (await facts()).length;
  await change();
  return (await facts()).slice(before).map(({ key, subject, data }) => {
    const { fromVersion: _from, toVersion: _to, epoch: _epoch, ...state } = data;
    return [subject, key, state];
  });
}

describe('the identity', () => {
  it('tells each change as the whole state of what was changed', async () => {
    await admin.putRole('clerk', []);
    const id = await addService({ name: 'till', roles: ['clerk'], nodes: ['n1'] });
    const state = { principal: id, kind: 'service', roles: ['clerk'], scopes: ['stock:read'], nodes: ['n1'] };
    const rest = { channels: null, disabled: false, erased: false };
    const fact = (change: object) => [[PRINCIPAL_CHANGED, `principal/${id}`, { ...state, ...rest, ...change }]];
    expect(await told(() => admin.changePrincipal('till', { channels: ['web'] }))).toEqual(fact({ channels: ['web'] }));
    await admin.changePrincipal(id, { channels: null });
    expect(await told(() => admin.changePrincipal(id, { roles: [] }))).toEqual(fact({ roles: [] }));
    expect(await told(() => admin.changePrincipal(id, { isDisabled: true }))).toEqual(
      fact({ roles: [], disabled: true }),
    );
    const role = [[ROLE_CHANGED, 'role/clerk', { role: 'clerk', scopes: ['catalog:read'] }]];
    expect(await told(() => admin.putRole('clerk', ['catalog:read']))).toEqual(role);
  });

  it('tells a key when it is made, changed and revoked, in the order of its principal’s facts', async () => {
    const principal = await addService();
    const { sha256 } = createApiKey();
    const expiresAt = new Date('2027-01-02T03:04:05.006Z');
    let key = '';
    const made = await told(async () => (key = await addKey(principal, { sha256, expiresAt, nodes: ['n1'] })));
    const state = { key, principal, scopes: null, nodes: ['n1'], channels: null, revoked: false };
    const fact = (change: object) => [
      [KEY_CHANGED, `principal/${principal}`, { ...state, expiresAt: expiresAt.toISOString(), ...change }],
    ];
    expect(made).toEqual(fact({}));
    expect(await told(() => admin.changeKey(key, { expiresAt: null }))).toEqual(fact({ expiresAt: null }));
    expect(await told(() => admin.changeKey(key, { expiresAt, scopes: [] }))).toEqual(fact({ scopes: [] }));
    expect(await told(() => addKey(principal, { sha256, expiresAt, nodes: ['n1'] }))).toEqual(fact({}));
    expect(await told(() => admin.revokeKey(key))).toEqual(fact({ revoked: true }));
    const versions = (await facts()).map(({ data: { fromVersion, toVersion } }) => [fromVersion, toVersion]);
    expect(versions).toEqual([0, 1, 2, 3, 4, 5].map((version) => [version, version + 1]));
  });

  it('tells nothing of what stays as it was, and nothing of a change that failed', async () => {
    await admin.putRole('clerk', ['stock:read']);
    const principal = await addService();
    const { sha256 } = createApiKey();
    const key = await addKey(principal, { sha256 });
    const quiet = async (): Promise<void> => {
      await admin.putRole('clerk', ['stock:read']);
      await admin.changePrincipal(principal, { scopes: ['stock:read'], isDisabled: false });
      await addKey(principal, { sha256 });
      await admin.changeKey(key, {});
      await expect(admin.changePrincipal(principal, { scopes: [], roles: ['nobody'] })).rejects.toThrow(/no role/);
      await expect(admin.changeKey('key_none', { scopes: [] })).rejects.toThrow(/no key key_none/);
    };
    expect(await told(quiet)).toEqual([]);
  });

  it('tells a change and steps its epoch in one commit, or neither', async () => {
    const principal = await addService();
    const look = async () => [
      await facts(),
      (await pool.query('SELECT epoch FROM identity_version')).rows,
      (await pool.query('SELECT disabled_at FROM principal')).rows,
    ];
    const before = await look();
    const killed = (name: string) =>
      name === 'identity.change.before_commit' ? Promise.reject(new Error('killed')) : Promise.resolve();
    installFailpoints({ pass: killed, isPlanted: () => false });
    await expect(admin.changePrincipal(principal, { isDisabled: true })).rejects.toThrow('killed');
    expect(await look()).toEqual(before);
    installFailpoints(null);
    await admin.changePrincipal(principal, { isDisabled: true });
    const { rows } = await pool.query<{ epoch: number }>('SELECT epoch::int FROM identity_version');
    expect((await facts()).at(-1)?.data.epoch).toBe(rows[0]?.epoch);
  });
});

describe('a person that is erased', () => {
  it('has no name any more and is disabled for good; its id stays, and so does what was told', async () => {
    const person = await addPerson();
    await addPerson();
    const before = await facts();
    await admin.erasePerson(person);
    const [erased] = (await admin.principals()).filter(({ id }) => id === person);
    expect(erased).toMatchObject({ name: null, kind: 'person', disabledAt: expect.any(Date) });
    const after = await facts();
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)?.data).toMatchObject({ principal: person, disabled: true, erased: true });
    await expect(admin.changePrincipal(person, { isDisabled: false })).rejects.toThrow(/stays disabled/);
    const { rows } = await pool.query(`SELECT p::text FROM principal p WHERE p::text LIKE '%Zoë%'`);
    expect(rows).toHaveLength(1);
  });

  it('was a person: a service keeps its name', async () => {
    const service = await addService();
    await expect(admin.erasePerson(service)).rejects.toThrow(`There is no person with the id ${service}.`);
    await expect(pool.query('UPDATE principal SET name = NULL')).rejects.toThrow(/only_the_disabled_are_erased/);
  });
});

describe('persons of one name', () => {
  it('are told apart by their ids', async () => {
    const ids = [await addPerson(), await addPerson()].sort();
    await expect(admin.changePrincipal(PLANTED, { isDisabled: true })).rejects.toThrow(
      `2 principals are called ${PLANTED}: name one by its id, ${ids.join(', ')}.`,
    );
    await admin.erasePerson(ids[0]!);
    expect(await admin.find(PLANTED)).toBe(ids[1]);
    await expect(addService({ name: 'twice' }).then(() => addService({ name: 'twice' }))).rejects.toThrow(
      'There is a service twice already.',
    );
  });
});

describe('facts replayed', () => {
  /** What a consumer knows that keeps the newest fact of each row. */
  async function replayed() {
    const rows = new Map<string, object>();
    const versions = new Map<string, number>();
    let last = 0;
    for (const { key, subject, data } of await facts()) {
      const { fromVersion, toVersion, epoch, ...state } = data;
      expect(validators.get(subject)?.check(data)).toEqual([]);
      expect([key, fromVersion, toVersion]).toEqual([key, versions.get(key) ?? 0, (versions.get(key) ?? 0) + 1]);
      versions.set(key, toVersion);
      expect(epoch).toBeGreaterThan(last);
      last = epoch;
      rows.set(`${subject} ${String(data['key'] ?? data['principal'] ?? data['role'])}`, state);
    }
    return rows;
  }

  async function inTables() {
    const rows = new Map<string, object>();
    for (const { id: principal, name, disabledAt, ...row } of await admin.principals())
      rows.set(`${PRINCIPAL_CHANGED} ${principal}`, {
        principal,
        ...row,
        disabled: disabledAt !== null,
        erased: name === null,
      });
    for (const { name: role, scopes } of await admin.roles()) rows.set(`${ROLE_CHANGED} ${role}`, { role, scopes });
    for (const { id: key, principal, scopes, nodes, channels, expiresAt, revokedAt } of await admin.keys()) {
      const state = { key, principal, scopes, nodes, channels, revoked: revokedAt !== null };
      rows.set(`${KEY_CHANGED} ${key}`, { ...state, expiresAt: expiresAt?.toISOString() ?? null });
    }
    return rows;
  }

  const scopes = fc.subarray(['stock:read', 'stock:write', 'all']);
  const limit = fc.option(fc.subarray(['n1', 'ä/"%']));
  const pick = fc.nat(7);
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), isPerson: fc.boolean(), scopes, nodes: limit }),
    fc.record({ do: fc.constant('change' as const), pick, scopes, nodes: limit, isDisabled: fc.boolean() }),
    fc.record({ do: fc.constant('role' as const), pick, scopes }),
    fc.record({ do: fc.constant('key' as const), pick, scopes: fc.option(scopes), channels: limit }),
    fc.record({ do: fc.constant('end' as const), pick, expiresAt: fc.option(fc.constant(new Date('2027-01-01'))) }),
    fc.record({ do: fc.constant('revoke' as const), pick }),
    fc.record({ do: fc.constant('erase' as const), pick }),
  );
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  async function take(one: Step, known: { principals: string[]; keys: string[] }): Promise<void> {
    const roles = ['clerk'];
    const of = (list: readonly string[]): string =>
      ('pick' in one ? list[one.pick % list.length] : undefined) ?? 'none';
    switch (one.do) {
      case 'add':
        return void known.principals.push(
          await addService({
            scopes: one.scopes,
            nodes: one.nodes,
            roles,
            ...(one.isPerson && { kind: 'person', name: PLANTED }),
          }),
        );
      case 'change':
        return admin.changePrincipal(of(known.principals), {
          scopes: one.scopes,
          nodes: one.nodes,
          isDisabled: one.isDisabled,
        });
      case 'role':
        return admin.putRole(one.pick % 2 ? 'clerk' : 'cook', one.scopes);
      case 'key':
        return void known.keys.push(await addKey(of(known.principals), { scopes: one.scopes, channels: one.channels }));
      case 'end':
        return admin.changeKey(of(known.keys), { expiresAt: one.expiresAt });
      case 'revoke':
        return admin.revokeKey(of(known.keys));
      case 'erase':
        return admin.erasePerson(of(known.principals));
    }
  }

  it('are what the tables hold, whoever changes what at the same time, and name no person', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), async (rounds) => {
        await pool.query(
          'DELETE FROM principal_role; DELETE FROM api_key; DELETE FROM role; DELETE FROM principal; DELETE FROM aggregate; DELETE FROM outbox',
        );
        await admin.putRole('clerk', []);
        const known = { principals: [await addPerson()], keys: [] as string[] };
        for (const round of rounds) {
          const outcomes = await Promise.allSettled(round.map((one) => take(one, known)));
          for (const outcome of outcomes)
            if (outcome.status === 'rejected') expect(outcome.reason).toHaveProperty('name', 'OperatorError');
        }
        expect(await replayed()).toEqual(await inTables());
        const { rows } = await pool.query(
          'SELECT o::text AS row FROM outbox o UNION ALL SELECT a::text FROM aggregate a',
        );
        expect(rows.filter(({ row }) => /Zoë|Planted|service-/.test(row))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
