import { type Msg, type NatsConnection, errors, headers as natsHeaders } from '@nats-io/transport-node';
import {
  type AnyRequest,
  type Attempt,
  LostError,
  type Reply,
  type Transport,
  UnsendableError,
  parsed,
} from './transport.ts';

const STATUS_HEADER = 'onepool-status';
/** The connection has no requests without an end; what waits for longer was lost with a connection. */
const TIMEOUT_MS = 3_600_000;

/** Request and reply over a connection that is the caller's, and stays open. */
export class NatsTransport implements Transport {
  readonly #connection: NatsConnection;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  async send({ operation, request, headers, timeoutMs = TIMEOUT_MS, signal }: Attempt): Promise<Reply> {
    const { subject } = operation;
    if (subject === undefined) throw new UnsendableError(`${operation.http.path} is not offered over NATS.`);
    const told = natsHeaders();
    for (const [name, value] of Object.entries(headers)) told.set(name, value);
    try {
      const asked = this.#connection.request(subject, payloadOf(request), { headers: told, timeout: timeoutMs });
      return replyOf(await endedBy(signal, asked));
    } catch (cause) {
      signal?.throwIfAborted();
      throw lostBy(cause, subject, timeoutMs);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Over NATS the members of path, query and body are one object. */
const payloadOf = ({ params, query, body }: AnyRequest): string =>
  JSON.stringify({ ...params, ...query, ...(body as object | undefined) });

function replyOf(message: Msg): Reply {
  const body = parsed(message.string());
  const asked = (body as { retryAfterSeconds?: unknown } | null | undefined)?.retryAfterSeconds;
  return {
    // Who answers without a status is none of our apps.
    status: Number(message.headers?.get(STATUS_HEADER) || 0),
    body,
    retryAfterSeconds: typeof asked === 'number' ? asked : undefined,
  };
}

/** A request over NATS cannot be called back; what comes of it after `signal` is not waited for. */
function endedBy<T>(signal: AbortSignal | undefined, asked: Promise<T>): Promise<T> {
  if (signal === undefined) return asked;
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

function lostBy(cause: unknown, subject: string, timeoutMs: number): unknown {
  const reason = cause instanceof errors.RequestError && cause.cause !== undefined ? cause.cause : cause;
  if (reason instanceof errors.NoRespondersError) {
    return new LostError(`${subject} is served by nobody at the moment`, { cause, wasSent: false });
  }
  if (reason instanceof errors.TimeoutError) {
    return new LostError(`${subject} was not answered within ${timeoutMs} ms`, { cause, wasSent: true });
  }
  const isConnections =
    reason instanceof errors.ClosedConnectionError ||
    reason instanceof errors.DrainingConnectionError ||
    reason instanceof errors.ConnectionError;
  if (isConnections) return new LostError(`${subject} failed: ${reason.message}`, { cause, wasSent: true });
  return cause;
}
