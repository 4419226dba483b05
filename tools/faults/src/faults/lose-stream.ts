import { jetstreamManager } from '@nats-io/jetstream';
import { STOCK_STREAM } from '@onepool/contracts';
import { connectNats } from '@onepool/platform-messaging';
import { onSystem } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';

const REPEATED_MS = 600_000;

/**
 * The stream of facts is deleted, and with it every durable consumer: the relay makes it anew and fills it from the
 * outbox, and a consumer that gets everything a second time applies nothing a second time.
 */
export const loseStream: Fault = {
  name: 'lose-stream',
  ends: [],
  prepare: onSystem(async ({ system, consumer, say }) => {
    const connection = await connectNats({ url: system.natsUrl, name: 'faults-drill' });
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const { state } = await manager.streams.info(STOCK_STREAM.name);
      await manager.streams.delete(STOCK_STREAM.name);
      const lostMs = performance.now();
      say(`the stream with ${state.messages} facts is deleted`);
      await until('the stream to be there again', async () => {
        const info = await manager.streams.info(STOCK_STREAM.name);
        return info.state.messages > 0 || undefined;
      });
      const before = await consumer.effects();
      // First the consumer is given everything again, which takes a busy machine minutes.
      await until('a new fact to arrive', async () => (await consumer.effects()) > before || undefined, REPEATED_MS);
      const factsMs = Math.round(performance.now() - lostMs);
      say(`new facts arrive again after ${factsMs} ms`);
      return { note: `facts flow again after ${factsMs} ms`, violations: [] };
    } finally {
      await connection.close();
    }
  }),
};
