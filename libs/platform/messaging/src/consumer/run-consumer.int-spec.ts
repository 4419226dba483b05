import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { createTestDatabase, createTestNatsAccount, startTestNats, type TestNats } from '@onepool/testing-servers';
import { toMessageHeaders, type FactEvent } from '../cloud-event.ts';
import { ensureStream } from '../nats/streams.ts';
import {
  type Bench,
  type BenchServers,
  eventually,
  factOf,
  openBench,
  SCHEMA,
  STREAM,
} from '../spec-support/messaging-bench.ts';
import type { ConsumerAlarm, ConsumerHooks, ConsumerOptions, DeadLetter } from './consumer-options.ts';
import { DEAD_LETTER_STREAM, ensureDeadLetterStream } from './dead-letter.ts';
import { runConsumer, type RunningConsumer } from './run-consumer.ts';

let bench: Bench;
let publisher: NatsConnection;
const running: RunningConsumer[] = [];
const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

async function consume(options: Partial<ConsumerOptions> = {}, hooks: ConsumerHooks = {}): Promise<RunningConsumer> {
  const started = runConsumer({
    connection: await bench.connect(),
    pool: bench.openPool(),
    schema: SCHEMA,
    stream: STREAM.name,
    durable: 'projector',
    filterSubject: 'onepool.stock.>',
    handler: async (event, client) => {
      await client.query('INSERT INTO effect (event_id, key) VALUES ($1, $2)', [event.id, event.key]);
    },
    backoffMs: [20],
    noProgressMs: 600,
    hooks,
    ...options,
  });
  running.push(started);
  return started;
}

async function publish(events: readonly FactEvent[]): Promise<void> {
  for (const event of events) {
    await jetstream(publisher).publish(event.subject, JSON.stringify(event.data), { headers: toMessageHeaders(event) });
  }
}

async function effects(): Promise<string[]> {
  const { rows } = await bench.pool.query<{ event_id: string }>('SELECT event_id FROM effect ORDER BY n');
  return rows.map((row) => row.event_id);
}

const effectsReach = (count: number): Promise<string[]> => eventually(effects, (all) => all.length >= count);

async function ackPending(): Promise<number> {
  const manager = await jetstream(publisher).jetstreamManager(false);
  return (await manager.consumers.info(STREAM.name, 'projector')).num_ack_pending;
}

async function deadLetters(): Promise<JsMsg[]> {
  const consumer = await jetstream(publisher).consumers.get(DEAD_LETTER_STREAM);
  const letters: JsMsg[] = [];
  for await (const letter of await consumer.fetch({ max_messages: 10, expires: 1_000 })) letters.push(letter);
  return letters;
}

async function open(openNats: BenchServers['openNats']): Promise<void> {
  bench = await openBench({ createTestDatabase, openNats });
  publisher = await bench.connect('publisher');
  await ensureStream(await jetstream(publisher).jetstreamManager(false), STREAM);
  // No unique key on purpose: an event that took effect twice shows.
  await bench.pool.query('CREATE TABLE effect (n bigserial, event_id text, key text)');
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((consumer) => consumer.stop()));
  await bench.close();
});

