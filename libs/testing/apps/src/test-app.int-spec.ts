import { describe, expect, it } from '@jest/globals';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import { TestApp, makeApiKey, migrateApps } from './test-app.ts';

describe('a whole app', () => {
  it('is migrated, started from its sources, killed and started again, and answers with a key that was made for it', async () => {
    const [database, nats] = await Promise.all([createTestDatabase(), createTestNatsAccount()]);
    try {
      await migrateApps(['availability'], database);
      const key = await makeApiKey(database, { service: 'shop', scopes: ['catalog:read', 'catalog:write'] });
      const start = () => TestApp.start({ app: 'availability', databaseUrl: database.url, natsUrl: nats.url });
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const first = await start();
      const body = JSON.stringify({ skus: [{ sku: 'mug' }] });
      expect((await fetch(`${first.url}/v1/skus`, { method: 'PUT', headers, body })).status).toBe(200);
      await first.end('SIGKILL');
      const second = await start();
      expect(await (await fetch(`${second.url}/v1/skus`, { headers })).json()).toMatchObject({
        items: [{ sku: 'mug' }],
      });
      await second.end();
    } finally {
      await Promise.all([database.drop(), nats.stop()]);
    }
  });

  it('that does not come up says why', async () => {
    const start = TestApp.start({ app: 'availability', databaseUrl: '', natsUrl: '' });
    await expect(start).rejects.toThrow(/^availability ended before it was ready:[^]*DATABASE_URL/);
  });
});
