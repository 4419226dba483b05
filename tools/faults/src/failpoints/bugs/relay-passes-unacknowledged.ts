import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accepts } from '../../faults/killed-server.ts';
import type { OwnSystem } from '../../own-system.ts';
import { until } from '../../until.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

/** Each with a SKU of its own: of one SKU a single fact is under way at a time. */
const CALLERS = 8;
/** Longer than the relay waits for an acknowledgement. */
const HANG_MS = 10_000;
const HANGS_MAX = 6;
/** What was under way when it hung may have been stored, and only its acknowledgement is missing: then nothing is lost. */
const KILLS = 3;
const FLOW_MS = 200;
const STALL_MS = 8_000;

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
      const flowing = async (): Promise<true | undefined> => {
        const before = await consumer.effects();
        await delay(FLOW_MS);
        return (await consumer.effects()) > before || undefined;
      };
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await hangUntilMissed(system, flowing);
        system.killNow('nats');
        await until('nats-server to be back', async () => (await accepts(system.natsUrl, true)) || undefined);
        const before = await consumer.effects();
        await until('facts to take effect again', async () => (await consumer.effects()) > before + 20 || undefined);
      }
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    const { missing, effects } = await consumer.audit(say, STALL_MS);
    return ifAny(missing, `facts never reached the consumer, beside ${effects} that did`);
  },
};

/** Hangs it until a fact was sent in vain. When it hangs, the relay may just be asking it something, and then it sends none. */
async function hangUntilMissed(system: OwnSystem, flows: () => Promise<true | undefined>): Promise<void> {
  const log = join(system.logs, 'availability-1.log');
  const sentInVain = (): number => readFileSync(log, 'utf8').match(/no acknowledgement within/g)?.length ?? 0;
  const known = sentInVain();
  const missed = (): true | undefined => sentInVain() > known || undefined;
  for (let hang = 1; hang <= HANGS_MAX; hang += 1) {
    process.kill(system.pidOf('nats'), 'SIGSTOP');
    if (await until('a fact to be sent in vain', missed, HANG_MS).catch(() => false)) return;
    process.kill(system.pidOf('nats'), 'SIGCONT');
    await until('facts to take effect again', flows);
  }
  throw new Error(`nats-server hung ${HANGS_MAX} times, and no fact was under way`);
}
