/**
 * `propagate.p99_ms`: from the 201 that this process received to the bytes of the fact that covers it, heard by a
 * JetStream consumer in this process. One replica, 1,000 single-line holds a second on random SKUs, sent when they are
 * due whether or not earlier ones were answered.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Reservation } from '@onepool/contracts';
import { Pool } from 'undici';
import { skuCode } from '../contenders/contender.ts';
import { delaysMs } from '../events/chain.ts';
import type { Answered } from '../events/chain.ts';
import { FactsStream } from '../events/facts-stream.ts';
import type { Heard } from '../events/facts-stream.ts';
import { holdBody } from '../http/requests.ts';
import { runOpenLoop } from '../measuring/open-loop.ts';
import { seeded } from '../measuring/seeded.ts';
import { percentile } from '../measuring/statistics.ts';
import { startApp } from '../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { verifyHttp } from './http.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const PER_SECOND = 1_000;
const CONNECTIONS = 128;
const SETUP_SECONDS = 15;
const SETTLE_SECONDS_MAX = 10;

/** Sends one hold and answers what its 201 said, and when. */
async function hold(pool: Pool, key: string, sku: number): Promise<Answered> {
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/reservations',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: holdBody(sku),
  });
  const text = await answer.body.text();
  const at = performance.now();
  if (answer.statusCode !== 201) throw new WrongResultsError(`a hold was answered ${answer.statusCode}: ${text}`);
  const [line] = (JSON.parse(text) as Reservation).lines;
  return { sku: skuCode(sku), version: line?.skuVersion ?? 0, at };
}

async function settle(answers: readonly Answered[], facts: readonly Heard[]): Promise<readonly (number | null)[]> {
  const deadline = performance.now() + SETTLE_SECONDS_MAX * 1_000;
  for (;;) {
    const delays = delaysMs(
      answers,
      facts.map(({ data, at }) => ({ ...data, at })),
    );
    if (delays.every((one) => one !== null) || performance.now() > deadline) return delays;
    await delay(100);
  }
}

export const propagate: Benchmark = {
  estimate: (_keys, { rounds, seconds }) => SETUP_SECONDS + rounds * (seconds + 1),
  async run(_keys, bench: Bench) {
    const { servers, figures, progress, rounds, seconds } = bench;
    progress.step('propagate: preparing, starting one replica', SETUP_SECONDS);
    const database = await createDatabase(servers.databaseUrl, 'propagate', servers.appUrl);
    await fillDatabase(database, FILLING);
    const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
    const app = await startApp(database, servers);
    const pool = new Pool(app.url, { connections: CONNECTIONS });
    const facts: Heard[] = [];
    const p99s: number[] = [];
    const achieved: number[] = [];
    const random = seeded(11);
    let answered = 0;
    try {
      await stream.listen((heard) => facts.push(heard));
      const send = (): Promise<Answered> => hold(pool, app.key, 1 + random(FILLING.skus));
      answered += (await runOpenLoop({ perSecond: PER_SECOND / 4, seconds: 1, send })).length;
      for (let round = 0; round < rounds; round += 1) {
        progress.step(`propagate, round ${round + 1} of ${rounds}`, seconds + 1);
        await checkpoint(database);
        const begun = performance.now();
        const answers = await runOpenLoop({ perSecond: PER_SECOND, seconds, send });
        achieved.push((answers.length * 1_000) / (performance.now() - begun));
        answered += answers.length;
        const delays = await settle(answers, facts);
        const arrived = delays.filter((one) => one !== null);
        if (arrived.length < delays.length) {
          throw new WrongResultsError(`${delays.length - arrived.length} changes were answered 201 and never told`);
        }
        p99s.push(percentile(arrived, 0.99));
      }
    } finally {
      await pool.close();
      await app.stop();
      await stream.close();
    }
    figures.set('propagate.p99_ms', p99s);
    figures.detail('propagate.changes_per_s', achieved);
    await verifyHttp(database, app.principal, answered, 0, FILLING);
    await database.drop();
  },
};
