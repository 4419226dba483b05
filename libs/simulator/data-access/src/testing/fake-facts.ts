/** The facts of the fake system: counted when written, delivered a moment later, some of them twice. */
import { setImmediate as turn } from 'node:timers/promises';
import { type Reservation, type ReservationFact, SKU_CHANGED, reservationSubject } from '@onepool/contracts';
import type { Backed } from '@onepool/testing-model-pool';
import type { ReceivedFact } from '../facts/fact-log.ts';
import type { FactSource } from '../facts/fact-source.ts';

export class FakeFacts implements FactSource {
  readonly #versions = new Map<string, number>();
  readonly #isDropped: (number: number) => boolean;
  #onFact: (fact: ReceivedFact) => void = () => undefined;
  written = 0;

  /** `isDropped` decides, by the number of the fact, which one never arrives. */
  constructor(isDropped: (number: number) => boolean) {
    this.#isDropped = isDropped;
  }

  start(onFact: (fact: ReceivedFact) => void): Promise<void> {
    this.#onFact = onFact;
    return Promise.resolve();
  }

  rewind(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }

  versionOf(sku: string): number {
    return this.#versions.get(sku) ?? 0;
  }

  sku(sku: string): void {
    const fromVersion = this.versionOf(sku);
    const toVersion = fromVersion + 1;
    this.#versions.set(sku, toVersion);
    this.#publish(SKU_CHANGED, sku, { sku, fromVersion, toVersion, recordedAt: new Date().toISOString(), rows: [] });
  }

  reservation(
    { id, channel }: Reservation,
    version: number,
    fact: ReservationFact,
    changes: readonly (Backed & { line: string; to?: string })[],
  ): void {
    const recordedAt = new Date().toISOString();
    const data = { reservation: id, client: 'test', channel, fact, version, recordedAt, changes };
    this.#publish(reservationSubject(fact), id, data);
  }

  #publish(subject: string, key: string, data: unknown): void {
    const number = ++this.written;
    if (this.#isDropped(number)) return;
    void turn().then(() => {
      const fact = { id: String(number), subject, key, data, receivedAtMs: performance.now() };
      for (let copies = number % 10 === 0 ? 2 : 1; copies > 0; copies -= 1) this.#onFact(fact);
    });
  }
}
