/** Who may see, approve and reject a count that waits. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feed } from '@onepool/contracts';
import { createApiKey } from '@onepool/platform-auth';
import { type AppFixture, type Call, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { problemOf } from '../testing/answer.ts';
import { putNetwork, receive } from '../testing/network.ts';

interface Somebody {
  readonly id: string;
  readonly key: string;
}

const APPROVER = ['all', 'feeds:approve'];
let app: AppFixture;
let erp: Somebody;
let console_: Somebody;
let ada: Somebody;
let grace: Somebody;
let storeManager: Somebody;

async function principal(
  name: string,
  kind: 'person' | 'service',
  scopes: readonly string[],
  nodes: string[] | null = null,
) {
  const limits = { nodes, channels: null };
  const id = await app.identity.addPrincipal({ name, kind, scopes, roles: [], ...limits });
  const { key, sha256 } = createApiKey();
  await app.identity.addKey(id, { sha256, scopes, expiresAt: null, ...limits });
  return { id, key };
}

beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a', 'b']);
  erp = await principal('erp', 'service', ['all', 'people:act']);
  console_ = await principal('console', 'service', [...APPROVER, 'people:act']);
  ada = await principal('Ada', 'person', APPROVER);
  grace = await principal('Grace', 'person', APPROVER);
  storeManager = await principal('Joan', 'person', APPROVER, ['store-1']);
});
afterAll(() => app.close());

let feeds = 0;
let id: string;
const by = ({ key }: Somebody, person?: Somebody): Call => ({
  key,
  ...(person ? { headers: { 'onepool-person': person.id } } : {}),
});
const read = async (call: Call): Promise<Feed> => (await app.http('getFeed', { params: { id }, ...call })).body as Feed;

/** A count of the ERP, which it was told by `person` if anybody, that would zero the one row that it does not name. */
async function waits(person?: Somebody): Promise<void> {
  const query = {
    ...{ id, source: id, mode: 'reset', measure: 'physical', completeness: 'full', node: 'wh-1', maxZeroedPercent: 0 },
    capturedAt: new Date().toISOString(),
  };
  const { headers, ...call } = by(erp, person);
  const body = '{"sku":"b","quantity":1}\n';
  const sent = { query, body, headers: { 'content-type': 'application/x-ndjson', ...headers }, ...call };
  expect((await app.http('sendFeed', sent)).status).toBe(202);
  await eventually(async () => ((await read(by(erp))).state === 'waiting' ? true : undefined));
}
beforeEach(async () => {
  id = `count-${(feeds += 1)}`;
  await receive(app, 'a', { 'wh-1': 5 });
});
const decide = (operation: 'approveFeed' | 'rejectFeed', call: Call) =>
  app.http(operation, { params: { id }, query: { owner: erp.id }, ...call });

describe('a count that waits', () => {
  it('is found and approved by a person that did not send it, once, and that is kept with it', async () => {
    await waits(ada);
    const { body } = await app.http('listFeeds', { query: { state: 'waiting', limit: '1000' }, ...by(grace) });
    const found = (body as { items: Feed[] }).items.find((feed) => feed.id === id);
    expect(found).toMatchObject({
      owner: erp.id,
      state: 'waiting',
      waitsFor: ['zeroes_many'],
      outlook: { wouldZero: 1 },
    });
    const decision = { verdict: 'approved', by: console_.id, person: grace.id };
    expect(await decide('approveFeed', by(console_, grace))).toMatchObject({ status: 200, body: { decision } });
    expect(await decide('approveFeed', by(grace))).toMatchObject({ status: 200, body: { decision } });
    await eventually(async () => ((await read(by(erp))).state === 'done' ? true : undefined));
    expect(problemOf(await decide('rejectFeed', by(grace)))).toMatchObject({ status: 409, code: 'feed.not_waiting' });
  });

  it.each<[string, () => Call, number, string]>([
    ['whoever had it sent', () => by(ada), 403, 'approval.same_person'],
    ['whoever had it sent, by a console', () => by(console_, ada), 403, 'approval.same_person'],
    ['a service on nobody’s behalf', () => by(console_), 403, 'auth.forbidden'],
    ['a service without the scope', () => by(erp, grace), 403, 'auth.forbidden'],
    ['a person of another node', () => by(storeManager), 404, 'feed.unknown'],
  ])('is not approved by %s', async (_who, call, status, code) => {
    await waits(ada);
    expect(problemOf(await decide('approveFeed', call()))).toMatchObject({ status, code });
    expect(await read(by(erp))).toMatchObject({ state: 'waiting', decision: null });
  });

  it('may be rejected by whoever had it sent', async () => {
    await waits(ada);
    expect(await decide('rejectFeed', by(ada))).toMatchObject({ status: 200, body: { state: 'rejected' } });
  });

  it('of another is read, with its refusals, by those who may approve it, and by nobody else', async () => {
    await waits();
    const others = { query: { owner: erp.id } };
    expect(await read({ ...by(grace), ...others })).toMatchObject({ id, owner: erp.id });
    const refusals = await app.http('listFeedRefusals', { params: { id }, ...others, ...by(grace) });
    expect(refusals).toMatchObject({ status: 200, body: { items: [] } });
    for (const key of [app.key, storeManager.key, console_.key]) {
      for (const operation of ['getFeed', 'listFeedRefusals'] as const) {
        const answer = await app.http(operation, { params: { id }, ...others, key });
        expect(problemOf(answer)).toMatchObject({ status: 404, code: 'feed.unknown' });
      }
      const { body } = await app.http('listFeeds', { query: { state: 'waiting' }, key });
      expect(body).toMatchObject({ items: [] });
    }
  });
});
