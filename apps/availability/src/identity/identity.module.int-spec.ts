/** The identity of a replica that does not come to start, and what its keys were used for. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { createApp } from '@onepool/platform-app';
import { connectNats } from '@onepool/platform-messaging';
import { IDENTITY_SUBJECTS } from '@onepool/contracts';
import { NatsIdentity, sha256OfApiKey } from '@onepool/platform-auth';
import { TcpProxy, type TestNats, startTestNats } from '@onepool/testing-servers';
import { AVAILABILITY_APP } from '../availability-app.ts';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { IdentityModule } from './identity.module.ts';

let nats: TestNats;
let app: AppFixture;
beforeAll(async () => {
  nats = await startTestNats();
  app = await createAppFixture({ nats });
});
afterAll(() => app.close());

describe('a start that fails', () => {
  const INSTANCE = 'left-over';
  let proxy: TcpProxy;
  beforeEach(async () => {
    proxy = await TcpProxy.to(nats.port);
  });
  afterEach(() => proxy.close());

  @Module({})
  class FailingModule {
    static when(moment: 'made' | 'begun'): DynamicModule {
      class Failing implements OnApplicationBootstrap {
        constructor() {
          if (moment === 'made') throw new Error('it cannot be made');
        }
        onApplicationBootstrap(): void {
          throw new Error('it cannot begin');
        }
      }
      return { module: FailingModule, providers: [Failing] };
    }
  }

  it.each([
    ['while it is put together', 'made'],
    ['when all of it has begun', 'begun'],
  ] as const)('%s leaves no connection behind', async (_when, moment) => {
    const modules = [IdentityModule, FailingModule.when(moment)];
    const config = { ...app.config, ONEPOOL_INSTANCE: INSTANCE, NATS_URL: proxy.url(nats.url) };
    const operations = {} as typeof AVAILABILITY_APP.contract.operations;
    const contract = { ...AVAILABILITY_APP.contract, operations };
    const starting = createApp({ ...AVAILABILITY_APP, contract, modules }, config, app.logger);
    await expect(starting).rejects.toThrow(/it cannot/);
    const left = async () => {
      const sql = `SELECT count(*)::int AS left FROM pg_stat_activity WHERE application_name LIKE '${INSTANCE}%'`;
      const { rows } = await app.pool.query<{ left: number }>(sql);
      return (rows[0]?.left ?? 0) + proxy.connections;
    };
    // What had begun would have connected by the time at which another replica has looked several times.
    const beats = app.caller.subscribe(IDENTITY_SUBJECTS.beat, { max: 4 });
    for await (const _beat of beats);
    await eventually(async () => ((await left()) === 0 ? true : undefined));
  });
});

describe('a key with which another app is called', () => {
  it('was used', async () => {
    const other = await createAppFixture();
    const key = await other.makeKey('elsewhere', ['stock:read']);
    const connection = await connectNats({ url: other.config.NATS_URL ?? '', name: 'another' });
    const asking = new NatsIdentity({ connection, subjects: IDENTITY_SUBJECTS });
    expect((await asking.ask({ sha256: sha256OfApiKey(key) })).found).not.toBeNull();
    await connection.close();
    await other.availability.close();
    const used = (await other.identity.keys()).find(({ name }) => name === 'elsewhere');
    expect(used?.lastUsedOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    await other.closeServers();
  });
});
