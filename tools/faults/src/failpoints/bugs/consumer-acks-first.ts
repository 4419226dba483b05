import { until } from '../../until.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

const KILLED_AT = 'messaging.inbox.before_commit';
const HOLDS = 60;
const STALL_MS = 6_000;

/** A consumer is killed between a fact's effect and its commit: the fact has to come again. */
export const consumerAcksFirst: BugTrial = {
  bug: 'messaging.consumer_acks_first',
  replicas: 1,
  of: 'consumer',
  withConsumer: true,
  besides: `${KILLED_AT}=kill@20`,
  look: async ({ system, shop, consumer, say }) => {
    const sku = `${shop.prefix}told`;
    await shop.putSkus(sku);
    await shop.receive(sku, 1_000);
    for (let hold = 0; hold < HOLDS; hold += 1) await shop.demandHold(sku, 1);
    await until('the consumer to be killed', () => system.wasKilledAt(KILLED_AT) || undefined);
    const { missing, effects } = await consumer.audit(say, STALL_MS);
    return ifAny(missing, `facts took no effect at the consumer, beside ${effects} that did`);
  },
};
