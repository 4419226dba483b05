/** A system that was started broken, and everything that looks at it from outside. */
import { randomBytes } from 'node:crypto';
import { OwnConsumer } from '../consumer/own-consumer.ts';
import { OwnSystem } from '../own-system.ts';
import { Shop } from './shop.ts';

export interface StagePlan {
  readonly replicas: number;
  /** Of the apps; undefined leaves them as they are shipped. */
  readonly failpoints?: string | undefined;
  /** Of the consumer, of which there is none unless something is said here: null is a sound one. */
  readonly consumerFailpoints?: string | null | undefined;
  readonly say: (message: string) => void;
}

export interface Stage {
  readonly system: OwnSystem;
  readonly shop: Shop;
  /** @throws when the trial has none. */
  readonly consumer: OwnConsumer;
  readonly say: (message: string) => void;
}

/** Of what the runtime prints: a log need not keep it. */
const TOLD = /^✖|on purpose/;

/** What has to be ended, in reverse order; of one stage at a time. */
const endings: (() => Promise<void>)[] = [];

/** Ends what stands, also when the program is interrupted. */
export async function clearStage(): Promise<void> {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}

/** Starts what was planned, runs `work` on it, and ends all of it whatever happened. */
export async function onStage<T>(plan: StagePlan, work: (stage: Stage) => Promise<T>): Promise<T> {
  const { replicas, failpoints, consumerFailpoints, say } = plan;
  try {
    const onLine = (line: string): void => void (TOLD.test(line) && say(`system: ${line}`));
    const system = await OwnSystem.start({ onLine, keep: false, replicas, ...(failpoints && { failpoints }) });
    endings.push(() => system.stop());
    let consumer: OwnConsumer | undefined;
    if (consumerFailpoints !== undefined) {
      consumer = await OwnConsumer.start(system, consumerFailpoints);
      endings.push(() => consumer?.stop() ?? Promise.resolve());
    }
    const shop = new Shop(system.urls, system.apiKey, randomBytes(4).toString('hex'));
    endings.push(() => shop.close());
    await shop.openNetwork();
    return await work({
      system,
      shop,
      say,
      get consumer() {
        if (consumer === undefined) throw new Error('Broken invariant: this trial has no consumer');
        return consumer;
      },
    });
  } finally {
    await clearStage();
  }
}
