/** The person who calls, or on whose behalf a service does, is kept with what was done and told with it: by id alone. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '@onepool/platform-auth';
import { type Answer, type AppFixture, type Call, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { problemOf } from '../testing/answer.ts';
import { putNetwork, receive } from '../testing/network.ts';

const NAMES = ['Ada Lovelace', 'Grace Hopper'] as const;
const edges = [['http'], ['rpc']] as const;

let app: AppFixture;
/** A service that people use, with its key, and two persons. */
let desk: { readonly id: string; readonly key: string };
let ada: { readonly id: string; readonly key: string };
let grace: { readonly id: string; readonly key: string };

async function principal(name: string, kind: 'person' | 'service', scopes: readonly string[]) {
  const open = { nodes: null, channels: null };
  const id = await app.identity.addPrincipal({ name, kind, scopes, roles: [], ...open });
  const { key, sha256 } = createApiKey();
  await app.identity.addKey(id, { sha256, scopes, expiresAt: null, ...open });
  return { id, key };
}

beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a']);
  await receive(app, 'a', { 'wh-1': 1_000 });
  desk = await principal('desk', 'service', ['all', 'people:act']);
  ada = await principal(NAMES[0], 'person', ['all']);
  grace = await principal(NAMES[1], 'person', ['all']);
});
afterAll(() => app.close());

const withPerson = ({ id }: { readonly id: string }): Call => ({
  key: desk.key,
  headers: { 'onepool-person': id },
});
const holdBody = (id: string, more: object = {}) => ({
  id,
  channel: 'web',
  lines: [{ sku: 'a', quantity: 1 }],
  ...more,
});
const done = (answer: Answer): unknown => {
  expect([Math.floor(answer.status / 100), answer.body]).toEqual([2, answer.body]);
  return answer.body;
};

const personOfHold = (id: string) => app.pool.query('SELECT person FROM reservation WHERE id = $1', [id]).then(onlyRow);
const personOfCommand = (actor: string, id: string) =>
  app.pool.query('SELECT person FROM command WHERE actor = $1 AND id = $2', [actor, id]).then(onlyRow);
const onlyRow = ({ rows }: { readonly rows: unknown[] }): unknown => {
  expect(rows).toHaveLength(1);
  return (rows[0] as { person: unknown }).person;
};
/** Who is named by the facts of a reservation, in their order. */
async function told(id: string): Promise<unknown[]> {
  const { rows } = await app.pool.query<{ fact: string; actor: string; person?: string }>(
    `SELECT data->>'fact' AS fact, data->>'actor' AS actor, data->>'person' AS person
       FROM outbox WHERE data->>'reservation' = $1 ORDER BY id`,
    [id],
  );
  return rows;
}

