/** `scale.*`: holds of the engine, in this process, on a table of ten thousand SKUs and on one of a million. */
import { EngineContender } from '../../contenders/engine.ts';
import { runClosedLoop } from '../../measuring/closed-loop.ts';
import { WORKING_SET, inWorkingSet } from '../../measuring/working-set.ts';
import { seeded } from '../../measuring/seeded.ts';
import { checkpoint, createDatabase, fillDatabase } from '../../setting/database.ts';
import type { Servers } from '../../setting/servers.ts';
import { verify } from '../../setting/verify.ts';
import type { ScaleLoad } from '../protocol.ts';
import type { Ground } from './ground.ts';

const SKUS: Readonly<Record<ScaleLoad, number>> = { '10k': WORKING_SET, '1m': 1_000_000 };
const UNITS_PER_ROW = 1_000_000;
const CALLERS = 64;
/** After a checkpoint every page is logged whole when it is first touched; the counted time begins past the worst of it. */
const WARM_SHARE = 0.25;

async function tableOf(size: ScaleLoad, servers: Servers) {
  const skus = SKUS[size];
  const database = await createDatabase(servers.databaseUrl, `compare_${size}`, servers.appUrl);
  await fillDatabase(database, { skus, nodesPerSku: 1, unitsPerRow: UNITS_PER_ROW });
  const engine = new EngineContender({ ...database });
  const load = async (seconds: number, seed: number) => {
    const random = seeded(seed);
    const before = engine.tally.reservations;
    const call = (): Promise<void> => engine.reserve([{ sku: inWorkingSet(skus, random), quantity: 1 }]);
    const { perSecond, p99Ms } = await runClosedLoop({ callers: CALLERS, seconds, call });
    return { operations: engine.tally.reservations - before, perSecond, p99Ms };
  };
  return { database, engine, load, units: skus * UNITS_PER_ROW };
}

export async function scaleGround(servers: Servers): Promise<Ground> {
  const tables = { '10k': await tableOf('10k', servers), '1m': await tableOf('1m', servers) };
  const all = Object.values(tables);
  return {
    pid: process.pid,
    ready: async (name, seconds) => {
      const { database, load } = tables[name as ScaleLoad];
      await checkpoint(database);
      await load(seconds * WARM_SHARE, 1);
    },
    run: (name, seconds, seed) => tables[name as ScaleLoad].load(seconds, seed + 2),
    close: async () => {
      for (const { engine } of all) await engine.close();
    },
    verify: async () => {
      for (const { database, engine, units } of all) await verify(database, [engine], units);
    },
  };
}
