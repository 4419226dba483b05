import { unitsOf } from '../shop.ts';
import type { BugTrial } from './bug-trial.ts';

const UNITS = 5;

/** Units arrive, and are counted at that very instant: they are in the count. */
export const resetCountsItsInstantTwice: BugTrial = {
  bug: 'stock.reset_counts_its_instant_twice',
  replicas: 1,
  look: async ({ shop }) => {
    const [node] = shop.nodes;
    const sku = `${shop.prefix}counted`;
    const instant = new Date(Date.now() - 60_000).toISOString();
    await shop.putSkus(sku);
    await shop.move([{ type: 'receipt', sku, node, quantity: UNITS }], instant);
    const id = shop.id('count');
    await shop.sendFeed({ id, mode: 'reset', capturedAt: instant, rows: [`${sku},${node},${UNITS}`] });
    await shop.feedDone(id);
    const { onHand } = unitsOf(await shop.stockOf(sku));
    return onHand === UNITS ? [] : [`${UNITS} units were counted, and the book says ${onHand}`];
  },
};