describe.each(edges)('what a service does on behalf of a person, over %s', (edge) => {
  it('is kept with that person: the hold, each command, and the movements of another system', async () => {
    const id = `r-${edge}`;
    done(await app[edge]('hold', { body: holdBody(id), ...withPerson(ada) }));
    done(await app[edge]('confirm', { params: { id }, body: { commandId: `c-${id}` }, ...withPerson(grace) }));
    const movements = [{ type: 'receipt', sku: 'a', node: 'wh-1', quantity: 1 }];
    done(await app[edge]('recordMovements', { body: { id: `m-${id}`, source: 'wms', movements }, ...withPerson(ada) }));
    expect([
      await personOfHold(id),
      await personOfCommand(desk.id, `c-${id}`),
      await personOfCommand(desk.id, `m-${id}`),
    ]).toEqual([ada.id, grace.id, ada.id]);
  });

  it('is told with that person, and without one where nobody in particular did it', async () => {
    const id = `f-${edge}`;
    done(await app[edge]('hold', { body: holdBody(id), key: desk.key }));
    done(await app[edge]('confirm', { params: { id }, body: { commandId: `c-${id}` }, ...withPerson(ada) }));
    done(await app[edge]('cancel', { params: { id }, body: { commandId: `x-${id}` }, key: desk.key }));
    expect(await told(id)).toEqual([
      { fact: 'confirmed', actor: desk.id, person: ada.id },
      { fact: 'cancelled', actor: desk.id, person: null },
    ]);
    expect([await personOfHold(id), await personOfCommand(desk.id, `x-${id}`)]).toEqual([null, null]);
  });

  it('stays the service’s own to repeat: for another person it is the same command, and keeps the first', async () => {
    const id = `i-${edge}`;
    const first = done(await app[edge]('hold', { body: holdBody(id), ...withPerson(ada) }));
    expect(done(await app[edge]('hold', { body: holdBody(id), ...withPerson(grace) }))).toEqual(first);
    expect(done(await app[edge]('hold', { body: holdBody(id), key: desk.key }))).toEqual(first);
    const confirm = { params: { id }, body: { commandId: `c-${id}` } };
    const confirmed = done(await app[edge]('confirm', { ...confirm, ...withPerson(ada) }));
    expect(done(await app[edge]('confirm', { ...confirm, ...withPerson(grace) }))).toEqual(confirmed);
    expect([await personOfHold(id), await personOfCommand(desk.id, `c-${id}`)]).toEqual([ada.id, ada.id]);
    expect(await told(id)).toEqual([{ fact: 'confirmed', actor: desk.id, person: ada.id }]);
  });

  it('is named in the log beside the service', async () => {
    const id = `l-${edge}`;
    done(await app[edge]('hold', { body: holdBody(id), ...withPerson(grace) }));
    const what = edge === 'http' ? { msg: 'request', route: '/v1/reservations' } : { msg: 'message', status: 'ok' };
    const line = await eventually(() =>
      app.log
        .map((text) => JSON.parse(text) as Record<string, unknown>)
        .find((said) => Object.entries({ ...what, person: grace.id }).every(([name, value]) => said[name] === value)),
    );
    expect(line).toMatchObject({ caller: desk.id });
  });

  it('is refused, and kept nowhere, where nobody is called so or the service may not act for people', async () => {
    const id = `n-${edge}`;
    const unknown = await app[edge]('hold', { body: holdBody(id), ...withPerson({ id: 'prn_aaaaaaaaaaaa' }) });
    const foreign = await app[edge]('hold', {
      body: holdBody(id),
      key: app.key,
      headers: { 'onepool-person': ada.id },
    });
    for (const answer of [unknown, foreign]) expect(problemOf(answer)).toMatchObject({ status: 403 });
    expect((await app.pool.query('SELECT FROM reservation WHERE id = $1', [id])).rowCount).toBe(0);
  });
});

describe('what a person does', () => {
  it('is kept and told with the person, who is the actor, too', async () => {
    done(await app.http('hold', { body: holdBody('own'), key: ada.key }));
    done(await app.rpc('confirm', { params: { id: 'own' }, body: { commandId: 'c-own' }, key: ada.key }));
    expect([await personOfHold('own'), await personOfCommand(ada.id, 'c-own')]).toEqual([ada.id, ada.id]);
    expect(await told('own')).toEqual([{ fact: 'confirmed', actor: ada.id, person: ada.id }]);
  });

  it('ends with the hold by itself in no person’s name', async () => {
    done(await app.http('hold', { body: holdBody('brief', { expiresInSeconds: 1 }), ...withPerson(ada) }));
    const facts = await eventually(async () => {
      const found = await told('brief');
      return found.length > 0 ? found : undefined;
    });
    expect(facts).toEqual([{ fact: 'expired', actor: 'onepool', person: null }]);
  });
});

describe('a feed that a service sends on behalf of a person', () => {
  const send = (id: string, call: Call): Promise<Answer> => {
    const capturedAt = new Date().toISOString();
    const query = { id, source: 'erp', mode: 'reset', measure: 'physical', capturedAt };
    const type = { 'content-type': 'application/x-ndjson' };
    const body = `${JSON.stringify({ sku: 'a', node: 'wh-2', quantity: 3 })}\n`;
    return app.http('sendFeed', { ...call, query, body, headers: { ...type, ...call.headers } });
  };

  it('is kept with that person', async () => {
    done(await send('counted', withPerson(ada)));
    done(await send('counted-by-nobody', { key: desk.key }));
    const { rows } = await app.pool.query('SELECT id, actor, person FROM feed ORDER BY id');
    expect(rows).toEqual([
      { id: 'counted', actor: desk.id, person: ada.id },
      { id: 'counted-by-nobody', actor: desk.id, person: null },
    ]);
  });
});

it('no fact and no line of the log says what a person is called', async () => {
  const { rows } = await app.pool.query<{ text: string }>(`SELECT data::text AS text FROM outbox`);
  const written = [...rows.map(({ text }) => text), ...app.log].join('\n');
  expect(NAMES.filter((name) => written.includes(name))).toEqual([]);
});
