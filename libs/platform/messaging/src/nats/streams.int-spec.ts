import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type JetStreamManager, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { createTestNatsAccount } from '@onepool/testing-servers';
import { DEAD_LETTER_STREAM, ensureDeadLetterStream } from '../consumer/dead-letter.ts';
import { connectNats } from './connect-nats.ts';
import { StreamRefusedError, ensureStream, streamWarnings } from './streams.ts';

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let connection: NatsConnection;
let manager: JetStreamManager;
beforeEach(async () => {
  nats = await createTestNatsAccount();
  connection = await connectNats({ url: nats.url, name: 'spec' });
  manager = await jetstream(connection).jetstreamManager(false);
});
afterEach(async () => {
  await connection.close();
  await nats.stop();
});

const configOf = async (name: string) => (await manager.streams.info(name)).config;

describe('the stream of dead letters', () => {
  const BOUNDS = { max_bytes: 268_435_456, max_msg_size: 8_388_608, max_msgs_per_subject: 10_000, discard: 'old' };

  it('is bounded, so that no consumer can fill JetStream with letters', async () => {
    await ensureDeadLetterStream(connection);
    expect(await configOf(DEAD_LETTER_STREAM)).toMatchObject(BOUNDS);
  });

  it('is bounded though it was made without bounds, and keeps those that its operator chose', async () => {
    await manager.streams.add({ name: DEAD_LETTER_STREAM, subjects: ['onepool.dead.>'], max_msgs_per_subject: 7 });
    await ensureDeadLetterStream(connection);
    expect(await configOf(DEAD_LETTER_STREAM)).toMatchObject({ ...BOUNDS, max_msgs_per_subject: 7 });
  });
});

describe('ensureStream', () => {
  const STREAM = { name: 'FACTS', subjects: ['facts.>'] };
  const bounded = { ...STREAM, max_msgs: 5, max_bytes: 1_000_000, max_msgs_per_subject: 5 };

  it('leaves the bounds of a stream to whoever made it, unless told', async () => {
    await manager.streams.add(bounded);
    await ensureStream(manager, STREAM);
    expect(await configOf('FACTS')).toMatchObject({ max_msgs: 5, max_bytes: 1_000_000, max_msgs_per_subject: 5 });
  });

  it('lifts the bounds of a stream that is to have none', async () => {
    await manager.streams.add(bounded);
    await ensureStream(manager, { ...STREAM, bounds: 'none' });
    expect(await configOf('FACTS')).toMatchObject({ max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1 });
  });

  it('keeps a new stream in one copy unless told, and says in words that a single server keeps no more', async () => {
    await ensureStream(manager, STREAM);
    expect((await configOf('FACTS')).num_replicas).toBe(1);
    const refused = ensureStream(manager, { name: 'ORDERS', subjects: ['orders.>'], replicas: 3 });
    await expect(refused).rejects.toThrow(StreamRefusedError);
    await expect(refused).rejects.toThrow(
      'The server does not make the stream ORDERS with 3 replicas, as NATS_STREAM_REPLICAS says: replicas > 1 not supported',
    );
  });

  it('brings a stream up to date without touching its copies, and tells what the operator can do about them', async () => {
    await manager.streams.add({ name: 'FACTS', subjects: ['facts.old.>'] });
    const wanted = { ...STREAM, subjects: ['facts.new.>'], replicas: 3 };
    // The server would refuse a change to three of them.
    const info = await ensureStream(manager, wanted);
    expect(info.config).toMatchObject({ subjects: ['facts.old.>', 'facts.new.>'], num_replicas: 1, deny_purge: true });
    expect(streamWarnings(info, wanted)).toEqual([
      'FACTS has 1 replica where NATS_STREAM_REPLICAS is 3; `nats stream edit FACTS --replicas=3` changes the stream',
    ]);
    expect(streamWarnings(info, STREAM)).toEqual([]);
  });

  it('warns of a stream that can be purged', async () => {
    const info = await manager.streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    expect(streamWarnings(info, STREAM)).toEqual(['FACTS can be purged, and the server does not let us forbid it']);
  });
});
