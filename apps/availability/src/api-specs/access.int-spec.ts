import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AVAILABILITY_OPERATIONS, AVAILABILITY_SCOPES, type LedgerEntry } from '@onepool/contracts';
import { type Scope, createApiKey, sha256OfApiKey } from '@onepool/platform-auth';
import { operationOf, problemOf } from '../testing/answer.ts';
import { keyOfPerson } from '../testing/key-of-person.ts';
import { type AppFixture, type OperationId, createAppFixture, subjects } from '../testing/app-fixture.ts';

let app: AppFixture;
let expired: string;
let revoked: string;
beforeAll(async () => {
  app = await createAppFixture();
  expired = await app.makeKey('gone', ['all'], { expiresAt: new Date(Date.now() - 1_000) });
  revoked = await app.makeKey('revoked', ['all']);
  const keys = await app.identity.keys();
  await app.identity.revokeKey(keys.find(({ name }) => name === 'revoked')!.id);
});
afterAll(() => app.close());

const everyHttp = (Object.keys(AVAILABILITY_OPERATIONS) as OperationId[]).map((id) => [id, 'http'] as const);
const every = [...everyHttp, ...subjects.map(([id]) => [id, 'rpc'] as const)];
const params = { sku: 'x', id: 'x' };

describe('every operation, over HTTP and NATS', () => {
  it.each(every)(
    '%s over %s refuses callers whose key is missing, wrong, expired, revoked or too narrow',
    async (id, edge) => {
      const { scope } = operationOf(id);
      const others = Object.keys(AVAILABILITY_SCOPES).filter((other) => other !== scope);
      const narrow = await app.makeKey('narrow', others);
      const codeFor = async (key: string | null): Promise<unknown> => {
        const { status, code } = problemOf(await app[edge](id, { params, key }));
        return { status, code };
      };
      expect(await codeFor(null)).toEqual({ status: 401, code: 'auth.missing' });
      expect(await codeFor('opk_not-one-of-ours-at-all')).toEqual({ status: 401, code: 'auth.invalid' });
      expect(await codeFor('letmein')).toEqual({ status: 401, code: 'auth.invalid' });
      expect(await codeFor(createApiKey().key)).toEqual({ status: 401, code: 'auth.invalid' });
      expect(await codeFor(expired)).toEqual({ status: 401, code: 'auth.expired' });
      expect(await codeFor(revoked)).toEqual({ status: 401, code: 'auth.invalid' });
      expect(await codeFor(narrow)).toEqual({ status: 403, code: 'auth.forbidden' });
    },
  );

  it.each(every)('%s over %s lets in a key with just its scope', async (id, edge) => {
    const { scope } = operationOf(id);
    const isHuman = 'human' in AVAILABILITY_SCOPES[scope as keyof typeof AVAILABILITY_SCOPES];
    const exact = isHuman ? await keyOfPerson(app, [scope]) : await app.makeKey('exact', [scope]);
    const { status } = await app[edge](id, { params, key: exact });
    expect([401, 403, 500]).not.toContain(status);
  });
});

describe('a key', () => {
  it('is stored as its hash only, and a refusal says how to come back with one', async () => {
    const { rows } = await app.pool.query<{ found: number }>(
      `SELECT count(*) AS found FROM identity.api_key WHERE encode(key_sha256, 'hex') = $1`,
      [sha256OfApiKey(app.key)],
    );
    expect(rows).toEqual([{ found: 1 }]);
    const refused = await app.fetch('GET', '/v1/skus', { key: null });
    expect(refused.headers).toMatchObject({ 'www-authenticate': expect.stringMatching(/^Bearer /) });
  });

  it('shows who moved units only with the scope stock:audit, and all else of the ledger without it', async () => {
    await app.http('putSkus', { body: { skus: [{ sku: 'audited' }] } });
    await app.http('putNodes', { body: { nodes: [{ node: 'n', type: 'store' }] } });
    await app.http('putChannels', { body: { channels: [{ channel: 'web', type: 'web', nodes: 'all' }] } });
    const received = { type: 'receipt', sku: 'audited', node: 'n', quantity: 2, sourceEventId: 'asn-7' };
    await app.http('recordMovements', { body: { id: 'audited', source: 'wms', movements: [received] } });
    const hold = { id: 'audited', channel: 'web', lines: [{ sku: 'audited', quantity: 1 }] };
    expect((await app.http('hold', { body: hold })).status).toBe(201);
    await app.http('confirm', { params: { id: 'audited' }, body: { commandId: 'paid' } });

    const read = async (...scopes: Scope[]): Promise<LedgerEntry[]> => {
      const key = await app.makeKey('reader', scopes);
      const { body } = await app.http('listLedger', { params: { sku: 'audited' }, key });
      return (body as { items: LedgerEntry[] }).items;
    };
    const audited = await read('stock:read', 'stock:audit');
    expect(audited.map(({ reason, source, sourceEventId }) => [reason, source, sourceEventId])).toEqual([
      ['receipt', 'wms', 'asn-7'],
      ['hold', app.principal, 'audited'],
      ['confirm', app.principal, 'paid'],
    ]);
    const plain = await read('stock:read', 'stock:write', 'reservations:read', 'catalog:write', 'events:read');
    expect(plain).toEqual(audited.map(({ source: _source, sourceEventId: _event, ...rest }) => rest));
    expect(plain).toHaveLength(3);
  });

  it('opens nothing that is its neighbour’s: reservations and idempotency keys are each client’s own', async () => {
    const neighbour = await app.makeKey('neighbour', ['all']);
    await app.http('putSkus', { body: { skus: [{ sku: 'shared' }] } });
    await app.http('putNodes', { body: { nodes: [{ node: 'n', type: 'store' }] } });
    await app.http('putChannels', { body: { channels: [{ channel: 'web', type: 'web', nodes: 'all' }] } });
    const body = { id: 'mine', source: 'wms', movements: [{ type: 'receipt', sku: 'shared', node: 'n', quantity: 2 }] };
    await app.http('recordMovements', { body });
    const hold = { id: 'mine', channel: 'web', lines: [{ sku: 'shared', quantity: 1 }] };
    expect((await app.http('hold', { body: hold })).status).toBe(201);
    expect(problemOf(await app.http('getReservation', { params: { id: 'mine' }, key: neighbour }))).toMatchObject({
      code: 'reservation.unknown',
    });
    const release = { params: { id: 'mine' }, body: { commandId: 'c' } };
    const own = { ...hold, lines: [{ sku: 'shared', quantity: 1 }], channel: 'web', expiresInSeconds: 60 };
    expect((await app.http('hold', { body: own, key: neighbour })).status).toBe(201);
    // What a neighbour undoes is its own, and what it undoes before it is made is nobody else's either.
    expect((await app.http('release', { ...release, key: neighbour })).status).toBe(200);
    const third = await app.makeKey('third', ['all']);
    const undone = (await app.http('release', { ...release, key: third })).body;
    expect(undone).toMatchObject({ code: 'reservation.unknown', undone: true });
    expect((await app.http('getReservation', { params: { id: 'mine' } })).body).toMatchObject({ status: 'held' });
  });
});
