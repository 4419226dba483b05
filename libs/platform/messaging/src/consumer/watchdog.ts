import type { Consumer } from '@nats-io/jetstream';
import type { ConsumerSettings } from './consumer-settings.ts';

const CHECKS_PER_BOUND = 3;

/**
 * Notices a consumer that stands still although messages wait, which the client library may not report: it raises an
 * alarm and restarts consumption. Reaching the limit of unanswered messages stops deliveries silently, so that is an
 * alarm of its own.
 */
export class Watchdog {
  #consumer: Consumer | undefined;
  #progressAt = performance.now();
  #checking = false;
  readonly #timer: NodeJS.Timeout;
  readonly #settings: ConsumerSettings;
  readonly #restart: () => void;

  constructor(settings: ConsumerSettings, restart: () => void) {
    this.#settings = settings;
    this.#restart = restart;
    this.#timer = setInterval(() => void this.#check(), settings.noProgressMs / CHECKS_PER_BOUND);
    this.#timer.unref();
  }

  watch(consumer: Consumer): void {
    this.#consumer = consumer;
  }

  progressed(): void {
    this.#progressAt = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    if (this.#consumer === undefined || this.#checking) return;
    if (performance.now() - this.#progressAt < this.#settings.noProgressMs) return;
    this.#checking = true;
    try {
      const info = await this.#consumer.info();
      const { onAlarm } = this.#settings.hooks;
      if (info.num_ack_pending >= this.#settings.maxAckPending) {
        onAlarm?.({ kind: 'max_ack_pending_reached', ackPending: info.num_ack_pending });
      }
      if (info.num_pending === 0) return;
      onAlarm?.({ kind: 'no_progress', pending: info.num_pending });
      this.progressed();
      this.#restart();
    } catch (error) {
      // The server is away or the consumer is gone; fetching fails too, and recovers by itself.
      this.#settings.hooks.onError?.(error);
    } finally {
      this.#checking = false;
    }
  }
}
