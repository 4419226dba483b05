/**
 * Reads the facts stream from its end on, through whatever happens to the connection and to the server. An ephemeral
 * consumer without acknowledgements is read in batches; when a batch has a hole, fails or ends early, a new consumer
 * continues after the last message that arrived. A stream that was made anew, or that is shorter than what was already
 * read, is read from its beginning: ids tell what is known.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { STOCK_STREAM } from '@onepool/contracts';
import { connectNats, keyOf, natsAddressAt } from '@onepool/platform-messaging';
import { SystemUnavailable } from '../drive/system-unavailable.ts';
import type { ReceivedFact } from './fact-log.ts';
import type { FactSource } from './fact-source.ts';

const BATCH_MAX = 1_000;
const BATCH_WAIT_MS = 1_000;
const PAUSE_AFTER_FAILURE_MS = 250;
const CONNECT_PATIENCE_MS = 15_000;
/** The server forgets a consumer that nobody reads. */
const INACTIVE_MS = 60_000;

export class JetStreamFacts implements FactSource {
  readonly #connection: NatsConnection;
  readonly #jetstream: JetStreamClient;
  #stopped = false;
  #reading: Promise<void> = Promise.resolve();
  /** Sequence of the last message read, and the incarnation of the stream that it belongs to. */
  #last = 0;
  #created = '';
  #rewound = false;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#jetstream = jetstream(connection);
  }

  /** @throws SystemUnavailable when no server answers within `patienceMs`; later outages are outlived. */
  static async connect(url: string, patienceMs = CONNECT_PATIENCE_MS): Promise<JetStreamFacts> {
    const options = { ...natsAddressAt(url, process.env), name: 'onepool-replay', giveUpAfterMs: patienceMs };
    const connection = await connectNats(options).catch((cause: unknown) => {
      throw new SystemUnavailable((cause as Error).message, { cause });
    });
    return new JetStreamFacts(connection);
  }

  async start(onFact: (fact: ReceivedFact) => void): Promise<void> {
    const { created, state } = await this.#manager()
      .then((manager) => manager.streams.info(STOCK_STREAM.name))
      .catch((cause: unknown) => {
        throw new SystemUnavailable(`The stream ${STOCK_STREAM.name} cannot be read: ${String(cause)}`, { cause });
      });
    this.#created = created;
    this.#last = state.last_seq;
    this.#reading = this.#read(onFact);
  }

  rewind(): void {
    this.#rewound = true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reading;
    await this.#connection.close();
  }

  #manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#connection, { checkAPI: false });
  }

  async #read(onFact: (fact: ReceivedFact) => void): Promise<void> {
    while (!this.#stopped) {
      try {
        const consumer = await this.#consumer();
        let delivered = 0;
        while (!this.#stopped && !this.#rewound) {
          const before = delivered;
          delivered = await this.#readBatch(consumer, before, onFact);
          // Silence may be a consumer that the server lost; this throws if it did.
          if (delivered === before) await consumer.info();
        }
      } catch {
        // Whatever failed, the next consumer begins after the last message read, so nothing is skipped.
        await wait(PAUSE_AFTER_FAILURE_MS);
      }
    }
  }

  async #consumer(): Promise<Consumer> {
    const manager = await this.#manager();
    const { created, state } = await manager.streams.info(STOCK_STREAM.name);
    if (this.#rewound || created !== this.#created || state.last_seq < this.#last) this.#last = 0;
    this.#created = created;
    this.#rewound = false;
    const { name } = await manager.consumers.add(STOCK_STREAM.name, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#last + 1,
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
    });
    return this.#jetstream.consumers.get(STOCK_STREAM.name, name);
  }

  async #readBatch(consumer: Consumer, delivered: number, onFact: (fact: ReceivedFact) => void): Promise<number> {
    let count = delivered;
    for await (const message of await consumer.fetch({ max_messages: BATCH_MAX, expires: BATCH_WAIT_MS })) {
      if (message.info.deliverySequence !== count + 1) throw new Error('A message was lost on its way.');
      count += 1;
      onFact({
        id: message.headers?.get('ce-id') ?? '',
        subject: message.subject,
        key: keyOf(message.headers?.get('ce-partitionkey') ?? ''),
        data: message.json(),
        receivedAtMs: performance.now(),
      });
      this.#last = message.seq;
      if (this.#stopped) break;
    }
    return count;
  }
}