describe('consumer', () => {
  beforeEach(() => open(createTestNatsAccount));

  it('takes each event into effect once however often it is published, to however many replicas', async () => {
    const outcomes: string[] = [];
    const hooks: ConsumerHooks = { onHandled: (_event, outcome) => outcomes.push(outcome) };
    await Promise.all([consume({}, hooks), consume({}, hooks)]);
    const events = names('e', 30).map((id, index) => factOf(id, `sku-${index % 4}`));
    await publish([...events, ...events]);
    await eventually(
      () => outcomes.length,
      (count) => count === 60,
    );
    expect((await effects()).toSorted()).toEqual(names('e', 30).toSorted());
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(30);
    await eventually(ackPending, (pending) => pending === 0);
  });

  it('keeps the order of each key while keys run side by side', async () => {
    await consume({ concurrency: 4 });
    await publish(names('e', 40).map((id, index) => factOf(id, `sku-${index % 4}`)));
    const seen = await effectsReach(40);
    for (let key = 0; key < 4; key += 1) {
      const mine = seen.filter((id) => Number(id.slice(1)) % 4 === key);
      expect(mine).toEqual(names('e', 40).filter((id) => Number(id.slice(1)) % 4 === key));
    }
  });

  it('sets a message aside after N failures, with its reason, while the others flow on', async () => {
    const told: DeadLetter[] = [];
    let tries = 0;
    const poisoned: Partial<ConsumerOptions> = {
      maxDeliver: 3,
      handler: async (event, client) => {
        await client.query('INSERT INTO effect (event_id, key) VALUES ($1, $2)', [event.id, event.key]);
        if (event.id !== 'poison') return;
        tries += 1;
        throw new Error('cannot\r\nhandle this');
      },
    };
    await consume(poisoned, { onDeadLetter: (letter) => void told.push(letter) });
    await publish([factOf('poison', 'sku'), factOf('good', 'sku'), factOf('better', 'other')]);
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    expect((await effectsReach(2)).toSorted()).toEqual(['better', 'good']);
    expect([tries, told[0]?.reason, told[0]?.event?.id]).toEqual([3, 'handler_failed', 'poison']);
    const [letter] = await deadLetters();
    expect(letter?.subject).toBe('onepool.dead.projector');
    expect(letter?.headers?.get('onepool-dead-error')).toBe('Error: cannot handle this');
    expect(letter?.headers?.get('ce-id')).toBe('poison');
    await eventually(ackPending, (pending) => pending === 0);
  });

  it('sets an unparsable message aside at once', async () => {
    const told: DeadLetter[] = [];
    await consume({}, { onDeadLetter: (letter) => void told.push(letter) });
    await jetstream(publisher).publish('onepool.stock.sku.changed.v1', '{"half', {
      headers: toMessageHeaders(factOf('bad', 'sku')),
    });
    await publish([factOf('good', 'sku')]);
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    expect([told[0]?.reason, told[0]?.deliveries]).toEqual(['unparsable', 1]);
    expect(await effectsReach(1)).toEqual(['good']);
  });

  it('keeps its letter whatever ids others have given to theirs', async () => {
    await publish([factOf('poison', 'sku')]);
    const fact = await (await jetstream(publisher).consumers.get(STREAM.name)).next();
    await ensureDeadLetterStream(publisher);
    const msgID = `projector:${STREAM.name}:${fact?.seq}:${fact?.timestampNanos}`;
    await jetstream(publisher).publish('onepool.dead.other', '', { msgID });
    const handler = (): Promise<void> => Promise.reject(new Error('cannot handle this'));
    await consume({ maxDeliver: 1, handler });
    await eventually(deadLetters, (letters) => letters.some(({ subject }) => subject === 'onepool.dead.projector'));
  });

  it('tries again when the hook for dead letters fails, so that no exception is forgotten', async () => {
    let calls = 0;
    const onDeadLetter = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) throw new Error('The queue is away.');
    };
    const handler = async (): Promise<void> => {
      throw new Error('never');
    };
    await consume({ maxDeliver: 1, handler }, { onDeadLetter });
    await publish([factOf('poison', 'sku')]);
    await eventually(
      () => calls,
      (count) => count === 2,
    );
    await eventually(ackPending, (pending) => pending === 0);
    expect(await deadLetters()).toHaveLength(1);
  });

  it('blames no message for an outage of PostgreSQL', async () => {
    const told: DeadLetter[] = [];
    let down = true;
    const handler: ConsumerOptions['handler'] = async (event, client) => {
      if (down) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      await client.query('INSERT INTO effect (event_id, key) VALUES ($1, $2)', [event.id, event.key]);
    };
    const errors: unknown[] = [];
    await consume(
      { maxDeliver: 2, handler },
      { onDeadLetter: (letter) => void told.push(letter), onError: (error) => errors.push(error) },
    );
    await publish(names('e', 5).map((id) => factOf(id, id)));
    await eventually(
      () => errors.length,
      (count) => count >= 12,
    );
    down = false;
    await effectsReach(5);
    expect(told).toEqual([]);
  });

  it('finishes what it has in hand when it stops, and gives the rest back', async () => {
    // What was on its way while it stopped comes again after the time to acknowledge.
    const ackWaitMs = 2_000;
    const consumer = await consume({ concurrency: 2, ackWaitMs });
    await publish(names('e', 50).map((id, index) => factOf(id, `sku-${index}`)));
    await effectsReach(1);
    await consumer.stop();
    const afterStop = await effects();
    await eventually(ackPending, (pending) => pending < 50);
    expect(await effects()).toEqual(afterStop);
    await consume({ ackWaitMs });
    expect(new Set(await effectsReach(50)).size).toBe(50);
  });

  it('raises an alarm when unanswered messages reach the limit, and restarts when nothing moves', async () => {
    const alarms: ConsumerAlarm[] = [];
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    await consume(
      { maxAckPending: 2, concurrency: 2, handler: () => stuck },
      { onAlarm: (alarm) => alarms.push(alarm) },
    );
    await publish(names('e', 6).map((id) => factOf(id, id)));
    await eventually(
      () => alarms.map((alarm) => alarm.kind),
      (kinds) => kinds.includes('max_ack_pending_reached') && kinds.includes('no_progress'),
    );
    release();
  });

  it('handles events without an inbox, where the effect is elsewhere: again after each failure, and after it alone', async () => {
    const handled: string[] = [];
    const handler = async ({ id }: FactEvent): Promise<void> => {
      handled.push(id);
      if (id === 'e1' && handled.filter((one) => one === id).length < 3) throw new Error('Not yet.');
    };
    const connection = await bench.connect();
    const own = { stream: STREAM.name, durable: 'elsewhere', filterSubject: 'onepool.stock.>', backoffMs: [20] };
    const consumer = runConsumer({ connection, handler, ...own });
    running.push(consumer);
    await publish(names('e', 3).map((id) => factOf(id, id)));
    await eventually(
      () => handled.length,
      (count) => count === 5,
    );
    expect(handled.toSorted()).toEqual(['e0', 'e1', 'e1', 'e1', 'e2']);
  });

  it('detects gaps in the versions of a key', async () => {
    const verdicts: unknown[] = [];
    await consume(
      {
        concurrency: 1,
        orderedBy: (event) => {
          const [fromVersion, toVersion] = event.id.split('-').map(Number);
          return { key: event.key, fromVersion: fromVersion ?? 0, toVersion: toVersion ?? 0 };
        },
      },
      { onVersion: (_event, _step, verdict) => verdicts.push(verdict.kind) },
    );
    await publish(['0-1', '1-2', '3-4', '2-3'].map((id) => factOf(id, 'sku')));
    await eventually(
      () => verdicts.length,
      (count) => count === 4,
    );
    expect(verdicts).toEqual(['first', 'next', 'gap', 'late']);
  });
});

