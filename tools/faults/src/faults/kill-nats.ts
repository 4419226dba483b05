import { onSystem } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';
import { accepts, killAndMeasure } from './killed-server.ts';

/** `kill -9` of nats-server: promises go on without it, and afterwards every fact arrives. */
export const killNats: Fault = {
  name: 'kill-nats',
  ends: ['nats'],
  prepare: onSystem(async (stage) => {
    const { system, consumer, say } = stage;
    const measures = await killAndMeasure(stage, { name: 'nats', isBack: () => accepts(system.natsUrl, true) });
    const backMs = performance.now();
    const before = await consumer.effects();
    await until('a fact to arrive', async () => (await consumer.effects()) > before || undefined);
    const factsMs = Math.round(performance.now() - backMs);
    say(`facts arrive again ${factsMs} ms later`);
    return { ...measures, note: `facts flow again after ${factsMs} ms` };
  }),
};
