import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { type NatsConnection, errors } from '@nats-io/transport-node';
import {
  AVAILABILITY,
  GUEST_DOMAIN,
  IDENTITY_SUBJECTS,
  SKU_CHANGED,
  STOCK_FACTS,
  STOCK_STREAM,
} from '@onepool/contracts';
import { freePort, natsUrlFor, startNats } from '@onepool/platform-local-servers';
import type { LocalServer } from '@onepool/platform-local-servers';
import { connectNats, ensureDurable, ensureStream, messagingTables, runConsumer } from '@onepool/platform-messaging';
import { partitionTables, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type { TestDatabase } from '@onepool/testing-servers';
import pg from 'pg';
import { type DurableKeeper, keepDurables, provisionDurables } from './durables.ts';
import { addNatsGuest, ensureNatsUsers, removeNatsGuest } from './nats-users.ts';
import { type AppOnNats, natsAccounts } from './permissions.ts';

const HOLD = 'onepool.rpc.stock.reservation.hold.v1';
const PUT_SKUS = 'onepool.rpc.catalog.sku.put.v1';
const ATP = 'onepool.rpc.stock.atp.get.v1';
const APPS: readonly AppOnNats[] = [
  AVAILABILITY,
  {
    name: 'brokering',
    modules: [{ scope: 'orders', facts: STOCK_FACTS }],
    consumes: [{ durable: 'brokering-stock', stream: STOCK_STREAM.name, filterSubject: 'onepool.stock.>' }],
  },
];

let home: string;
let server: LocalServer;
let port: number;
const opened: NatsConnection[] = [];
const users = () => {
  const file = join(home, 'nats-users.json');
  const known = ensureNatsUsers(file);
  // The second app is this spec's own.
  return [...known, { name: 'brokering', kind: 'app' as const, password: 'b', createdAt: '' }];
};
const start = () => startNats({ home, port, accounts: natsAccounts(users(), APPS) });

async function connectAs(name: string, inboxPrefix?: string): Promise<NatsConnection> {
  const user = users().find((one) => one.name === name)!;
  const url = natsUrlFor(server.url, user);
  const connection = await connectNats({ url, name, inboxPrefix, giveUpAfterMs: 60_000 });
  opened.push(connection);
  return connection;
}

/** `allowed`, or `denied` when the server says that the user lacks the permission. */
async function outcomeOf(connection: NatsConnection, act: () => void): Promise<'allowed' | 'denied'> {
  const statuses = connection.status();
  act();
  let outcome: 'allowed' | 'denied' = 'allowed';
  const listen = (async () => {
    for await (const status of statuses) {
      if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
      outcome = 'denied';
      return;
    }
  })();
  // The server answers in order: a refusal is here before the pong.
  await connection.flush();
  await Promise.race([listen, connection.flush()]);
  return outcome;
}
const publishing = (connection: NatsConnection, subject: string, reply?: string) =>
  outcomeOf(connection, () => connection.publish(subject, '{}', reply === undefined ? {} : { reply }));
const subscribing = (connection: NatsConnection, subject: string, queue?: string) =>
  outcomeOf(connection, () => {
    connection.subscribe(subject, { callback: () => undefined, ...(queue === undefined ? {} : { queue }) });
  });

let operator: NatsConnection;
let manager: JetStreamManager;
let keeper: DurableKeeper;
const count = async (): Promise<number> => (await manager.streams.info(STOCK_STREAM.name)).state.messages;

async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = await read().catch((error: unknown) => error as T);
    if (holds(value)) return;
    if (Date.now() > deadline) throw new Error(`never held; last seen: ${String(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'onepool-doors-'));
  port = await freePort();
  const file = join(home, 'nats-users.json');
  addNatsGuest(file, { name: 'reports', consumes: STOCK_STREAM.subjects[0] });
  addNatsGuest(file, { name: 'partner', consumes: SKU_CHANGED, calls: true });
  server = await start();
  operator = await connectAs('operator');
  manager = await jetstream(operator).jetstreamManager(false);
  await ensureStream(manager, STOCK_STREAM);
  keeper = await keepDurables(server.url, users, () => undefined);
  await jetstream(operator).publish(SKU_CHANGED, '{"n":1}');
});

afterAll(async () => {
  await keeper.stop();
  await Promise.all(opened.map((connection) => connection.close()));
  await server.stop();
  rmSync(home, { recursive: true });
});

describe('passwords', () => {
  it('are made once, kept for their owner alone, and in nobody’s way over a restart', async () => {
    const file = join(home, 'nats-users.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = users();
    expect(new Set(before.map(({ password }) => password)).size).toBe(before.length);
    expect(users()).toEqual(before);
    expect(await start()).toMatchObject({ adopted: true, pid: server.pid });
  });

  it('refuses to add a user twice, with a strange name or to read what are no facts, and to remove its own', () => {
    const file = join(home, 'nats-users.json');
    expect(() => addNatsGuest(file, { name: 'reports', calls: true })).toThrow(/already/);
    expect(() => addNatsGuest(file, { name: 'operator', calls: true })).toThrow(/already/);
    expect(() => addNatsGuest(file, { name: 'a.b', calls: true })).toThrow(/no name/);
    for (const consumes of [
      '>',
      '*.stock.>',
      'onepool.>',
      'onepool.stock',
      'weather.>',
      'onepool.stock.>.x',
      'onepool.stock..x',
      '',
    ]) {
      expect(() => addNatsGuest(file, { name: 'astray', consumes })).toThrow(/no subject of facts/);
    }
    expect(() => removeNatsGuest(file, 'availability')).toThrow(/own users/);
    expect(() => removeNatsGuest(file, 'nobody')).toThrow(/no user/);
  });
});

describe('an app', () => {
  let app: NatsConnection;
  beforeAll(async () => {
    app = await connectAs('availability');
  });

  it('answers the requests of each module in the queue of that module, and listens to nothing else', async () => {
    app.subscribe(HOLD, { queue: 'stock', callback: (_error, message) => void message.respond('answer') });
    await app.flush();
    expect((await operator.request(HOLD, '', { timeout: 60_000 })).string()).toBe('answer');
    expect(await subscribing(app, HOLD)).toBe('denied');
    expect(await subscribing(app, HOLD, 'availability')).toBe('denied');
    expect([await subscribing(app, HOLD, 'catalog'), await subscribing(app, PUT_SKUS, 'stock')]).toEqual([
      'denied',
      'denied',
    ]);
    expect(await subscribing(app, PUT_SKUS, 'catalog')).toBe('allowed');
    expect(await subscribing(app, 'onepool.rpc.orders.x', 'orders')).toBe('denied');
    expect(await subscribing(app, 'onepool.rpc.>', 'stock')).toBe('denied');
    expect(await subscribing(app, '_INBOX.>')).toBe('denied');
    expect(await subscribing(app, '_INBOX.operator.>')).toBe('denied');
  });

  it('asks what only apps may ask, answers what is its own of it, and hears what apps tell each other', async () => {
    const { verify, beat } = IDENTITY_SUBJECTS;
    const brokering = await connectAs('brokering');
    app.subscribe(verify, { queue: 'identity', callback: (_error, message) => void message.respond('who') });
    await app.flush();
    expect((await brokering.request(verify, '', { timeout: 60_000 })).string()).toBe('who');
    expect(await subscribing(brokering, verify, 'identity')).toBe('denied');
    expect(await subscribing(app, verify, 'availability')).toBe('denied');
    expect([await publishing(app, beat), await subscribing(brokering, beat)]).toEqual(['allowed', 'allowed']);
    expect(await publishing(brokering, beat)).toBe('denied');
  });

  it('keeps that from guests, callers among them', async () => {
    const partner = await connectAs('partner');
    const { verify, beat } = IDENTITY_SUBJECTS;
    expect(await publishing(partner, verify, '_INBOX.partner.1')).toBe('denied');
    expect(await subscribing(partner, verify)).toBe('denied');
    expect(await subscribing(partner, beat)).toBe('denied');
  });

  it('publishes its own facts, and no other app’s', async () => {
    expect(await publishing(app, SKU_CHANGED)).toBe('allowed');
    expect(await publishing(app, 'onepool.orders.order.placed.v1')).toBe('denied');
    expect(await publishing(app, 'onepool.dead.brokering-stock')).toBe('denied');
  });

  it('makes its stream and looks at it, but cannot empty it, delete it or read it by a consumer', async () => {
    const own = await jetstream(app).jetstreamManager(false);
    await ensureStream(own, STOCK_STREAM);
    expect((await own.streams.getMessage(STOCK_STREAM.name, { seq: 1 }))?.seq).toBe(1);
    const before = await count();
    for (const call of [
      'STREAM.PURGE',
      'STREAM.UPDATE',
      'STREAM.DELETE',
      'STREAM.MSG.DELETE',
      'CONSUMER.CREATE',
      'STREAM.SNAPSHOT',
    ]) {
      expect(`${call} ${await publishing(app, `$JS.API.${call}.${STOCK_STREAM.name}`)}`).toBe(`${call} denied`);
    }
    // Making it anew with narrower limits is no way round.
    await expect(
      own.streams.add({ name: STOCK_STREAM.name, subjects: [...STOCK_STREAM.subjects], max_msgs: 1 }),
    ).rejects.toThrow(/already in use/);
    expect(await publishing(app, '$JS.API.STREAM.CREATE.ONEPOOL_ORDERS')).toBe('denied');
    expect(await publishing(app, '$JS.API.META.LEADER.STEPDOWN')).toBe('denied');
    expect(await count()).toBe(before);
  });

  it('has its stream brought up to date by the runtime: all subjects, protected, without bounds', async () => {
    await manager.streams.update(STOCK_STREAM.name, {
      max_msgs: 1_000,
      max_bytes: 1_000_000,
      max_msgs_per_subject: 1_000,
    });
    await (await keepDurables(server.url, users, () => undefined)).stop();
    const { config } = await manager.streams.info(STOCK_STREAM.name);
    expect(config).toMatchObject({ max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1, deny_purge: true });
  });

  it('reads another app’s facts by the durable that the table gives it, and by no other', async () => {
    const brokering = await connectAs('brokering');
    expect(await publishing(brokering, `$JS.API.CONSUMER.MSG.NEXT.${STOCK_STREAM.name}.brokering-stock`)).toBe(
      'allowed',
    );
    expect(await publishing(brokering, `$JS.API.CONSUMER.MSG.NEXT.${STOCK_STREAM.name}.reports`)).toBe('denied');
    expect(await publishing(brokering, `$JS.API.CONSUMER.CREATE.${STOCK_STREAM.name}.brokering-stock`)).toBe('denied');
    expect(await publishing(brokering, SKU_CHANGED)).toBe('denied');
  });
});

describe('a guest', () => {
  let reports: NatsConnection;
  let partner: NatsConnection;
  let database: TestDatabase;
  beforeAll(async () => {
    [reports, partner] = await Promise.all([connectAs('reports'), connectAs('partner')]);
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('reads facts by its durable, and they are counted as read', async () => {
    const pool = new pg.Pool({ connectionString: database.ownerUrl });
    await runMigrations({
      url: database.ownerUrl,
      schemas: [{ schema: 'reports', parts: [partitionTables, messagingTables] }],
    });
    const errors: unknown[] = [];
    const dead: string[] = [];
    const consumer = runConsumer({
      connection: reports,
      pool,
      schema: 'reports',
      stream: STOCK_STREAM.name,
      durable: 'reports',
      filterSubject: STOCK_STREAM.subjects[0],
      provisioned: true,
      domain: GUEST_DOMAIN,
      handler: async () => undefined,
      // What this spec publishes are no CloudEvents, so each is a dead letter: its way is as long as it gets.
      hooks: { onError: (error) => errors.push(error), onDeadLetter: ({ reason }) => void dead.push(reason) },
    });
    await eventually(
      async () => (await manager.consumers.info(STOCK_STREAM.name, 'reports')).ack_floor.stream_seq,
      (floor) => floor >= 1,
    );
    expect(consumer.isReady()).toBe(true);
    await consumer.stop();
    await pool.end();
    expect(dead[0]).toBe('unparsable');
    const letter = await manager.streams.getMessage('ONEPOOL_DEAD', { last_by_subj: 'onepool.dead.reports' });
    expect(letter?.header.get('onepool-dead-reason')).toBe('unparsable');
  });

  it('sees nothing that passes between the apps and their callers', async () => {
    for (const subject of [
      'onepool.rpc.>',
      HOLD,
      '_INBOX.>',
      '_INBOX.partner.>',
      'onepool.stock.>',
      '$JS.>',
      '>',
      '_R_.>',
    ]) {
      expect(`${subject} ${await subscribing(reports, subject)}`).toBe(`${subject} denied`);
    }
    expect(await subscribing(reports, HOLD, 'stock')).toBe('denied');
  });

  it('publishes no fact, changes no stream and makes no consumer', async () => {
    const before = await count();
    expect(await publishing(reports, SKU_CHANGED)).toBe('denied');
    expect(await publishing(reports, HOLD)).toBe('denied');
    expect(await publishing(reports, 'onepool.dead.partner')).toBe('denied');
    for (const api of ['$JS.API', `$JS.${GUEST_DOMAIN}.API`]) {
      for (const call of ['STREAM.PURGE', 'STREAM.DELETE', 'STREAM.UPDATE', 'STREAM.MSG.DELETE', 'CONSUMER.CREATE']) {
        expect(`${api}.${call} ${await publishing(reports, `${api}.${call}.${STOCK_STREAM.name}`)}`).toMatch(/denied$/);
      }
    }
    expect(await publishing(reports, `$JS.${GUEST_DOMAIN}.API.CONSUMER.MSG.NEXT.${STOCK_STREAM.name}.partner`)).toBe(
      'denied',
    );
    expect(await publishing(reports, `$JS.ACK.${STOCK_STREAM.name}.partner.1.1.1.1.0`)).toBe('denied');
    expect(await count()).toBe(before);
  });

  it('calls an app, and gets the answer in its own inbox', async () => {
    const app = await connectAs('availability');
    app.subscribe(ATP, {
      queue: 'stock',
      callback: (_error, message) => void message.respond(`answer to ${message.string()}`),
    });
    await app.flush();
    const answer = await partner.request(ATP, 'partner', { timeout: 60_000 });
    expect(answer.string()).toBe('answer to partner');
    expect(await subscribing(partner, ATP, 'stock')).toBe('denied');
  });

  it('cannot have an app or the server publish in its stead, by naming what it may not publish as its inbox', async () => {
    const before = await count();
    for (const [connection, subject] of [
      [partner, ATP],
      [partner, 'onepool.dead.partner'],
      [partner, `$JS.${GUEST_DOMAIN}.API.STREAM.INFO.${STOCK_STREAM.name}`],
      [partner, `$JS.${GUEST_DOMAIN}.API.CONSUMER.MSG.NEXT.${STOCK_STREAM.name}.partner`],
    ] as const) {
      expect(await publishing(connection, subject, 'onepool.stock.forged')).toBe('allowed');
    }
    // Whoever was asked has answered once a later question of the same asker is answered.
    await partner.request(ATP, 'last', { timeout: 60_000 });
    await operator.flush();
    expect(await count()).toBe(before);
  });

  it('is shut out as soon as it is removed, and nobody else is', async () => {
    removeNatsGuest(join(home, 'nats-users.json'), 'partner');
    expect(await start()).toMatchObject({ adopted: true });
    expect(await outcomeOf(reports, () => undefined)).toBe('allowed');
    await eventually(
      () => partner.request(ATP, '', { timeout: 200 }).then(() => 'answered'),
      (outcome) => outcome !== 'answered',
    );
  });

  it('leaves no durable behind when it is removed while no runtime is there', async () => {
    const byHand = { durable: 'by-hand', filterSubject: SKU_CHANGED };
    await ensureDurable(manager, STOCK_STREAM.name, byHand);
    expect((await manager.consumers.info(STOCK_STREAM.name, 'partner')).name).toBe('partner');
    await (await keepDurables(server.url, users, () => undefined)).stop();
    await expect(manager.consumers.info(STOCK_STREAM.name, 'partner')).rejects.toThrow(/consumer not found/);
    expect((await manager.consumers.info(STOCK_STREAM.name, 'by-hand')).name).toBe('by-hand');
  });

  it('gets its durable though another’s cannot be made, which is named with its subject', async () => {
    const guest = (name: string, consumes: string) => ({
      name,
      kind: 'guest' as const,
      password: '',
      createdAt: '',
      consumes,
    });
    const guests = [guest('astray', 'onepool.stock..x'), guest('later', SKU_CHANGED)];
    await expect(provisionDurables(operator, guests)).rejects.toThrow(/astray.*onepool\.stock\.\.x/);
    expect((await manager.consumers.info(STOCK_STREAM.name, 'later')).name).toBe('later');
  });

  it('finds its durable again after the stream was lost', async () => {
    await manager.streams.delete(STOCK_STREAM.name);
    await ensureStream(await jetstream(await connectAs('availability')).jetstreamManager(false), STOCK_STREAM);
    await eventually(
      async () => (await manager.consumers.info(STOCK_STREAM.name, 'reports')).name,
      (name) => name === 'reports',
    );
  });
});
