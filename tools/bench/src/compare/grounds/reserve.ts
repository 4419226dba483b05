/** `reserve.*`: holds of the engine, in this process. */
import type { Line } from '../../contenders/contender.ts';
import { EngineContender } from '../../contenders/engine.ts';
import { runClosedLoop } from '../../measuring/closed-loop.ts';
import { seeded } from '../../measuring/seeded.ts';
import { checkpoint, createDatabase, fillDatabase } from '../../setting/database.ts';
import type { Servers } from '../../setting/servers.ts';
import { verify } from '../../setting/verify.ts';
import type { EngineLoad } from '../protocol.ts';
import type { Ground } from './ground.ts';

const FILLING = { skus: 10_000, nodesPerSku: 10, unitsPerRow: 10_000_000 };
const UNITS = FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow;
const HOT_SKU = 1;
const LINES_PER_CART = 3;
const CALLERS: Readonly<Record<EngineLoad, number>> = { hot: 64, uniform: 64, carts: 64, alone: 1 };

function demand(load: EngineLoad, seed: number): () => readonly Line[] {
  const random = seeded(seed);
  const anySku = (): number => HOT_SKU + 1 + random(FILLING.skus - 1);
  if (load === 'hot') return () => [{ sku: HOT_SKU, quantity: 1 }];
  if (load !== 'carts') return () => [{ sku: anySku(), quantity: 1 }];
  return () => {
    const skus = new Set<number>();
    while (skus.size < LINES_PER_CART) skus.add(anySku());
    return [...skus].map((sku) => ({ sku, quantity: 1 }));
  };
}

export async function reserveGround(servers: Servers): Promise<Ground> {
  const database = await createDatabase(servers.databaseUrl, 'compare_reserve', servers.appUrl);
  await fillDatabase(database, FILLING);
  const engine = new EngineContender({ ...database });
  return {
    pid: process.pid,
    ready: () => checkpoint(database),
    run: async (name, seconds, seed) => {
      const load = name as EngineLoad;
      const lines = demand(load, seed);
      const before = engine.tally.reservations;
      const call = (): Promise<void> => engine.reserve(lines());
      const { perSecond, p99Ms } = await runClosedLoop({ callers: CALLERS[load], seconds, call });
      return { operations: engine.tally.reservations - before, perSecond, p99Ms };
    },
    close: () => engine.close(),
    verify: () => verify(database, [engine], UNITS),
  };
}
