import { setTimeout as delay } from 'node:timers/promises';
import { accepts } from '../../faults/killed-server.ts';
import { until } from '../../until.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

/** Each with a SKU of its own: of one SKU a single fact is under way at a time. */
const CALLERS = 8;
/** Longer than the relay waits for an acknowledgement. */
const HUNG_MS = 3_000;
const STALL_MS = 6_000;

/** nats-server hangs and is then killed: facts that were sent to it and not acknowledged have to come again. */
export const relayPassesUnacknowledged: BugTrial = {
  bug: 'messaging.relay_passes_unacknowledged',
  replicas: 1,
  withConsumer: true,
  look: async ({ system, shop, consumer, say }) => {
    let isOver = false;
    const caller = async (_: unknown, index: number): Promise<void> => {
      const sku = `${shop.prefix}told-${index}`;
      await shop.putSkus(sku);
      await shop.receive(sku, 1_000_000);
      while (!isOver) await shop.hold(sku, 1);
    };
    const callers = Array.from({ length: CALLERS }, caller);
    try {
      await until('facts to take effect', async () => (await consumer.effects()) > 50 || undefined);
      process.kill(system.pidOf('nats'), 'SIGSTOP');
      await delay(HUNG_MS);
      system.killNow('nats');
      await until('nats-server to be back', async () => (await accepts(system.natsUrl, true)) || undefined);
      const before = await consumer.effects();
      await until('facts to take effect again', async () => (await consumer.effects()) > before + 20 || undefined);
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    const { missing, effects } = await consumer.audit(say, STALL_MS);
    return ifAny(missing, `facts never reached the consumer, beside ${effects} that did`);
  },
};
