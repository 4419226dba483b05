/**
 * Nest's NATS server with a door before it. Every message passes, in this order: its size; its key, as far as that needs
 * no look-up; key, scope and what its client has in flight; and only then is its body parsed and a handler called.
 *
 * A flood of messages that may not come in costs little more than receiving them: no trace, no parsing, no error with a
 * stack, no line of the log. What was refused is counted, and answered where an answer is wanted. A bounded number is dealt
 * with in each turn of the event loop, so that HTTP goes on meanwhile; what comes above a bound is shed without an answer.
 *
 * Only `natsMicroserviceOptions` loads this file, so that programs without Nest can use the library.
 */
import { errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { type NatsContext, ServerNats } from '@nestjs/microservices';
import { resilientOptions } from '../nats/nats-options.ts';
import {
  JsonReplySerializer,
  JsonRequestDeserializer,
  MALFORMED_HEADERS,
  MalformedRequestError,
  type ProblemDocument,
  TOO_LARGE,
  type WireReply,
  mayAnswer,
  toWireReply,
} from './json-request-reply.ts';
import { type Admission, type MessageCredentials, type MessageDoor, openDoor } from './message-door.ts';
import { HEADERS_LIMIT_BYTES, headOf } from './message-head.ts';
import type { NatsMicroserviceOptions } from './nats-options.ts';
import { TurnQueue } from './turn-queue.ts';

/** As many as take about a millisecond to refuse. */
const MESSAGES_PER_TURN = 256;
const WAITING_MAX = 8_192;
const WAITING_BYTES_MAX = 33_554_432;
/** Refused messages that wait for their answer; the rest of the room is for those that may come in. */
const REFUSED_WAITING_MAX = 1_024;
const BODY_LIMIT_BYTES = 1_048_576;
const SHED = 'service.overloaded';

export class JsonNatsServer extends ServerNats {
  readonly #settings: NatsMicroserviceOptions;
  readonly #door: MessageDoor;
  readonly #bodyLimitBytes: number;
  readonly #queue = new TurnQueue({
    perTurn: MESSAGES_PER_TURN,
    waitingMax: WAITING_MAX,
    waitingBytesMax: WAITING_BYTES_MAX,
  });
  readonly #answers = new WeakMap<ProblemDocument, WireReply>();
  /** How each message that is in gives its place back, by its headers, which Nest's context carries along. */
  readonly #leaving = new WeakMap<object, () => void>();

  constructor(settings: NatsMicroserviceOptions) {
    super({
      ...resilientOptions(settings),
      gracefulShutdown: true,
      gracePeriod: 1_000,
      deserializer: new JsonRequestDeserializer(settings),
      serializer: new JsonReplySerializer(settings),
    });
    this.#settings = settings;
    this.#door = settings.door ?? openDoor;
    this.#bodyLimitBytes = settings.bodyLimitBytes ?? BODY_LIMIT_BYTES;
    this.setOnProcessingEndHook((_transport, context) => this.#leave((context as NatsContext).getHeaders()));
  }

  /** Each pattern is subscribed to in a queue of its own choice, which Nest looks for beside the handler. */
  override addHandler(...[pattern, handler, isEvent, extras]: Parameters<ServerNats['addHandler']>): void {
    const { queue } = this.#settings;
    const shared = typeof queue === 'string' ? queue : queue(String(pattern));
    super.addHandler(pattern, handler, isEvent, { queue: shared, ...extras });
  }

  override getMessageHandler(channel: string): (error: Error | null, message: Msg) => void {
    return (error, message) => {
      if (error) this.logger.error(error);
      else this.#take(channel, message);
    };
  }

  /** A reply that nobody is connected to receive is no failure of ours. */
  override getPublisher(message: Msg, id: string, context: NatsContext): (response: unknown) => unknown {
    const publish = super.getPublisher(message, id, context);
    return (response) => {
      try {
        return publish(response) as unknown;
      } catch (error) {
        const isGone = error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError;
        if (!isGone) throw error;
        this.#settings.onRefused?.('reply.lost');
        return undefined;
      }
    };
  }

  #take(channel: string, message: Msg): void {
    const { reply = '' } = message;
    const { headersBytes, bodyBytes, isWellFormed, credentials } = headOf(message, reply);
    const refusal =
      bodyBytes > this.#bodyLimitBytes || headersBytes > HEADERS_LIMIT_BYTES
        ? TOO_LARGE
        : isWellFormed
          ? this.#door.glance(channel, credentials)
          : MALFORMED_HEADERS;
    if (refusal !== undefined) {
      this.#count(refusal);
      if (!mayAnswer({ reply }) || this.#queue.length >= REFUSED_WAITING_MAX) return;
      // What waits is the answer, not the message, which may be large.
      this.#queue.take(() => this.#answer(reply, refusal), 0);
      return;
    }
    const isTaken = this.#queue.take(() => this.#admit(channel, message, credentials), headersBytes + bodyBytes);
    if (!isTaken) this.#settings.onRefused?.(SHED);
  }

  #admit(channel: string, message: Msg, credentials: MessageCredentials): void {
    const admission = this.#door.admit(channel, credentials);
    if (admission instanceof Promise) void admission.then((later) => this.#settle(channel, message, later));
    else this.#settle(channel, message, admission);
  }

  #settle(channel: string, message: Msg, admission: Admission): void {
    if ('refusal' in admission) {
      this.#count(admission.refusal);
      const { reply = '' } = message;
      if (mayAnswer({ reply })) this.#answer(reply, admission.refusal);
      return;
    }
    const { headers } = message;
    if (headers !== undefined) {
      admission.mark(headers);
      this.#leaving.set(headers, admission.leave);
    }
    this.handleMessage(channel, message).catch((error: unknown) => {
      this.#leave(headers);
      if (error instanceof MalformedRequestError) this.#count(error.answer);
      else this.handleError(error as string);
    });
  }

  #leave(headers: MsgHdrs | undefined): void {
    if (headers === undefined) return;
    this.#leaving.get(headers)?.();
    this.#leaving.delete(headers);
  }

  #count(refusal: ProblemDocument): void {
    const code: unknown = refusal['code'];
    this.#settings.onRefused?.(typeof code === 'string' ? code : 'internal');
  }

  #answer(reply: string, refusal: ProblemDocument): void {
    const answer = this.#answers.get(refusal) ?? toWireReply(refusal, refusal.status);
    this.#answers.set(refusal, answer);
    try {
      this.unwrap<NatsConnection>().publish(reply, answer.data, { headers: answer.headers });
    } catch {
      // The connection is closing: whoever asked finds nobody there either way.
    }
  }
}
