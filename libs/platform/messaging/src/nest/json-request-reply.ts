import { headers, nuid, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import type {
  ConsumerDeserializer,
  IncomingEvent,
  IncomingRequest,
  IncomingResponse,
  OutgoingResponse,
  ProducerDeserializer,
  ReadPacket,
  Serializer,
} from '@nestjs/microservices';

import { jsonTextOf } from './json-text.ts';

/**
 * Request and reply over core NATS as plain JSON, without Nest's `{ pattern, id, data }` envelope, so that any NATS
 * client can call: the body of the request is the argument, the body of the reply the result. The header
 * `onepool-status` of the reply carries the HTTP status that the same answer has; from 400 on the body is a problem
 * document.
 */
export const STATUS_HEADER = 'onepool-status';

/** A problem document (RFC 9457). */
export interface ProblemDocument {
  readonly status: number;
  readonly [member: string]: unknown;
}

export interface JsonRequestReplyOptions {
  /** Reads a request's body; `JSON.parse` unless told. Throws on what is not acceptable. */
  readonly parse?: (body: Uint8Array) => unknown;
  /** The document for an error that is not one already. */
  readonly toProblem?: (error: unknown) => ProblemDocument;
}

/** A reply with a status of its own, for handlers that answer other than 200. */
export class NatsReply {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    this.status = status;
    this.body = body;
  }
}

/** The body of a request could not be read; its caller has been answered. */
export class MalformedRequestError extends Error {
  override readonly name = 'MalformedRequestError';
  readonly answer: ProblemDocument;

  constructor(message: string, answer: ProblemDocument, cause: unknown) {
    super(message, { cause });
    this.answer = answer;
  }
}

const MALFORMED: ProblemDocument = {
  type: 'https://onepool.dev/problems/request.malformed_json',
  title: 'The body is not valid JSON',
  status: 400,
  code: 'request.malformed_json',
  retryable: false,
};

const INTERNAL: ProblemDocument = {
  type: 'https://onepool.dev/problems/internal',
  title: 'Something went wrong on our side',
  status: 500,
  code: 'internal',
  retryable: false,
};

export const MALFORMED_HEADERS: ProblemDocument = {
  type: 'https://onepool.dev/problems/request.invalid',
  title: 'The request is not valid',
  status: 400,
  code: 'request.invalid',
  retryable: false,
  detail: 'The headers are malformed, or more than 64.',
};

export const TOO_LARGE: ProblemDocument = {
  type: 'https://onepool.dev/problems/request.too_large',
  title: 'The body is too large',
  status: 413,
  code: 'request.too_large',
  retryable: false,
};

export interface WireReply {
  readonly data: string;
  readonly headers: MsgHdrs;
}

/** Reads requests for Nest. What cannot be read is answered here, since Nest would leave the caller without a reply. */
export class JsonRequestDeserializer implements ConsumerDeserializer {
  readonly #options: JsonRequestReplyOptions;

  constructor(options: JsonRequestReplyOptions = {}) {
    this.#options = options;
  }

  deserialize(message: Msg, { channel }: { channel?: string } = {}): IncomingRequest | IncomingEvent {
    const packet = { pattern: channel ?? message.subject, data: this.#parse(message) };
    return mayAnswer(message) ? { ...packet, id: nuid.next() } : packet;
  }

  #parse(message: Msg): unknown {
    try {
      if (message.data.length === 0) return undefined;
      return this.#options.parse === undefined ? message.json() : this.#options.parse(message.data);
    } catch (cause) {
      const answer = toDocument(cause, () => MALFORMED);
      const reply = toWireReply(answer, answer.status);
      if (mayAnswer(message)) message.respond(reply.data, { headers: reply.headers });
      throw new MalformedRequestError(`A request to ${message.subject} could not be read.`, answer, cause);
    }
  }
}

/** Writes what a Nest handler returned or threw. */
export class JsonReplySerializer implements Serializer<OutgoingResponse, WireReply> {
  readonly #options: JsonRequestReplyOptions;

  constructor(options: JsonRequestReplyOptions = {}) {
    this.#options = options;
  }

  serialize(packet: OutgoingResponse): WireReply {
    const failure: unknown = packet.err;
    if (failure !== undefined && failure !== null) {
      const answer = toDocument(failure, this.#options.toProblem ?? (() => INTERNAL));
      return toWireReply(answer, answer.status);
    }
    const response: unknown = packet.response;
    if (response instanceof NatsReply) return toWireReply(response.body, response.status);
    return toWireReply(response, 200);
  }
}

/** Writes requests of a Nest client as plain JSON. */
export class JsonRequestSerializer implements Serializer<ReadPacket, { data: string; headers: MsgHdrs | undefined }> {
  serialize(packet: ReadPacket): { data: string; headers: MsgHdrs | undefined } {
    const record: unknown = packet.data;
    // A NatsRecord carries headers beside the data; recognised by shape, to need no Nest at run time.
    if (isRecord(record) && record.constructor?.name === 'NatsRecord') {
      return { data: jsonTextOf(record['data']), headers: record['headers'] as MsgHdrs | undefined };
    }
    return { data: jsonTextOf(record), headers: undefined };
  }
}

/** Reads replies for a Nest client: a status from 400 on becomes the error, with the problem document as its value. */
export class JsonReplyDeserializer implements ProducerDeserializer {
  deserialize(message: Msg): IncomingResponse {
    const body: unknown = message.json();
    const failed = Number(message.headers?.get(STATUS_HEADER) || 200) >= 400;
    // Replies come to an inbox of the one request, so no id has to be compared.
    return failed ? { id: '', err: body, isDisposed: true } : { id: '', response: body, isDisposed: true };
  }
}

/**
 * Answers go to inboxes, and to what the server puts in an inbox's place between accounts. A caller may name any subject:
 * one on which we may publish and he may not, such as that of a fact, would make our answer his forgery.
 */
export function mayAnswer({ reply = '' }: Pick<Msg, 'reply'>): boolean {
  return /^(_INBOX|_R_\.)/.test(reply);
}

export function toWireReply(body: unknown, status: number): WireReply {
  const result = headers();
  result.set(STATUS_HEADER, String(status));
  result.set('content-type', status >= 400 ? 'application/problem+json' : 'application/json');
  return { data: jsonTextOf(body), headers: result };
}

function toDocument(error: unknown, convert: (error: unknown) => ProblemDocument): ProblemDocument {
  if (isProblem(error)) return error;
  if (isRecord(error) && typeof error['toProblem'] === 'function') {
    const document: unknown = error['toProblem']();
    if (isProblem(document)) return document;
  }
  return convert(error);
}

function isProblem(value: unknown): value is ProblemDocument {
  return (
    isRecord(value) &&
    typeof value['status'] === 'number' &&
    typeof value['title'] === 'string' &&
    !(value instanceof Error)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
