/** `feed.*`: resets of a million rows through one replica, against COPY of the same rows. */
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import { FactsStream } from '../events/facts-stream.ts';
import { relayed, verifyFeeds } from '../feeds/feed-book.ts';
import { applyFeed } from '../feeds/feed-client.ts';
import { Counts, timeCopy } from '../feeds/feed-files.ts';
import type { CountsShape } from '../feeds/feed-files.ts';
import { holdBody } from '../http/requests.ts';
import { interleave, Results } from '../measuring/rounds.ts';
import { runOpenLoop } from '../measuring/open-loop.ts';
import { seeded } from '../measuring/seeded.ts';
import { percentile, ratios } from '../measuring/statistics.ts';
import type { Key } from '../reporting/keys.ts';
import { startApp } from '../setting/app-process.ts';
import type { App } from '../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';

/** A million rows; turns below a second, as a developer's check has them, do with a tenth. */
const shapeOf = ({ seconds }: Pick<Bench, 'seconds'>): CountsShape => ({
  skus: seconds < 1 ? 10_000 : 100_000,
  nodes: 10,
});
const UNITS_PER_ROW = 1_000;
const RESERVATIONS_PER_SECOND = 500;
const CONNECTIONS = 64;
const SETUP_SECONDS = 25;
/** The time in which the relay catches up included. */
const FEED_SECONDS = { some: 20, all: 60, copy: 6 };
const EACH = { some: 20, all: 1 };

const TURNS = ['copy', 'some', 'all', 'idle', 'during'] as const;
type Turn = (typeof TURNS)[number];
const NEEDS: Readonly<Record<string, readonly Turn[]>> = {
  'feed.reset_vs_copy': ['copy', 'some'],
  'feed.reset_all_vs_copy': ['copy', 'all'],
  'feed.p99_during_vs_idle': ['idle', 'during'],
  'feed.rss_mb': ['some', 'all'],
};
const turnsFor = (keys: readonly Key[]): readonly Turn[] => {
  const needed = new Set(keys.flatMap(({ key }) => NEEDS[key] ?? []));
  return TURNS.filter((turn) => needed.has(turn));
};

/** Most memory a process has held, in MB; null where there is no /proc. */
function peakMemoryMb(pid: number): number | null {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}

class FeedRun {
  readonly results = new Results<Turn, number>();
  readonly #shape: CountsShape;
  readonly #counts: Counts;
  readonly #pool: Pool;
  readonly #random = seeded(17);
  #feeds = 0;
  reserved = 0;

  readonly #bench: Bench;
  readonly #database: BenchDatabase;
  readonly #app: App;

  constructor(bench: Bench, database: BenchDatabase, app: App) {
    this.#bench = bench;
    this.#database = database;
    this.#app = app;
    this.#shape = shapeOf(bench);
    this.#counts = new Counts(this.#shape, UNITS_PER_ROW);
    this.#pool = new Pool(app.url, { connections: CONNECTIONS });
  }

  async take(turn: Turn, round: number): Promise<number> {
    switch (turn) {
      case 'copy':
        return timeCopy(this.#database, this.#counts.csv());
      case 'some':
      case 'all':
        return this.#reset(EACH[turn], round);
      case 'idle':
        return this.#p99(await this.#reserveFor(Math.max(2, this.#bench.seconds)));
      case 'during':
        return this.#p99During(round);
    }
  }

  /** Seconds; the rows that were applied are exactly those that were changed. */
  async #reset(each: number, offset: number): Promise<number> {
    const changed = this.#counts.change(each, offset + this.#feeds);
    const { seconds, applied } = await applyFeed(
      this.#app,
      { id: `feed-${this.#feeds++}`, mode: 'reset' },
      this.#counts.csv(),
    );
    if (applied !== changed) throw new WrongResultsError(`${changed} counts had changed, a feed applied ${applied}`);
    return seconds;
  }

