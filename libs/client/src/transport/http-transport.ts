import { Readable } from 'node:stream';
import { Agent, errors } from 'undici';
import type { StreamBody } from '../operation-types.ts';
import { pathOf } from './path-of.ts';
import { type AnyRequest, type Attempt, LostError, type Reply, type Transport, isText, parsed } from './transport.ts';

export interface HttpOptions {
  /** Where the app is. Calls go round several, and a call that is repeated goes to the next. */
  readonly url: string | readonly string[];
  /** Connections to each, 32 unless told. */
  readonly connections?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** Nothing was sent before these. */
const NEVER_SENT: readonly unknown[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

export class HttpTransport implements Transport {
  readonly #agent: Agent;
  readonly #targets: readonly { readonly origin: string; readonly prefix: string }[];
  #turn = 0;

  constructor({ url, connections = 32 }: HttpOptions) {
    this.#targets = [url].flat().map((address) => {
      const { origin, pathname } = new URL(address);
      return { origin, prefix: pathname.replace(/\/$/, '') };
    });
    // An attempt has a time-out of its own, which holds from its first byte to the last of the answer.
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
  }

  async send({ operation, request, headers, timeoutMs, signal }: Attempt): Promise<Reply> {
    const target = this.#targets[this.#turn++ % this.#targets.length];
    if (target === undefined) throw new Error('The client was given no URL to send to.');
    const path = target.prefix + pathOf(operation, request);
    const { method } = operation.http;
    const signals = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
    const ended = AbortSignal.any(signals.filter((one) => one !== undefined));
    const { content, type } = contentOf(request);
    try {
      const answer = await this.#agent.request({
        origin: target.origin,
        path,
        method,
        headers: { ...headers, ...type },
        body: content,
        signal: ended,
      });
      const text = await answer.body.text();
      return {
        status: answer.statusCode,
        body: operation.csvAnswer && answer.statusCode < 400 ? text : parsed(text),
        retryAfterSeconds: secondsOf(answer.headers['retry-after']),
      };
    } catch (cause) {
      signal?.throwIfAborted();
      throw lostBy(cause, `${method} ${target.origin}${operation.http.path}`, timeoutMs);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

interface Content {
  readonly content: string | Uint8Array | Readable | null;
  readonly type: Readonly<Record<string, string>>;
}

function contentOf({ body, contentType, contentEncoding }: AnyRequest): Content {
  if (body === undefined) return { content: null, type: {} };
  if (contentType !== undefined) {
    const encoding: Content['type'] = contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding };
    return { content: piecesOf(body as StreamBody), type: { 'content-type': contentType, ...encoding } };
  }
  if (isText(body)) return { content: body, type: { 'content-type': 'text/csv' } };
  return { content: JSON.stringify(body), type: { 'content-type': 'application/json' } };
}

function piecesOf(body: StreamBody): string | Uint8Array | Readable {
  if (isText(body)) return body;
  return Readable.from(typeof body === 'function' ? body() : body);
}

/** Seconds of `Retry-After`; a date asks for nothing. */
function secondsOf(value: string | string[] | undefined): number | undefined {
  const text = [value].flat()[0]?.trim() ?? '';
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

/** What undici says by throwing. A request that it will not send is nobody's loss, and is thrown as it is. */
function lostBy(cause: unknown, what: string, timeoutMs: number | undefined): unknown {
  if (cause instanceof errors.InvalidArgumentError) return cause;
  const { name, code, message } = cause as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError') {
    return new LostError(`${what} was not answered within ${timeoutMs} ms`, { cause, wasSent: true });
  }
  const wasSent = !NEVER_SENT.includes(code);
  return new LostError(`${what} failed: ${message || code}`, { cause, wasSent });
}
