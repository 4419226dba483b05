/**
 * Publishes to JetStream and matches acknowledgements to messages by a reply subject of one subscription. The client's own
 * publish makes a request of each message, with a timer, an error in advance and several promises: twice the work, for a
 * relay that publishes every fact there is.
 */
import { type MsgHdrs, type NatsConnection, type Subscription, createInbox, headers } from '@nats-io/nats-core';
import { inboxPrefixOf } from '../nats/connect-nats.ts';

/** Where a message lies in its stream. Source: NATS ADR-22, `JSPubAckResponse`. */
export interface Acknowledgement {
  readonly seq: number;
  /** The stream held a message with the same id already; `seq` is that one's. */
  readonly duplicate: boolean;
}

/** The stream refused a message, nobody listens on its subject, or no acknowledgement came in time. */
export class NotAcknowledgedError extends Error {
  override readonly name = 'NotAcknowledgedError';
}

interface Waiting {
  /** Milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
}

const NO_RESPONDERS = 503;

export class AckWindow {
  readonly #inbox: string;
  readonly #subscription: Subscription;
  /** In the order sent, which is the order of their deadlines. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  #sent = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#inbox = createInbox(inboxPrefixOf(connection));
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#acknowledged(message.subject, message.data, message.headers);
        // No acknowledgement will ever come, as when the server refuses the subscription.
        else this.#giveUp(Number.POSITIVE_INFINITY, error.message);
      },
    });
  }

  /** @throws NotAcknowledgedError; or what the client throws when the message cannot be sent at all. */
  publish(subject: string, data: string, id: string, told: MsgHdrs = headers()): Promise<Acknowledgement> {
    told.set('Nats-Msg-Id', id);
    const reply = `${this.#inbox}.${(this.#sent += 1)}`;
    return new Promise((resolve, reject) => {
      this.#connection.publish(subject, data, { headers: told, reply });
      this.#waiting.set(reply, { deadline: performance.now() + this.#timeoutMs, resolve, reject });
      this.#watch();
    });
  }

  /** What is outstanding is given up. */
  close(): void {
    this.#subscription.unsubscribe();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#giveUp(Number.POSITIVE_INFINITY, 'the relay has let go of its stream');
  }

  #acknowledged(reply: string, data: Uint8Array, told: MsgHdrs | undefined): void {
    const waiting = this.#waiting.get(reply);
    if (waiting === undefined) return;
    this.#waiting.delete(reply);
    const answer = data.length === 0 ? {} : parse(data);
    if (answer.stream !== undefined && answer.seq !== undefined && answer.error === undefined) {
      waiting.resolve({ seq: answer.seq, duplicate: answer.duplicate === true });
      return;
    }
    const reason = told?.code === NO_RESPONDERS ? 'no stream takes its subject' : describe(answer);
    waiting.reject(new NotAcknowledgedError(`a message was not stored: ${reason}`));
  }

  /** One timer for all: it looks at the oldest, and is set again while any is outstanding. */
  #watch(): void {
    if (this.#timer !== null) return;
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#giveUp(performance.now(), `no acknowledgement within ${this.#timeoutMs} ms`);
        this.#watch();
      },
      Math.max(1, oldest.deadline - performance.now()),
    );
  }

  #giveUp(now: number, reason: string): void {
    for (const [reply, { deadline, reject }] of this.#waiting) {
      if (deadline > now) return;
      this.#waiting.delete(reply);
      reject(new NotAcknowledgedError(`a message was not stored: ${reason}`));
    }
  }
}

function parse(data: Uint8Array): Answer {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as Answer;
  } catch {
    return {};
  }
}

const describe = ({ error }: Answer): string =>
  error === undefined
    ? 'the answer cannot be read'
    : `${error.description ?? 'refused'} (${error.err_code ?? error.code ?? 0})`;
