import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/nats-core';
import type { NatsConnection } from '@nats-io/transport-node';
import { createTestNatsAccount } from '@onepool/testing-servers';
import { connectNats } from '../nats/connect-nats.ts';
import { AckWindow, NotAcknowledgedError } from './ack-window.ts';

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let connection: NatsConnection;

beforeAll(async () => {
  nats = await createTestNatsAccount();
  connection = await connectNats({ url: nats.url, name: 'spec' });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'FACTS', subjects: ['facts.>'], max_msg_size: 1_000 });
});
afterAll(async () => {
  await connection.close();
  await nats.stop();
});

describe('an ack window', () => {
  it('matches acknowledgements to messages, and tells duplicates', async () => {
    const window = new AckWindow(connection, 5_000);
    const told = headers();
    told.set('content-type', 'application/json');
    const sent = Array.from({ length: 200 }, (_, n) => window.publish('facts.a', `{"n":${n}}`, `id-${n}`));
    const sequences = (await Promise.all(sent)).map(({ seq }) => seq);
    expect(sequences).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    expect(await window.publish('facts.b', '{}', 'id-7', told)).toEqual({ seq: 8, duplicate: true });
    window.close();
  });

  it('says why a message was not stored', async () => {
    const window = new AckWindow(connection, 5_000);
    await expect(window.publish('nowhere', '{}', 'x')).rejects.toThrow('no stream takes its subject');
    await expect(window.publish('facts.a', 'x'.repeat(2_000), 'y')).rejects.toThrow(/message size exceeds maximum/);
    window.close();
  });

  it('gives up what is not acknowledged in time, and what is outstanding when it is closed', async () => {
    // Somebody listens, and answers nothing.
    const silent = connection.subscribe('silent');
    const impatient = new AckWindow(connection, 30);
    const late = await Promise.allSettled([
      impatient.publish('silent', '1', 'a'),
      impatient.publish('silent', '2', 'b'),
    ]);
    expect(late.map((one) => one.status === 'rejected' && one.reason instanceof NotAcknowledgedError)).toEqual([
      true,
      true,
    ]);
    await expect(impatient.publish('silent', '3', 'c')).rejects.toThrow('within 30 ms');
    impatient.close();
    const closed = new AckWindow(connection, 60_000);
    const outstanding = closed.publish('silent', '4', 'd');
    closed.close();
    await expect(outstanding).rejects.toThrow('let go');
    silent.unsubscribe();
  });
});
