import { jetstream, type Consumer, type ConsumerMessages, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';
import { isOutage } from '@onepool/platform-postgres';
import { monitorConnection } from '../nats/connection-monitor.ts';
import { WakeUp } from '../wake-up.ts';
import type {
  AnyConsumerOptions,
  ConsumerOptions,
  PlacedConsumerOptions,
  UnstoredConsumerOptions,
} from './consumer-options.ts';
import { type ConsumerSettings, consumerSettings } from './consumer-settings.ts';
import { ensureDeadLetterStream } from './dead-letter.ts';
import { ensureDurable } from './durable.ts';
import { KeyedPool } from './keyed-pool.ts';
import { MessageProcessor } from './message-processor.ts';
import { Watchdog } from './watchdog.ts';

/** A running consumer. */
export interface RunningConsumer {
  /** True while messages can be fetched and PostgreSQL is there to apply them. */
  isReady(): boolean;
  /** Takes no more messages, finishes those in hand, then resolves. */
  stop(): Promise<void>;
}

const RETRY_DELAY_MS = 250;
const FETCH_EXPIRES_MS = 5_000;
const FETCH_GUARD_MS = 2_000;
const FETCH_PER_SLOT = 8;

/**
 * Consumes a filtered part of a stream, each event taking effect once: a durable pull consumer, explicit acks, inbox
 * and effect in one transaction, then the ack. It creates the durable where it is missing, survives restarts of NATS
 * and PostgreSQL by itself, and sets poison messages aside. Without a pool there is no inbox, and an event may be handled again.
 */
export function runConsumer<Context>(
  options: ConsumerOptions | PlacedConsumerOptions<Context> | UnstoredConsumerOptions,
): RunningConsumer {
  const loop = new ConsumerLoop(consumerSettings(options as AnyConsumerOptions));
  const finished = loop.run();
  return {
    isReady: () => loop.isReady(),
    async stop() {
      loop.requestStop();
      await finished;
    },
  };
}

class ConsumerLoop {
  readonly #settings: ConsumerSettings;
  readonly #jetStream: JetStreamClient;
  readonly #processor: MessageProcessor;
  readonly #tasks: KeyedPool;
  readonly #watchdog: Watchdog;
  readonly #monitor: ReturnType<typeof monitorConnection>;
  readonly #pause = new WakeUp();
  #current: ConsumerMessages | undefined;
  #consumer: Consumer | undefined;
  #stopping = false;
  #outage = false;
  #fetching = false;

  constructor(settings: ConsumerSettings) {
    this.#settings = settings;
    this.#jetStream = jetstream(settings.connection, settings.domain === undefined ? {} : { domain: settings.domain });
    this.#processor = new MessageProcessor(settings);
    this.#tasks = new KeyedPool(settings.concurrency);
    // After a reconnect the durable may be gone with its stream, so it is looked up, and if need be created, again.
    this.#monitor = monitorConnection(settings.connection, () => this.#restart());
    this.#watchdog = new Watchdog(settings, () => this.#restart());
  }

  isReady(): boolean {
    return this.#fetching && !this.#outage && this.#monitor.isConnected();
  }

  requestStop(): void {
    this.#stopping = true;
    this.#restart();
  }

  async run(): Promise<void> {
    while (!this.#stopping) {
      // A request made while disconnected only runs into its time-out; the reconnect ends this pause.
      if (!this.#monitor.isConnected()) {
        await this.#pause.wait(RETRY_DELAY_MS);
        continue;
      }
      try {
        await this.#waitForStore();
        this.#consumer ??= await this.#openConsumer();
        await this.#fetchOnce(this.#consumer);
      } catch (error) {
        this.#consumer = undefined;
        this.#fetching = false;
        this.#settings.hooks.onError?.(error);
        await this.#pause.wait(RETRY_DELAY_MS);
      }
    }
    await this.#tasks.drain();
    this.#watchdog.stop();
    this.#monitor.stop();
    // Acks are sent without waiting; this makes sure that they left before the caller closes the connection. One that somebody
    // else closes meanwhile never answers.
    const { connection } = this.#settings;
    if (this.#monitor.isConnected())
      await Promise.race([connection.flush().catch(() => undefined), connection.closed()]);
  }

  #restart(): void {
    this.#consumer = undefined;
    this.#current?.stop();
    this.#pause.wake();
  }

  async #openConsumer(): Promise<Consumer> {
    const { stream, durable, connection, provisioned } = this.#settings;
    if (!provisioned) {
      await ensureDeadLetterStream(connection);
      await ensureDurable(await this.#jetStream.jetstreamManager(false), stream, this.#settings);
    }
    const consumer = await this.#jetStream.consumers.get(stream, durable);
    this.#watchdog.watch(consumer);
    return consumer;
  }

  async #fetchOnce(consumer: Consumer): Promise<void> {
    const messages = await consumer.fetch({
      max_messages: this.#settings.concurrency * FETCH_PER_SLOT,
      expires: FETCH_EXPIRES_MS,
    });
    this.#current = messages;
    this.#fetching = true;
    let waitingSince = performance.now();
    // The client's own timer pauses while it is disconnected, so a fetch could outlive the server it asked.
    const guard = setInterval(() => {
      if (performance.now() - waitingSince > FETCH_EXPIRES_MS + FETCH_GUARD_MS) messages.stop();
    }, FETCH_GUARD_MS);
    try {
      if (this.#stopping) messages.stop();
      for await (const message of messages) {
        waitingSince = Infinity;
        await this.#take(message);
        waitingSince = performance.now();
      }
    } finally {
      clearInterval(guard);
      this.#current = undefined;
    }
  }

  async #take(message: JsMsg): Promise<void> {
    // Held, not returned, while PostgreSQL is away: a return would only be delivered again and count against it.
    await this.#waitForStore();
    if (this.#stopping) return message.nak();
    const key = message.headers?.get('ce-partitionkey') ?? '';
    await this.#tasks.add(key, async () => {
      if ((await this.#processor.process(message)) === 'outage') this.#outage = true;
      else this.#watchdog.progressed();
    });
  }

  async #waitForStore(): Promise<void> {
    while (this.#outage && !this.#stopping) {
      try {
        await this.#settings.effects.look();
        this.#outage = false;
      } catch (error) {
        if (!isOutage(error)) throw error;
        await this.#pause.wait(RETRY_DELAY_MS);
      }
    }
  }
}
