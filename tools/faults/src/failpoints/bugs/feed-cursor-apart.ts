import { endLeases } from '../kills/end-leases.ts';
import { unitsOf } from '../shop.ts';
import type { BugTrial } from './bug-trial.ts';

const KILLED_AT = 'stock.feed_delta.after_commit';
const UNITS = 7;

/** The worker is killed once a chunk of a delta is committed; another takes the feed up where it was. */
export const feedCursorApart: BugTrial = {
  bug: 'stock.feed_cursor_apart',
  replicas: 1,
  besides: `${KILLED_AT}=kill`,
  look: async ({ system, shop }) => {
    const [node] = shop.nodes;
    const sku = `${shop.prefix}delta`;
    await shop.putSkus(sku);
    const id = shop.id('delta');
    const capturedAt = new Date().toISOString();
    await shop.sendFeed({ id, mode: 'delta', capturedAt, rows: [`${sku},${node},${UNITS}`] });
    await shop.feedDone(id, () => endLeases(system, KILLED_AT));
    const { onHand } = unitsOf(await shop.stockOf(sku));
    return onHand === UNITS ? [] : [`a delta of ${UNITS} units was sent once, and the book has ${onHand}`];
  },
};
