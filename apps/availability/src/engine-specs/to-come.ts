/** Units that are to come, as specs announce them and wait for them, of one SKU unless told. */
import type { HoldRequest, PutInbound } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC } from '../testing/pool-fixture.ts';
import { readsOf, until } from './asking.ts';

type Line = PutInbound['lines'][number];

export const expected = (id: string, quantity: number, more: Partial<Line> = {}): Line => ({
  ...{ id, sku: 'sku1', node: 'n1', quantity },
  ...more,
});

export const announce = async (engine: StockEngine, id: string, ...lines: readonly Line[]) =>
  engine.putInbound(SPEC, { id, lines: [...lines] });

/** A hold of one line that may wait. */
export const wait = (engine: StockEngine, id: string, quantity: number, more: Partial<HoldRequest> = {}) =>
  engine.hold(SPEC, { id, channel: 'web', lines: [{ sku: 'sku1', quantity, mayWait: true }], ...more });

/** So many units may be promised at any node that are not known to come. */
export const allow = (pool: PoolFixture, cap: number) =>
  pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], cap }]);

export const stockOf = async (engine: StockEngine, sku = 'sku1') => (await readsOf(engine).stock(sku)).rows;

export const atpOf = async (engine: StockEngine) => readsOf(engine).atpOfOne({ channel: 'web', skus: ['sku1'] });

/** What open units of a reservation stand on: `[kind, node, units]`. */
export const backingsOf = async (engine: StockEngine, id: string) =>
  (await readsOf(engine).reservation({ ...SPEC, nodes: 'all', channels: 'all' }, id)).lines
    .flatMap((line) => line.backings)
    .filter(({ held, confirmed }) => held + confirmed > 0)
    .map(({ kind, node, held, confirmed }) => [kind, node, held + confirmed]);

/** Has slices given out until none is left. */
export async function giveOut(engine: StockEngine, sku = 'sku1'): Promise<void> {
  const [key] = await engine.codes.keysOf([sku]);
  await until('no unit waits for a slice', async () => {
    if ((await stockOf(engine, sku)).every(({ unapplied }) => unapplied === 0)) return true;
    await engine.tend([key ?? 0], true);
    return false;
  });
}