  async #p99During(round: number): Promise<number> {
    let applying = true;
    const latencies: number[] = [];
    const feed = this.#reset(EACH.some, round).finally(() => (applying = false));
    while (applying) latencies.push(...(await this.#reserveFor(0.5)));
    await feed;
    return this.#p99(latencies);
  }

  #p99 = (latencies: readonly number[]): number => percentile(latencies, 0.99);

  /** Milliseconds of each reservation, sent at the fixed rate. */
  #reserveFor(seconds: number): Promise<readonly number[]> {
    return runOpenLoop({ perSecond: RESERVATIONS_PER_SECOND, seconds, send: () => this.#reserve() });
  }

  async #reserve(): Promise<number> {
    const begun = performance.now();
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: '/v1/reservations',
      headers: { authorization: `Bearer ${this.#app.key}`, 'content-type': 'application/json' },
      body: holdBody(1 + this.#random(this.#shape.skus)),
    });
    await body.dump();
    if (statusCode !== 201) throw new WrongResultsError(`a reservation beside a feed was answered ${statusCode}`);
    this.reserved += 1;
    return performance.now() - begun;
  }

  verify(): Promise<void> {
    const onHandBefore = this.#counts.rows * UNITS_PER_ROW;
    return verifyFeeds(this.#database, { onHandBefore, onHand: this.#counts.total, reserved: this.reserved });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

async function takeTurns(turns: readonly Turn[], run: FeedRun, bench: Bench, database: BenchDatabase): Promise<void> {
  const { rounds, progress } = bench;
  for (const { round, contender: turn } of interleave(turns, rounds)) {
    progress.step(`feed, round ${round + 1} of ${rounds}: ${turn}`, secondsOf(turn, bench));
    await checkpoint(database);
    run.results.add(turn, await run.take(turn, round));
    progress.step(`feed, round ${round + 1} of ${rounds}: the relay catches up`, 0);
    // Facts of one turn are not relayed at the cost of the next.
    await relayed(database);
  }
}

const secondsOf = (turn: Turn, { seconds }: Pick<Bench, 'seconds'>): number =>
  turn === 'idle' ? Math.max(2, seconds) : FEED_SECONDS[turn === 'during' ? 'some' : turn];

function report(
  keys: readonly Key[],
  turns: readonly Turn[],
  { results }: FeedRun,
  app: App,
  { figures }: Bench,
): void {
  const seconds = (turn: Turn) => results.pick(turn, Number);
  const memory = peakMemoryMb(app.pid);
  for (const { key } of keys) {
    if (key === 'feed.rss_mb') {
      if (memory === null) figures.notRun.set(key, 'no /proc on this system');
      else figures.set(key, [memory]);
    } else if (key === 'feed.p99_during_vs_idle') figures.set(key, ratios(seconds('during'), seconds('idle')));
    else figures.set(key, ratios(seconds(key === 'feed.reset_vs_copy' ? 'some' : 'all'), seconds('copy')));
  }
  for (const turn of turns) {
    figures.detail(turn === 'idle' || turn === 'during' ? `feed.${turn}_p99_ms` : `feed.${turn}_s`, seconds(turn));
  }
  figures.notes.set('feed.reservations_per_s', `${RESERVATIONS_PER_SECOND}, sent at a fixed rate over HTTP`);
}

export const feed: Benchmark = {
  estimate: (keys, bench) =>
    SETUP_SECONDS + bench.rounds * turnsFor(keys).reduce((sum, turn) => sum + secondsOf(turn, bench), 0),
  async run(keys, bench) {
    const { servers, progress } = bench;
    progress.step('feed: filling the stock, starting one replica', SETUP_SECONDS);
    const database = await createDatabase(servers.databaseUrl, 'feed', servers.appUrl);
    const { skus, nodes } = shapeOf(bench);
    await fillDatabase(database, { skus, nodesPerSku: nodes, unitsPerRow: UNITS_PER_ROW });
    const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
    const app = await startApp(database, servers);
    const run = new FeedRun(bench, database, app);
    const turns = turnsFor(keys);
    try {
      await takeTurns(turns, run, bench, database);
      report(keys, turns, run, app, bench);
    } finally {
      await run.close();
      await app.stop();
      await stream.close();
    }
    await run.verify();
    await database.drop();
  },
};
