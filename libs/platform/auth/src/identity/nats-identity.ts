/** Who keys and persons are, asked over NATS of the app that has the identity. */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { IdentityAnswer, IdentityBeat, IdentityQuestion, IdentitySource } from './identity-source.ts';

export interface IdentitySubjects {
  readonly verify: string;
  readonly beat: string;
}

export interface NatsIdentityOptions {
  /** The identity's own: what else the app does over NATS keeps no revoked key alive. */
  readonly connection: NatsConnection;
  readonly subjects: IdentitySubjects;
}

/** A beat as it travels: `ageMs` old when it was sent. */
export interface WireBeat extends IdentityBeat {
  readonly ageMs: number;
}

const ASK_TIMEOUT_MS = 1_000;
/** Of one that is stopped or has just ended, another answers at the second try. */
const ATTEMPTS_MAX = 2;

export class NatsIdentity implements IdentitySource {
  readonly #connection: NatsConnection;
  readonly #subjects: IdentitySubjects;

  constructor({ connection, subjects }: NatsIdentityOptions) {
    this.#connection = connection;
    this.#subjects = subjects;
  }

  async ask(question: IdentityQuestion): Promise<IdentityAnswer> {
    const answer = await this.#request(JSON.stringify(question), ATTEMPTS_MAX);
    const told = answer.json<IdentityAnswer | { readonly failure: string }>();
    if ('failure' in told) throw new Error(told.failure);
    return { ...told, found: told.found && { ...told.found, expiresAt: dateOf(told.found.expiresAt) } };
  }

  watch(onBeat: (beat: IdentityBeat, sentAtMs: number) => void): { stop(): Promise<void> } {
    const subscription = this.#connection.subscribe(this.#subjects.beat, {
      callback: (error, message) => {
        if (error) return;
        const { ageMs, ...beat } = message.json<WireBeat>();
        onBeat(beat, performance.now() - ageMs);
      },
    });
    return { stop: () => Promise.resolve(subscription.unsubscribe()) };
  }

  async #request(question: string, attempts: number): Promise<Msg> {
    try {
      return await this.#connection.request(this.#subjects.verify, question, { timeout: ASK_TIMEOUT_MS });
    } catch (error) {
      if (attempts <= 1) throw error;
      return this.#request(question, attempts - 1);
    }
  }
}

/** Dates are text on the wire. */
const dateOf = (at: Date | string | null): Date | null => (at === null ? null : new Date(at));
