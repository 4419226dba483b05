import type { Reservation } from '@onepool/contracts';
import { until } from '../../until.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

const ROUNDS = 20;

/**
 * Holds that have expired are confirmed with units that are free, if there are any: a threshold that hides all of them, or
 * none any more, holds from the moment at which it was answered as set, however soon the next call comes.
 */
export const rulesBeforeLocks: BugTrial = {
  bug: 'stock.rules_before_locks',
  replicas: 1,
  look: async ({ shop }) => {
    const sku = `${shop.prefix}hidden`;
    await shop.putSkus(sku);
    await shop.receive(sku, 100);
    const expired: Reservation[] = [];
    for (let count = 0; count < ROUNDS; count += 1) {
      expired.push(await shop.demandHold(sku, 1, { expiresInSeconds: 1 }));
    }
    await until('the holds to expire', async () => {
      return (await shop.stockOf(sku)).rows.every(({ reserved }) => reserved === 0) || undefined;
    });
    let wrong = 0;
    for (const [round, { id }] of expired.entries()) {
      const isHidden = round % 2 === 0;
      await shop.hide(sku, isHidden ? 1_000 : 0);
      const { kind } = await shop.confirm(id, true);
      if ((kind === 'granted') === isHidden) wrong += 1;
    }
    return ifAny(wrong, `of ${ROUNDS} confirmations were decided by a threshold of before`);
  },
};
