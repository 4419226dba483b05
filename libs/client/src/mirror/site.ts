/** The durable that keeps the facts for a mirror, and the stream that it reads, as JetStream tells of them. */
import { jetstream, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ensureDeadLetterStream, ensureDurable, findDurable, findStream } from '@onepool/platform-messaging';
import type { MirrorPlan } from './mirror-plan.ts';

export interface DurableLook {
  /** When it was made, which tells it from another of its name. */
  readonly created: string;
  /** Everything up to it was dealt with. */
  readonly ackFloor: number;
  /** The highest sequence that it has given out. */
  readonly delivered: number;
  readonly filterSubject: string | undefined;
  /** Facts that were not given out yet, or not dealt with. */
  readonly open: number;
}

export interface Look {
  /** Undefined where there is none, or no stream. */
  readonly durable: DurableLook | undefined;
  readonly stream: { readonly first: number; readonly last: number } | undefined;
}

export interface SiteOptions {
  readonly connection: NatsConnection;
  readonly durable: string;
  /** True where the operator made the durable and the stream of dead letters, and we may make nothing. */
  readonly provisioned: boolean;
  readonly domain: string | undefined;
  readonly plan: MirrorPlan;
}

export class Site {
  readonly #options: SiteOptions;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  /** The durable is looked at first, so that it is never seen ahead of its stream. */
  async look(): Promise<Look> {
    const manager = await this.#manager();
    const { durable: name, plan } = this.#options;
    const durable = await findDurable(manager, plan.stream, name);
    const stream = await findStream(manager, plan.stream);
    return {
      durable: durable && {
        created: String(durable.created),
        filterSubject: durable.config.filter_subject,
        ackFloor: durable.ack_floor.stream_seq,
        delivered: durable.delivered.stream_seq,
        open: durable.num_pending + durable.num_ack_pending,
      },
      stream: stream && { first: stream.state.first_seq, last: stream.state.last_seq },
    };
  }

  /**
   * Makes the durable where it is missing, from the next fact on, or lets it have the facts that are wanted by now: what is in the
   * stream already is in pages that are read later.
   *
   * @throws Error where there is no stream yet, or no durable and the operator has to make it.
   */
  async ensureDurable(): Promise<Look> {
    const { connection, durable, provisioned, plan } = this.#options;
    const found = await this.look();
    if (found.stream === undefined) throw new Error(`The stream ${plan.stream} is not there yet.`);
    if (provisioned) {
      if (found.durable === undefined) throw new Error(`The operator has not made the durable ${durable} yet.`);
      return found;
    }
    await ensureDeadLetterStream(connection);
    const { stream, filterSubject } = plan;
    if (found.durable?.filterSubject === filterSubject) return found;
    const manager = await this.#manager();
    if (found.durable === undefined) await ensureDurable(manager, stream, { durable, filterSubject, from: 'next' });
    else await manager.consumers.update(stream, durable, { filter_subject: filterSubject });
    return this.look();
  }

  #manager(): Promise<JetStreamManager> {
    const { connection, domain } = this.#options;
    return jetstream(connection, domain === undefined ? {} : { domain }).jetstreamManager(false);
  }
}
