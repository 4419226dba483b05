import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';

/** A fact as the outbox stores it and the relay publishes it: CloudEvents 1.0, NATS binary mode. */
export interface FactEvent {
  /** CloudEvents id; also the `Nats-Msg-Id`, the outbox's `event_id` and the inbox's key. Unique for ever. */
  readonly id: string;
  /** CloudEvents type, by convention the same as `subject`. */
  readonly type: string;
  /** CloudEvents source, for instance `/onepool/stock`. */
  readonly source: string;
  /** When it happened, ISO 8601. */
  readonly time: string;
  /** NATS subject, `onepool.<scope>.<entity>.<fact>.v1`. */
  readonly subject: string;
  /** Partition key, what the fact is about: see `factKey`. Events of one key are published in the order of their ids. */
  readonly key: string;
  /** W3C traceparent of the cause, if any. */
  readonly trace?: string | undefined;
  /** JSON body. */
  readonly data: unknown;
  /**
   * Of a fact that came by a stream: how often its relay had found that stream short of facts. A sequence means nothing
   * beyond its epoch; see `StreamPosition`. Absent where whoever published it does not count.
   */
  readonly streamEpoch?: number | undefined;
  /** Of a fact that came by a stream: its place there. */
  readonly streamSequence?: number | undefined;
}

/** An extension attribute of CloudEvents. */
const STREAM_EPOCH = 'ce-streamepoch';

/** The `ce-*` headers of an event. Only the data goes into the body. */
export function toMessageHeaders(event: Omit<FactEvent, 'data'>): MsgHdrs {
  const result = headers();
  result.set('ce-specversion', '1.0');
  result.set('ce-id', event.id);
  result.set('ce-source', event.source);
  result.set('ce-type', event.type);
  result.set('ce-time', event.time);
  const key = encodeAttribute(event.key);
  result.set('ce-subject', key);
  result.set('ce-partitionkey', key);
  result.set('content-type', 'application/json');
  if (event.trace !== undefined) result.set('traceparent', event.trace);
  if (event.streamEpoch !== undefined) result.set(STREAM_EPOCH, String(event.streamEpoch));
  return result;
}

/** Headers carry visible ASCII; CloudEvents percent-encodes the rest of an attribute, and the quotation mark. */
const encodeAttribute = (value: string): string => value.replaceAll(/[^!#$&-~]+/gu, encodeURIComponent);

/** The key that a header's value stands for. @throws UnparsableMessageError */
export function keyOf(attribute: string): string {
  try {
    return decodeURIComponent(attribute);
  } catch (cause) {
    throw new UnparsableMessageError('The key of the message is not percent-encoded.', { cause });
  }
}

/** What a message says about itself could not be read; no redelivery will mend it. */
export class UnparsableMessageError extends Error {
  override readonly name = 'UnparsableMessageError';
}

/** Reads a message back into the event. @throws UnparsableMessageError on missing headers or a body that is no JSON. */
export function parseMessage(
  message: Pick<Msg, 'subject' | 'headers' | 'data'> & { readonly seq?: number },
): FactEvent {
  const required = (name: string): string => {
    const value = message.headers?.get(name);
    if (!value) throw new UnparsableMessageError(`The message has no ${name} header.`);
    return value;
  };
  if (required('ce-specversion') !== '1.0') throw new UnparsableMessageError('The message is not CloudEvents 1.0.');
  return {
    id: required('ce-id'),
    type: required('ce-type'),
    source: required('ce-source'),
    time: required('ce-time'),
    subject: message.subject,
    key: keyOf(required('ce-partitionkey')),
    trace: message.headers?.get('traceparent') || undefined,
    data: parseBody(message.data),
    streamEpoch: epochOf(message.headers?.get(STREAM_EPOCH)),
    streamSequence: message.seq,
  };
}

function epochOf(attribute: string | undefined): number | undefined {
  if (!attribute) return undefined;
  if (!/^\d{1,15}$/.test(attribute))
    throw new UnparsableMessageError(`The ${STREAM_EPOCH} of the message is no number.`);
  return Number(attribute);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parseBody(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch (cause) {
    throw new UnparsableMessageError('The body of the message is not JSON.', { cause });
  }
}
