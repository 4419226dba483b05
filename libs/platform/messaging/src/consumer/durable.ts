import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

export const DURABLE_DEFAULTS = { ackWaitMs: 30_000, maxAckPending: 1_000 } as const;

export interface Durable {
  readonly durable: string;
  readonly filterSubject: string;
  readonly ackWaitMs?: number;
  readonly maxAckPending?: number;
  /** With which message a durable begins that is made: the stream's `first` unless told, or the `next` that it takes in. */
  readonly from?: 'first' | 'next';
  /** For people, and for who looks after durables. */
  readonly description?: string;
}

const CONSUMER_NOT_FOUND = 10_014;
const STREAM_NOT_FOUND = 10_059;

/** The durable's info, or undefined if there is no such durable, or no stream. */
export async function findDurable(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durable);
  } catch (error) {
    const isMissing = error instanceof JetStreamApiError && [CONSUMER_NOT_FOUND, STREAM_NOT_FOUND].includes(error.code);
    if (isMissing) return undefined;
    throw error;
  }
}

/** Creates the durable pull consumer, or brings its settings up to date. With which message it begins is never changed. */
export async function ensureDurable(manager: JetStreamManager, stream: string, wanted: Durable): Promise<void> {
  const { durable, filterSubject, ackWaitMs, maxAckPending, description, from } = { ...DURABLE_DEFAULTS, ...wanted };
  await manager.consumers.add(stream, {
    durable_name: durable,
    filter_subject: filterSubject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: from === 'next' ? DeliverPolicy.New : DeliverPolicy.All,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxAckPending,
    max_deliver: -1,
    ...(description === undefined ? {} : { description }),
  });
}
