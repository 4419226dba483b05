/** `http.*`: requests to the app. */
import { verifyHttp } from '../../benchmarks/http.ts';
import { FactsStream } from '../../events/facts-stream.ts';
import { CONNECTIONS, generate } from '../../http/generate.ts';
import type { Route } from '../../http/requests.ts';
import { startApp } from '../../setting/app-process.ts';
import { checkpoint, createDatabase, fillDatabase } from '../../setting/database.ts';
import type { Servers } from '../../setting/servers.ts';
import type { Ground } from './ground.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 10_000_000 };

export async function httpGround(servers: Servers): Promise<Ground> {
  const database = await createDatabase(servers.databaseUrl, 'compare_http', servers.appUrl);
  await fillDatabase(database, FILLING);
  const stream = await FactsStream.create(await servers.natsUrl(), servers.ownsNats);
  const app = await startApp(database, servers);
  let held = 0;
  let turns = 0;
  return {
    pid: app.pid,
    ready: () => checkpoint(database),
    run: async (name, seconds) => {
      const route = name as Route;
      const target = { url: app.url, key: app.key, skus: FILLING.skus };
      const { answered, perSecond, p99Ms } = await generate(route, target, Math.max(1, Math.round(seconds)));
      if (route === 'reserve') {
        held += answered;
        turns += 1;
      }
      return { operations: answered, perSecond, p99Ms };
    },
    close: async () => {
      await app.stop();
      await stream.close();
    },
    verify: () => verifyHttp(database, app.principal, held, turns * CONNECTIONS, FILLING),
  };
}
