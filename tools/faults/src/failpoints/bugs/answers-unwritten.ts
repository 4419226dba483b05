import { setTimeout as delay } from 'node:timers/promises';
import { auditProbes } from '../../prober/audit-probes.ts';
import { Prober } from '../../prober/prober.ts';
import { type BugTrial, ifAny } from './bug-trial.ts';

const SECONDS = 1;
const CALLERS = 3;
const SETTLE_MS = 1_000;

/** Two replicas hold units of one SKU: each changes the stock that the other has just decided on. */
export const answersUnwritten: BugTrial = {
  bug: 'stock.answers_unwritten',
  replicas: 2,
  look: async ({ system, shop }) => {
    const prober = await Prober.start(system.urls, system.apiKey, shop.run);
    try {
      const stops = system.urls.map((url) => prober.hammer(url, CALLERS));
      await delay(SECONDS * 1_000);
      for (const stop of stops) stop();
      await prober.stop();
      const { lost, acknowledged } = await auditProbes(prober, SETTLE_MS);
      return ifAny(lost, `of ${acknowledged} acknowledged holds are not there`);
    } finally {
      await prober.stop();
      await prober.close();
    }
  },
};
