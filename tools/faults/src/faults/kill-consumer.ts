import { onSystem } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';

const KILLS = 3;
const EFFECTS_BETWEEN = 100;

/** `kill -9` of a durable consumer, between its effects and its acknowledgements: each effect stays single. */
export const killConsumer: Fault = {
  name: 'kill-consumer',
  ends: [],
  prepare: onSystem(async ({ consumer, say }) => {
    const begunMs = performance.now();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = await consumer.effects();
      const enough = async (): Promise<true | undefined> =>
        (await consumer.effects()) >= before + EFFECTS_BETWEEN || undefined;
      await until(`${EFFECTS_BETWEEN} further effects`, enough);
      await consumer.restart();
      say(`the consumer is killed for the ${kill}. time`);
    }
    const before = await consumer.effects();
    await until('an effect of the new process', async () => (await consumer.effects()) > before || undefined);
    return { note: `${KILLS} kills in ${Math.round(performance.now() - begunMs)} ms`, violations: [] };
  }),
};
