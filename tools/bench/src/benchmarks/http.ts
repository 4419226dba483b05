/** `http.*`: one real replica against bare Fastify routes, driven by the same generator in turns. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FactsStream } from '../events/facts-stream.ts';
import type { Answers } from '../http/answers.ts';
import { CONNECTIONS, generate } from '../http/generate.ts';
import type { HttpResult } from '../http/generate.ts';
import { HOT_SKU, holdBody, requestsOf } from '../http/requests.ts';
import type { Route } from '../http/requests.ts';
import { cpuOf, cpuOfFamily, perRequest } from '../measuring/cpu.ts';
import { Results, interleave } from '../measuring/rounds.ts';
import { medianOfAll, ratios } from '../measuring/statistics.ts';
import { startApp, startBare } from '../setting/app-process.ts';
import type { App, RunningProgram } from '../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase, withClient } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { WrongResultsError, verify } from '../setting/verify.ts';
import type { Bench, Benchmark } from './benchmark.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const SETUP_SECONDS = 20;
const WARM_SECONDS = 1;

const ROUTE_OF: Readonly<Record<string, Route>> = {
  'http.reserve_vs_bare': 'reserve',
  'http.read_vs_bare': 'read',
  'http.read100_vs_bare': 'read100',
};
type Contender = `${Route}_${'app' | 'bare'}`;

interface TurnResult extends HttpResult {
  readonly client: number | null;
  readonly postgres: number | null;
  readonly app: number | null;
}

/** Asks the app once on each route, so that the bare routes answer bodies of the same size. */
async function sampleAnswers(app: App): Promise<Answers> {
  const ask = async (route: Route): Promise<string> => {
    const [first] = requestsOf(route, FILLING.skus);
    const body = route === 'reserve' ? holdBody(HOT_SKU) : first?.body;
    const answer = await fetch(`${app.url}${first?.path ?? ''}`, {
      method: first?.method ?? 'GET',
      headers: { authorization: `Bearer ${app.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: String(body) }),
    });
    if (!answer.ok) throw new WrongResultsError(`${route}: ${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  return { reserve: await ask('reserve'), read: await ask('read'), read100: await ask('read100') };
}

async function turn(
  bench: Bench,
  route: Route,
  target: RunningProgram,
  key: string,
  seconds: number,
): Promise<TurnResult> {
  const { postmaster } = bench.servers;
  const before = { client: cpuOf(process.pid), postgres: cpuOfFamily(postmaster), app: cpuOf(target.pid) };
  const result = await generate(route, { url: target.url, key, skus: FILLING.skus }, seconds);
  return {
    ...result,
    client: perRequest(before.client, cpuOf(process.pid), result.answered),
    postgres: perRequest(before.postgres, cpuOfFamily(postmaster), result.answered),
    app: perRequest(before.app, cpuOf(target.pid), result.answered),
  };
}

/**
 * The generator cuts its connections at the end of a turn, so each connection may leave one reservation that was made
 * and never answered; beyond that the database holds what was answered.
 */
export async function verifyHttp(
  database: BenchDatabase,
  owner: string,
  answered: number,
  unansweredMax: number,
  filling: { readonly skus: number; readonly nodesPerSku: number; readonly unitsPerRow: number },
): Promise<void> {
  const made = await withClient(database, async (session) => {
    const { rows } = await session.query<{ count: string }>('SELECT count(*) FROM reservation WHERE owner = $1', [
      owner,
    ]);
    return Number(rows[0]?.count);
  });
  if (made < answered || made > answered + unansweredMax) {
    throw new WrongResultsError(`${answered} reservations were answered 201, the database holds ${made}`);
  }
  const claim = { owner, tally: { reservations: made, lines: made, units: made } };
  await verify(database, [claim], filling.skus * filling.nodesPerSku * filling.unitsPerRow);
}

function report(routes: readonly Route[], results: Results<Contender, TurnResult>, { figures }: Bench): void {
  for (const route of routes) {
    const rates = (who: 'app' | 'bare') => results.pick(`${route}_${who}`, ({ perSecond }) => perSecond);
    figures.set(`http.${route}_vs_bare`, ratios(rates('app'), rates('bare')));
    for (const who of ['app', 'bare'] as const) {
      const turns = `${route}_${who}` as const;
      figures.detail(`http.${turns}_per_s`, rates(who));
      figures.detail(
        `http.${turns}_p99_ms`,
        results.pick(turns, ({ p99Ms }) => p99Ms),
      );
      const cpu = (choose: (result: TurnResult) => number | null): number | null =>
        medianOfAll(results.pick(turns, choose));
      figures.cpu.push({
        what: `http.${turns}`,
        client: cpu(({ client }) => client),
        postgres: cpu(({ postgres }) => postgres),
        app: cpu(({ app }) => app),
      });
    }
  }
}

export const http: Benchmark = {
  estimate: (keys, { rounds, seconds }) => SETUP_SECONDS + keys.length * 2 * (rounds * seconds + WARM_SECONDS),
  async run(keys, bench) {
    const { servers, progress, rounds } = bench;
    // The generator counts in whole seconds.
    const seconds = Math.max(1, Math.round(bench.seconds));
    progress.step('http: filling 10,000 SKUs × 10 nodes, starting one replica', SETUP_SECONDS);
    const database = await createDatabase(servers.databaseUrl, 'http', servers.appUrl);
    await fillDatabase(database, FILLING);
    const routes = keys.flatMap(({ key }) => ROUTE_OF[key] ?? []);
    const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
    const app = await startApp(database, servers);
    const answersFile = join(servers.home, 'answers.json');
    writeFileSync(answersFile, JSON.stringify(await sampleAnswers(app)));
    const bare = await startBare(answersFile, servers);
    let answered = 1;
    let turns = 1;
    const take = async (contender: Contender, length: number): Promise<TurnResult> => {
      const [route, who] = contender.split('_') as [Route, 'app' | 'bare'];
      const result = await turn(bench, route, who === 'app' ? app : bare, app.key, length);
      if (contender === 'reserve_app') {
        answered += result.answered;
        turns += 1;
      }
      return result;
    };
    try {
      const contenders = routes.flatMap((route): Contender[] => [`${route}_app`, `${route}_bare`]);
      const results = new Results<Contender, TurnResult>();
      progress.step('http: warming up', contenders.length * WARM_SECONDS);
      for (const contender of contenders) await take(contender, WARM_SECONDS);
      for (const { round, contender } of interleave(contenders, rounds)) {
        if (contender === contenders[0]) await checkpoint(database);
        progress.step(`http, round ${round + 1} of ${rounds}: ${contender}`, seconds);
        results.add(contender, await take(contender, seconds));
      }
      report(routes, results, bench);
    } finally {
      await Promise.all([app.stop(), bare.stop()]);
      await stream.close();
    }
    await verifyHttp(database, app.principal, answered, turns * CONNECTIONS, FILLING);
    await database.drop();
  },
};
