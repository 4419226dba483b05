/** `relay.*`: how far the stream is behind the outbox while holds of one hot SKU go on as fast as they can. */
import { setTimeout as delay } from 'node:timers/promises';
import { EngineContender } from '../contenders/engine.ts';
import { missingVersions } from '../events/chain.ts';
import { FactsStream } from '../events/facts-stream.ts';
import type { Heard } from '../events/facts-stream.ts';
import { runClosedLoop } from '../measuring/closed-loop.ts';
import { percentile } from '../measuring/statistics.ts';
import { createDatabase, fillDatabase, withClient } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { verify } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import type { Key } from '../reporting/keys.ts';
import { relayOf } from './relay-of.ts';
import { measureRefill } from './relay-refill.ts';

const FILLING = { skus: 10, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const CALLERS = 64;
const SETUP_SECONDS = 5;
const DRAIN_SECONDS_MAX = 30;
const lengthOf = ({ quick, seconds }: Pick<Bench, 'quick' | 'seconds'>): number =>
  seconds < 1 ? seconds * 5 : quick ? 10 : 60;

interface Written {
  readonly recordedAtMs: ReadonlyMap<string, number>;
  readonly versions: ReadonlyMap<string, number>;
}

async function readWritten(database: BenchDatabase): Promise<Written> {
  return withClient(database, async (client) => {
    const facts = await client.query<{ event_id: string; at: number }>(
      'SELECT event_id, (extract(epoch FROM recorded_at) * 1000)::float8 AS at FROM outbox',
    );
    const gates = await client.query<{ code: string; version: string }>(
      'SELECT code, version FROM sku_gate JOIN sku_code USING (sku_key)',
    );
    return {
      recordedAtMs: new Map(facts.rows.map(({ event_id, at }) => [event_id, at])),
      versions: new Map(gates.rows.map(({ code, version }) => [code, Number(version)])),
    };
  });
}

/** Listens from the stream's begin until every fact of the outbox was heard or half a minute is over. */
async function hearAll(stream: FactsStream, expected: number): Promise<ReadonlyMap<string, Heard>> {
  const heard = new Map<string, Heard>();
  await stream.listen((one) => heard.set(one.eventId, heard.get(one.eventId) ?? one));
  const deadline = performance.now() + DRAIN_SECONDS_MAX * 1_000;
  while (heard.size < expected && performance.now() < deadline) await delay(50);
  return heard;
}

const REFILL = 'relay.refill_per_s';
const isLag = ({ key }: Key): boolean => key !== REFILL;

export const relay: Benchmark = {
  estimate: (keys, bench) =>
    (keys.some(isLag) ? SETUP_SECONDS + lengthOf(bench) + 5 : 0) + (keys.every(isLag) ? 0 : bench.quick ? 15 : 45),
  async run(keys, bench) {
    const others = keys.filter(isLag);
    if (others.length > 0) await measureLag(others, bench);
    if (others.length < keys.length) await measureRefill(bench);
  },
};

async function measureLag(keys: readonly Key[], bench: Bench): Promise<void> {
  const { servers, figures, progress, queues } = bench;
  progress.step('relay: preparing', SETUP_SECONDS);
  const database = await createDatabase(servers.databaseUrl, 'relay', servers.appUrl);
  await fillDatabase(database, FILLING);
  const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
  const running = relayOf(database, stream);
  const engine = new EngineContender({
    ...database,
    ...(queues === undefined ? {} : { queues }),
    onCommitted: () => running.relay.nudge(),
  });
  const seconds = lengthOf(bench);
  progress.step(`relay: hot holds for ${seconds} s`, seconds);
  const line = [{ sku: 1, quantity: 1 }];
  const load = await runClosedLoop({ callers: CALLERS, seconds, call: () => engine.reserve(line) });
  progress.step('relay: reading what the stream holds', 5);
  await engine.close();
  const written = await readWritten(database);
  const heard = await hearAll(stream, written.recordedAtMs.size);
  await running.stop();
  const facts = [...heard.values()];
  const lags = facts.map(({ eventId, storedAtMs }) => storedAtMs - (written.recordedAtMs.get(eventId) ?? NaN));
  const chosen = new Map([
    ['relay.lag_p99_s', percentile(lags, 0.99) / 1_000],
    [
      'relay.missing',
      missingVersions(
        facts.map(({ data }) => data),
        written.versions,
      ),
    ],
  ]);
  for (const { key } of keys) figures.set(key, [chosen.get(key) ?? NaN]);
  figures.detail('relay.reservations_per_s', [load.perSecond]);
  figures.detail('relay.facts_per_s', [facts.length / seconds]);
  figures.detail('relay.lag_p50_s', [percentile(lags, 0.5) / 1_000]);
  await verify(database, [engine], FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow);
  await stream.close();
  await database.drop();
}
