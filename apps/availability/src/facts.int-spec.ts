import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  EXCEPTION_CLOSED,
  PROMISE_SHORT,
  type ReservationChanged,
  SKU_CHANGED,
  STOCK_FACTS,
  STOCK_STREAM,
  type SkuChanged,
  type StockOfSku,
} from '@onepool/contracts';
import {
  type FactEvent,
  type RunningConsumer,
  connectNats,
  factKey,
  messagingTables,
  parseMessage,
  runConsumer,
} from '@onepool/platform-messaging';
import { partitionTables, runMigrations } from '@onepool/platform-postgres';
import { compileSchema } from '@onepool/platform-problem';
import { type TestNats, startTestNats } from '@onepool/testing-servers';
import type pg from 'pg';
import { createAvailabilityApp } from './availability-app.ts';
import { type AppFixture, createAppFixture, eventually } from './testing/app-fixture.ts';
import { putNetwork, receive } from './testing/network.ts';

const CONSUMER = 'elsewhere';
const SKUS = ['f-1', 'f-2', 'f-3'];

let nats: TestNats;
let app: AppFixture;
beforeAll(async () => {
  nats = await startTestNats();
  app = await createAppFixture({ nats });
  await putNetwork(app, [...SKUS, 'story']);
});
afterAll(() => app.close());

/** Every message of the stream, once it holds at least as many as the outbox. */
async function stream(): Promise<readonly FactEvent[]> {
  const manager = await jetstreamManager(app.caller, { checkAPI: false });
  const { written } = (await app.http('countEvents')).body as { written: number };
  const state = await eventually(async () => {
    const { state } = await manager.streams.info(STOCK_STREAM.name);
    return state.messages >= written ? state : undefined;
  });
  const events: FactEvent[] = [];
  for (let sequence = state.first_seq; sequence <= state.last_seq; sequence++) {
    const message = await manager.streams.getMessage(STOCK_STREAM.name, { seq: sequence });
    if (message) events.push(parseMessage({ subject: message.subject, headers: message.header, data: message.data }));
  }
  return events;
}

const validators = new Map(STOCK_FACTS.map(({ subject, data }) => [subject, compileSchema<unknown>(data)] as const));

/** What the data of a fact says that it is about. */
function keyOf({ data }: FactEvent): string {
  const { sku, owner, reservation } = data as Partial<ReservationChanged & SkuChanged>;
  return sku === undefined ? factKey('reservation', owner ?? '', reservation ?? '') : factKey('sku', sku);
}

/** The versions of a SKU as its facts tell them, in the order of the stream. */
const stepsOf = (events: readonly FactEvent[], sku: string): SkuChanged[] =>
  events
    .filter(({ key, subject }) => key === factKey('sku', sku) && subject === SKU_CHANGED)
    .map(({ data }) => data as SkuChanged);

async function expectChained(events: readonly FactEvent[], sku: string): Promise<void> {
  const { version } = (await app.http('getStock', { params: { sku } })).body as StockOfSku;
  const steps = stepsOf(events, sku);
  expect(steps.map(({ fromVersion }) => fromVersion)).toEqual([0, ...steps.slice(0, -1).map((step) => step.toVersion)]);
  expect(steps.at(-1)?.toVersion).toBe(version);
}

describe('facts', () => {
  it('tell every committed change as a CloudEvent that its contract describes', async () => {
    const hold = (id: string, quantity: number, expiresInSeconds = 900) =>
      app.http('hold', {
        body: { id, channel: 'web', expiresInSeconds, lines: [{ sku: 'story', quantity }] },
        headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
      });
    const verb = (id: string, reservation: string, body: object = {}) =>
      app.http(id as 'confirm', { params: { id: reservation }, body: { commandId: `${reservation}-${id}`, ...body } });
    await receive(app, 'story', { 'wh-1': 10 });
    await hold('r-1', 4);
    await verb('confirm', 'r-1');
    await receive(app, 'story', { 'wh-2': 2 });
    await verb('attach', 'r-1', { order: 'order-1' });
    await verb('amend', 'r-1', { expectedVersion: 3, lines: [], priority: 5 });
    const moves = [{ sku: 'story', quantity: 1, from: { node: 'wh-1' }, to: { node: 'wh-2', fulfilment: 'ful-1' } }];
    const groups = [{ reservations: [{ id: 'r-1', expectedVersion: 4, moves }] }];
    expect((await app.http('allocate', { body: { commandId: 'r-1-routed', groups } })).body).toMatchObject({
      groups: [{ reservations: [{ version: 5 }] }],
    });
    await verb('acknowledge', 'r-1', { fulfilment: 'ful-1', stage: 'accepted', quantity: 1 });
    await verb('reject', 'r-1', { fulfilment: 'ful-1', quantity: 1, effect: 'none' });
    await verb('giveUp', 'r-1', { lines: [{ line: '1', quantity: 1 }] });
    const atWh1 = { lines: [{ sku: 'story', node: 'wh-1', quantity: 1 }] };
    for (const id of ['fulfil', 'unfulfil', 'cancel']) await verb(id, 'r-1', atWh1);
    await hold('r-2', 1);
    await verb('release', 'r-2');
    await hold('r-3', 1, 1);
    const sale = (node: string, quantity: number) => ({ type: 'sale', sku: 'story', node, quantity });
    const movements = [sale('wh-1', 9), sale('wh-2', 2)];
    await app.http('recordMovements', { body: { id: 'sale', source: 'pos', movements } });
    // The order has one unit left, and nothing is there.
    const toldOf = (subject: string) =>
      eventually(async () =>
        (await stream()).find((event) => event.subject === subject && keyOf(event) === 'sku/story'),
      );
    await toldOf(PROMISE_SHORT);
    await receive(app, 'story', { 'wh-1': 9 });
    await toldOf(EXCEPTION_CLOSED);
    await app.http('putStopRules', { body: { rules: [{ rule: 'facts', mode: 'drain', nodes: ['wh-1', 'wh-2'] }] } });
    const told = await eventually(async () => {
      const events = await stream();
      const subjects = new Set(events.map(({ subject }) => subject));
      return validators.size === subjects.size ? events : undefined;
    });
    for (const event of told) {
      expect({ faults: validators.get(event.subject)?.check(event.data), event }).toMatchObject({
        faults: [],
        event: { key: keyOf(event), type: event.subject, source: '/onepool/stock', time: expect.stringMatching(/Z$/) },
      });
    }
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    expect(told.find(({ id }) => id.startsWith('sku/story@2'))?.trace).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-/);
    const reservation = told.filter(({ key }) => key.endsWith('/r-1'));
    const facts = reservation.map(({ subject, data }) => [subject.split('.')[3], data as ReservationChanged] as const);
    expect(facts.map(([fact]) => fact).slice(0, 10)).toEqual([
      ...['confirmed', 'attached', 'amended', 'moved', 'acknowledged', 'rejected', 'given_up'],
      ...['fulfilled', 'unfulfilled', 'cancelled'],
    ]);
    const changesOf = (name: string) => facts.find(([fact]) => fact === name)?.[1].changes;
    const of = { line: '1', sku: 'story', quantity: 1 };
    expect(changesOf('moved')).toEqual([{ ...of, node: 'wh-1', to: 'wh-2', toFulfilment: 'ful-1' }]);
    expect(changesOf('rejected')).toEqual([{ ...of, node: 'wh-2', fulfilment: 'ful-1', to: null }]);
    expect(changesOf('fulfilled')).toEqual([{ ...of, node: 'wh-1' }]);
    expect(changesOf('cancelled')).toEqual([{ ...of, node: 'wh-1' }]);
    await expectChained(told, 'story');
  });
});

