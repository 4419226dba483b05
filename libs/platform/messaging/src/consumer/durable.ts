import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

export const DURABLE_DEFAULTS = { ackWaitMs: 30_000, maxAckPending: 1_000 } as const;

export interface Durable {
  readonly durable: string;
  readonly filterSubject: string;
  readonly ackWaitMs?: number;
  readonly maxAckPending?: number;
  /** For people, and for who looks after durables. */
  readonly description?: string;
}

/** Creates the durable pull consumer, from the stream's first message on, or brings its settings up to date. */
export async function ensureDurable(manager: JetStreamManager, stream: string, wanted: Durable): Promise<void> {
  const { durable, filterSubject, ackWaitMs, maxAckPending, description } = { ...DURABLE_DEFAULTS, ...wanted };
  await manager.consumers.add(stream, {
    durable_name: durable,
    filter_subject: filterSubject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxAckPending,
    max_deliver: -1,
    ...(description === undefined ? {} : { description }),
  });
}
