/** What another app hears of the identity, by the typed client and over the running app's relay. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Fact, consumeFacts } from '@onepool/client';
import { AVAILABILITY, type KeyChanged, type PrincipalChanged } from '@onepool/contracts';
import { createApiKey } from '@onepool/platform-auth';
import type { RunningConsumer } from '@onepool/platform-messaging';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

let app: AppFixture;
let consumer: RunningConsumer;
const heard: (Fact<PrincipalChanged> | Fact<KeyChanged>)[] = [];
let hear: () => void = () => undefined;

beforeAll(async () => {
  app = await createAppFixture();
  const take = async (fact: (typeof heard)[number]): Promise<void> => {
    heard.push(fact);
    hear();
  };
  consumer = consumeFacts(AVAILABILITY, {
    connection: app.caller,
    durable: 'elsewhere',
    on: { principalChanged: take, keyChanged: take },
  });
});
afterAll(async () => {
  await consumer.stop();
  await app.close();
});

/** The facts of a principal, once the last of them says what it should. */
async function heardOf(principal: string, isLast: (data: object) => boolean) {
  for (;;) {
    const facts = heard.filter(({ key }) => key === `principal/${principal}`);
    if (facts.some(({ data }) => isLast(data))) return facts;
    await new Promise<void>((resolve) => (hear = resolve));
  }
}

it('another app hears in order of a principal, of its key, and that the key was revoked', async () => {
  const rest = { scopes: ['stock:read'], roles: [], nodes: null, channels: null };
  const principal = await app.identity.addPrincipal({ name: 'listener', kind: 'service', ...rest });
  const { sha256 } = createApiKey();
  const key = { scopes: null, nodes: null, channels: null, expiresAt: null };
  const id = await app.identity.addKey(principal, { sha256, ...key });
  await app.identity.revokeKey(id);
  const facts = await heardOf(principal, (data) => 'revoked' in data && data.revoked === true);
  const told = { principal, scopes: null, nodes: null, channels: null, expiresAt: null, epoch: expect.any(Number) };
  expect(facts.map(({ source, data }) => [source, data])).toMatchObject([
    ['/onepool/identity', { principal, kind: 'service', disabled: false, fromVersion: 0, toVersion: 1 }],
    ['/onepool/identity', { ...told, key: id, revoked: false, fromVersion: 1, toVersion: 2 }],
    ['/onepool/identity', { ...told, key: id, revoked: true, fromVersion: 2, toVersion: 3 }],
  ]);
  expect(JSON.stringify(facts)).not.toMatch(new RegExp(`listener|${sha256.slice(0, 12)}`));
});