/** Opens what another app would: its own schema, with an inbox and a table of what it has seen. */
async function openConsumer(pool: pg.Pool, connection: NatsConnection, gaps: unknown[]): Promise<RunningConsumer> {
  await runMigrations({
    url: app.database.ownerUrl,
    schemas: [{ schema: CONSUMER, parts: [partitionTables, messagingTables] }],
  });
  // No key: an effect that happened twice is two rows.
  await pool.query(`CREATE TABLE ${CONSUMER}.seen (id text, sku text, from_version bigint, to_version bigint)`);
  return runConsumer({
    connection,
    pool,
    schema: CONSUMER,
    stream: STOCK_STREAM.name,
    durable: 'spec-elsewhere',
    filterSubject: SKU_CHANGED,
    handler: async ({ id, data }, client) => {
      const { sku, fromVersion, toVersion } = data as SkuChanged;
      await client.query(`INSERT INTO ${CONSUMER}.seen VALUES ($1, $2, $3, $4)`, [id, sku, fromVersion, toVersion]);
    },
    orderedBy: ({ key, data }) => ({ key, ...(data as SkuChanged) }),
    hooks: { onVersion: (_event, step, { kind }) => void (kind === 'gap' && gaps.push(step)) },
  });
}

describe('a consumer elsewhere', () => {
  it('takes each effect once and in order, though NATS is killed and the app with its relay is restarted in between', async () => {
    const gaps: unknown[] = [];
    const connection = await connectNats({ url: nats.url, name: 'elsewhere' });
    const consumer = await openConsumer(app.pool, connection, gaps);
    const move = async (round: number): Promise<void> => {
      for (const sku of SKUS) await receive(app, sku, { 'wh-1': round + 1 });
    };
    try {
      for (let round = 0; round < 5; round++) await move(round);
      await nats.kill();
      for (let round = 5; round < 10; round++) await move(round);
      await nats.restart();
      const second = await createAvailabilityApp({ ...app.config, ONEPOOL_INSTANCE: 'second' }, app.logger);
      for (let round = 10; round < 15; round++) await move(round);
      await second.close();
      for (let round = 15; round < 20; round++) await move(round);
      const seen = await eventually(async () => {
        const { rows } = await app.pool.query<{ id: string; sku: string; from_version: number; to_version: number }>(
          `SELECT * FROM ${CONSUMER}.seen WHERE sku = ANY($1) ORDER BY sku, to_version`,
          [SKUS],
        );
        return SKUS.every((sku) => rows.some((row) => row.sku === sku && row.to_version === 20)) ? rows : undefined;
      });
      for (const sku of SKUS) {
        const steps = seen.filter((row) => row.sku === sku);
        expect(steps.map((row) => row.to_version)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        expect(steps.map((row) => row.from_version)).toEqual(Array.from({ length: 20 }, (_, index) => index));
      }
      expect(gaps).toEqual([]);
      const events = await stream();
      for (const sku of SKUS) await expectChained(events, sku);
    } finally {
      await consumer.stop();
      await connection.close();
    }
  });

  it('gets every fact again from the outbox when JetStream has lost its files', async () => {
    const before = await stream();
    await nats.restart({ wipe: true });
    await receive(app, 'f-1', { 'wh-2': 1 });
    const after = await stream();
    const ids = new Set(after.map(({ id }) => id));
    expect(before.filter(({ id }) => !ids.has(id))).toEqual([]);
    await expectChained(after, 'f-1');
  });
});
