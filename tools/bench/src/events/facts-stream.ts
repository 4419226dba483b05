/** The stream of facts as the benchmark needs it: empty before a measurement, and gone afterwards. */
import { DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { STOCK_STREAM } from '@onepool/contracts';
import type { SkuChanged } from '@onepool/contracts';
import { connectNats, ensureStream, findStream, natsAddressAt } from '@onepool/platform-messaging';
import type { NatsConnection } from '@nats-io/transport-node';

export interface Heard {
  readonly eventId: string;
  readonly data: SkuChanged;
  /** Milliseconds of `performance.now()`, when the bytes were here. */
  readonly at: number;
  /** Milliseconds since the epoch, when the stream had stored it. */
  readonly storedAtMs: number;
}

export class FactsStream {
  readonly connection: NatsConnection;
  readonly #consumed: ConsumerMessages[];

  private constructor(connection: NatsConnection, consumed: ConsumerMessages[] = []) {
    this.connection = connection;
    this.#consumed = consumed;
  }

  /**
   * Makes the stream anew: its memory of message ids would swallow the facts of a new database.
   *
   * @throws when a stream is there that this benchmark has not made, for it would have to be deleted.
   */
  static async create(url: string, ours: boolean): Promise<FactsStream> {
    const connection = await connectNats({
      ...natsAddressAt(url, process.env),
      name: 'bench-facts',
      giveUpAfterMs: 10_000,
    });
    const manager = await jetstreamManager(connection);
    if (await findStream(manager, STOCK_STREAM.name)) {
      if (!ours)
        throw new Error(`NATS_URL already has a stream ${STOCK_STREAM.name}; the benchmark needs a NATS of its own`);
      await manager.streams.delete(STOCK_STREAM.name);
    }
    await ensureStream(manager, STOCK_STREAM);
    return new FactsStream(connection);
  }

  /** Tells every fact from the stream's begin; resolves when the consumer stands. */
  async listen(hear: (heard: Heard) => void): Promise<void> {
    const consumer = await jetstream(this.connection).consumers.get(STOCK_STREAM.name, {
      deliver_policy: DeliverPolicy.All,
    });
    const messages = await consumer.consume();
    this.#consumed.push(messages);
    void (async () => {
      for await (const message of messages) hear(heardOf(message));
    })();
  }

  async close(): Promise<void> {
    for (const messages of this.#consumed) await messages.close();
    await (await jetstreamManager(this.connection)).streams.delete(STOCK_STREAM.name);
    await this.connection.close();
  }
}

const heardOf = (message: JsMsg): Heard => ({
  at: performance.now(),
  eventId: message.headers?.get('ce-id') ?? '',
  data: message.json<SkuChanged>(),
  storedAtMs: message.info.timestampNanos / 1_000_000,
});
