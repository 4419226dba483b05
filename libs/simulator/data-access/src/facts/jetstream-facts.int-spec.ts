import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connect, headers } from '@nats-io/transport-node';
import { SKU_CHANGED, STOCK_STREAM } from '@onepool/contracts';
import { type TestNats, startTestNats } from '@onepool/testing-servers';
import type { ReceivedFact } from './fact-log.ts';
import { JetStreamFacts } from './jetstream-facts.ts';

describe('JetStreamFacts', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let publisher: JetStreamClient;
  let source: JetStreamFacts;
  const received: ReceivedFact[] = [];
  let arrived: () => void = () => undefined;

  /** A request without an answer is made again soon. */
  const REPEATED = { timeout: 500 };
  /** A request that meets a server which is only just back times out, and is simply made again. */
  const persistently = async (work: () => Promise<unknown>): Promise<void> => {
    for (let done = false; !done;)
      done = await work().then(
        () => true,
        () => false,
      );
  };
  const makeStream = (): Promise<void> =>
    persistently(async () => {
      const manager = await jetstreamManager(connection, REPEATED);
      await manager.streams.add({ name: STOCK_STREAM.name, subjects: [...STOCK_STREAM.subjects] });
    });
  const publish = async (...ids: string[]): Promise<void> => {
    for (const id of ids) {
      const header = headers();
      header.set('ce-id', id);
      header.set('ce-partitionkey', 'rtest-A');
      await persistently(() => publisher.publish(SKU_CHANGED, JSON.stringify({ sku: 'rtest-A' }), { headers: header }));
    }
  };
  const distinct = (): string[] => [...new Set(received.map(({ id }) => id))];
  /** Resolves when every id has arrived at least once; the test's own time-out ends a vain wait. */
  const arrival = async (...ids: string[]): Promise<void> => {
    while (!ids.every((id) => distinct().includes(id))) await new Promise<void>((resolve) => (arrived = resolve));
  };

  beforeAll(async () => {
    nats = await startTestNats();
    connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    publisher = jetstream(connection, REPEATED);
    await makeStream();
    await publish('before the run');
    source = await JetStreamFacts.connect(nats.url);
    await source.start((fact) => {
      received.push(fact);
      arrived();
    });
  });
  afterAll(async () => {
    await source.stop();
    await connection.close();
    await nats.stop();
  });

  it('begins at the end of the stream and tells id, subject, key and data', async () => {
    await publish('1', '2');
    await arrival('1', '2');
    expect(distinct()).toEqual(['1', '2']);
    expect(received[0]).toMatchObject({ subject: SKU_CHANGED, key: 'rtest-A', data: { sku: 'rtest-A' } });
  });

  it('goes on after the server was killed and came back', async () => {
    await nats.kill();
    await nats.restart();
    await publish('3');
    await arrival('3');
  });

  it('reads a stream that was made anew from its beginning', async () => {
    await nats.kill();
    await nats.restart({ wipe: true });
    await makeStream();
    await publish('2', '3', '4');
    await arrival('4');
    expect(distinct()).toEqual(['1', '2', '3', '4']);
  });

  it('reads everything there is once more when asked to', async () => {
    const before = received.filter(({ id }) => id === '2').length;
    source.rewind();
    while (received.filter(({ id }) => id === '2').length === before)
      await new Promise<void>((resolve) => (arrived = resolve));
  });
});
