/** `relay.refill_per_s`: how fast a stream that was deleted is filled again from the outbox. */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { STOCK_STREAM, SKU_CHANGED } from '@onepool/contracts';
import { findStream } from '@onepool/platform-messaging';
import { FactsStream } from '../events/facts-stream.ts';
import { createDatabase, withClient } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';
import type { Bench } from './benchmark.ts';
import { relayOf } from './relay-of.ts';

const SKUS = 2_000;
const FACTS = 100_000;
const FACTS_QUICK = 20_000;
const PATIENCE_SECONDS = 120;

/** Facts as the engine writes them, one row each, of each SKU in turn. */
async function fillOutbox(database: BenchDatabase, facts: number): Promise<void> {
  await withClient(database, async (client) => {
    await client.query(
      `INSERT INTO outbox (partition, key, subject, event_id, type, source, time, trace, data)
       SELECT i % ${SKUS} % ${database.partitionCount}, 'sku/S' || i % ${SKUS}, $1, 'bench-' || i, $1, '/bench', now(),
              '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
              json_build_object('sku', 'S' || i % ${SKUS}, 'fromVersion', i / ${SKUS}, 'toVersion', i / ${SKUS} + 1,
                'recordedAt', '2026-03-01T10:00:00.000Z', 'rows', json_build_array(json_build_object('node', 'n1',
                'onHand', 10, 'available', 8, 'committed', 1, 'reserved', 1, 'safetyStock', 0, 'damaged', 0,
                'qualityControl', 0, 'shortfall', 0, 'overdrawn', 0)))
         FROM generate_series(0, ${facts - 1}) AS i`,
      [SKU_CHANGED],
    );
    await client.query('VACUUM ANALYZE outbox');
  });
}

/** Resolves when the stream holds so many messages, with the time from its first one on. */
async function filled(stream: FactsStream, facts: number): Promise<number> {
  const manager = await jetstreamManager(stream.connection);
  const deadline = performance.now() + PATIENCE_SECONDS * 1_000;
  while (performance.now() < deadline) {
    const state = (await findStream(manager, STOCK_STREAM.name))?.state;
    if (state && state.messages >= facts) return Date.parse(state.last_ts) - Date.parse(state.first_ts);
    await delay(20);
  }
  throw new WrongResultsError(`the stream was not filled within ${PATIENCE_SECONDS} s`);
}

export async function measureRefill({ servers, figures, progress, quick }: Bench): Promise<void> {
  const facts = quick ? FACTS_QUICK : FACTS;
  progress.step(`relay: refilling a stream of ${facts} facts`, facts / 4_000);
  const database = await createDatabase(servers.databaseUrl, 'refill', servers.appUrl);
  await fillOutbox(database, facts);
  const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
  const running = relayOf(database, stream);
  await filled(stream, facts);
  await (await jetstreamManager(stream.connection)).streams.delete(STOCK_STREAM.name);
  const elapsedMs = await filled(stream, facts);
  await running.stop();
  await stream.close();
  await database.drop();
  figures.set('relay.refill_per_s', [facts / (elapsedMs / 1_000)]);
}
