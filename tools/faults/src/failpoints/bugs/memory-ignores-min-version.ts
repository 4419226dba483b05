import { type BugTrial, ifAny } from './bug-trial.ts';

const ROUNDS = 40;

/** Whoever has been told a version by one replica asks another for a state at least as new. */
export const memoryIgnoresMinVersion: BugTrial = {
  bug: 'stock.memory_ignores_min_version',
  replicas: 2,
  look: async ({ system, shop }) => {
    const [first = '', second = ''] = system.urls;
    const [writer, reader] = [shop.through(first), shop.through(second)];
    const sku = `${shop.prefix}seen`;
    try {
      await writer.putSkus(sku);
      await writer.receive(sku, 1_000);
      /** Whether the answer is at least so new. */
      const read = async (minVersion: number): Promise<boolean> => {
        const query = { channel: shop.channel, minVersion };
        const answer = await reader.ask((onepool) => onepool.getAtp({ params: { sku }, query }));
        return answer.kind === 'granted' && answer.value.version >= minVersion;
      };
      let older = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        await read(0);
        await writer.demandHold(sku, 1);
        const { version } = await writer.stockOf(sku);
        if (!(await read(version))) older += 1;
      }
      return ifAny(older, `of ${ROUNDS} reads knew less than what their caller had seen`);
    } finally {
      await writer.close();
      await reader.close();
    }
  },
};