describe('a consumer whose NATS is lost', () => {
  let nats: TestNats;
  beforeEach(async () => {
    nats = await startTestNats();
    await open(() => Promise.resolve(nats));
  });

  it('stops while the server answers nothing, once its connection is closed', async () => {
    const connection = await bench.connect();
    const consumer = await consume({ connection });
    await publish([factOf('before', 'key')]);
    await effectsReach(1);
    nats.suspend();
    try {
      const flush = connection.flush.bind(connection);
      const isFlushing = new Promise<void>((resolve) => {
        connection.flush = () => (resolve(), flush());
      });
      const stopped = consumer.stop();
      await isFlushing;
      await connection.close();
      await stopped;
    } finally {
      nats.resume();
    }
  });

  it('goes on after the stream, its durable and the server were lost', async () => {
    await consume();
    await publish([factOf('before', 'sku')]);
    await effectsReach(1);
    await nats.kill();
    await nats.restart({ wipe: true });
    publisher = await bench.connect('publisher');
    await eventually(
      async () => ensureStream(await jetstream(publisher).jetstreamManager(false), STREAM).then(() => true),
      Boolean,
    );
    await publish([factOf('before', 'sku'), factOf('after', 'sku')]);
    expect(await effectsReach(2)).toEqual(['before', 'after']);
  });
});
