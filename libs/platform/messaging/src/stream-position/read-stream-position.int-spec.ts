import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import type pg from 'pg';
import { ensureStream } from '../nats/streams.ts';
import { ServiceUnavailableError } from '../nest/service-unavailable.ts';
import { type Bench, openBench, SCHEMA, STREAM } from '../spec-support/messaging-bench.ts';
import { readStreamPosition } from './read-stream-position.ts';

let bench: Bench;
let connection: NatsConnection;
beforeEach(async () => {
  bench = await openBench({ createTestDatabase, openNats: createTestNatsAccount });
  connection = await bench.connect();
});
afterEach(() => bench.close());

const manager = () => jetstream(connection).jetstreamManager(false);
const read = (client: Parameters<typeof readStreamPosition>[0]['client'] = bench.pool) =>
  readStreamPosition({ client, schema: SCHEMA, connection, stream: STREAM.name });

describe('the position of a stream', () => {
  it('is its epoch and its last sequence, which an aged message leaves as it is', async () => {
    await ensureStream(await manager(), { ...STREAM, allowsRemoval: true });
    expect(await read()).toEqual({ epoch: 1, sequence: 0 });
    for (const _ of [1, 2]) await jetstream(connection).publish('onepool.stock.sku.changed.v1', '{}');
    await bench.pool.query(`UPDATE ${SCHEMA}.relay_stream SET epoch = 7`);
    await (await manager()).streams.purge(STREAM.name);
    expect(await read()).toEqual({ epoch: 7, sequence: 2 });
  });

  it('is of the epoch that was there first, should the stream be lost while it is read', async () => {
    await ensureStream(await manager(), STREAM);
    for (const _ of [1, 2]) await jetstream(connection).publish('onepool.stock.sku.changed.v1', '{}');
    const losing = {
      async query(query: pg.QueryConfig) {
        const result = await bench.pool.query(query);
        await bench.pool.query(`UPDATE ${SCHEMA}.relay_stream SET epoch = epoch + 1`);
        await (await manager()).streams.delete(STREAM.name);
        await ensureStream(await manager(), STREAM);
        return result;
      },
    };
    expect(await read(losing as unknown as typeof bench.pool)).toEqual({ epoch: 1, sequence: 0 });
  });

  it('is not to be had, for now, while the stream or NATS is away', async () => {
    await expect(read()).rejects.toThrow(ServiceUnavailableError);
    await expect(read()).rejects.toThrow('FACTS is not there yet');
    await connection.close();
    await expect(read()).rejects.toThrow(ServiceUnavailableError);
  });
});
