import type { JsMsg } from '@nats-io/jetstream';
import { variant } from '@onepool/platform-failpoints';
import { isOutage, TransactionOutcomeUnknownError } from '@onepool/platform-postgres';
import { inSpan } from '@onepool/platform-tracing';
import { parseMessage, UnparsableMessageError, type FactEvent } from '../cloud-event.ts';
import { buryMessage } from './dead-letter.ts';
import type { DeadLetter } from './consumer-options.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { GapTracker } from './gap-tracker.ts';

const RETRY_SOON_MS = 250;
/** A message that ends the process each time never reports a failure; its delivery count still tells. */
const MAX_DELIVERIES_PER_FAILURE = 4;
const MAX_REMEMBERED_FAILURES = 10_000;

/** Takes one message to its end: ack, nak with a delay, or dead letter. */
export class MessageProcessor {
  readonly #failures = new Map<number, number>();
  readonly #gaps = new GapTracker();

  readonly #settings: ConsumerSettings;

  constructor(settings: ConsumerSettings) {
    this.#settings = settings;
  }

  /** @returns `outage` if what the effects go to is away: the message is not to blame, and the next one would fare no better. */
  async process(message: JsMsg): Promise<'done' | 'outage'> {
    let event: FactEvent | undefined;
    try {
      event = parseMessage(message);
      if (message.info.deliveryCount > this.#settings.maxDeliver * MAX_DELIVERIES_PER_FAILURE) {
        await this.#bury(message, event, 'redelivered_too_often', undefined);
        return 'done';
      }
      if (variant('messaging.consumer_acks_first')) message.ack();
      const outcome = await this.#handle(event);
      this.#failures.delete(message.seq);
      message.ack();
      this.#report(event, outcome);
      return 'done';
    } catch (error) {
      return this.#fail(message, event, error);
    }
  }

  /** What the handler logs, sends and stores belongs to the trace of the fact's cause. */
  #handle(event: FactEvent): Promise<'effect' | 'duplicate'> {
    const start = {
      name: `process ${event.subject}`,
      kind: 'consumer',
      from: event.trace ?? null,
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': event.subject,
        'messaging.consumer.group.name': this.#settings.durable,
        'messaging.message.id': event.id,
      },
    } as const;
    return inSpan(start, () => this.#settings.effects.apply(event));
  }

  async #fail(message: JsMsg, event: FactEvent | undefined, error: unknown): Promise<'done' | 'outage'> {
    this.#settings.hooks.onError?.(error);
    if (error instanceof UnparsableMessageError) {
      await this.#bury(message, event, 'unparsable', error);
      return 'done';
    }
    if (error instanceof TransactionOutcomeUnknownError || isOutage(error)) {
      message.nak(RETRY_SOON_MS);
      return 'outage';
    }
    const failures = this.#countFailure(message.seq);
    if (failures >= this.#settings.maxDeliver) await this.#bury(message, event, 'handler_failed', error);
    else
      message.nak(this.#settings.backoffMs[Math.min(failures, this.#settings.backoffMs.length) - 1] ?? RETRY_SOON_MS);
    return 'done';
  }

  #countFailure(sequence: number): number {
    const failures = (this.#failures.get(sequence) ?? 0) + 1;
    this.#failures.set(sequence, failures);
    if (this.#failures.size > MAX_REMEMBERED_FAILURES) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    return failures;
  }

  async #bury(
    message: JsMsg,
    event: FactEvent | undefined,
    reason: DeadLetter['reason'],
    error: unknown,
  ): Promise<void> {
    const { stream, streamSequence, deliveryCount } = message.info;
    try {
      await buryMessage(this.#settings, message, {
        reason,
        error,
        event,
        subject: message.subject,
        stream,
        streamSequence,
        deliveries: deliveryCount,
      });
      this.#failures.delete(message.seq);
    } catch (buryError) {
      this.#settings.hooks.onError?.(buryError);
      message.nak(this.#settings.backoffMs.at(-1) ?? RETRY_SOON_MS);
    }
  }

  #report(event: FactEvent, outcome: 'effect' | 'duplicate'): void {
    this.#settings.hooks.onHandled?.(event, outcome);
    const step = this.#settings.orderedBy?.(event);
    if (step !== undefined) this.#settings.hooks.onVersion?.(event, step, this.#gaps.observe(step));
  }
}
