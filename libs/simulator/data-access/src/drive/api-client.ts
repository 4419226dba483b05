/**
 * HTTP calls with ids that make them safe to repeat. A call is sent again, with the same id and to the next replica,
 * until it is answered or its time is up; its interval runs from the first attempt to the answer, because any of its
 * attempts may be the one that took effect.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Interval,
  type Outage,
  OutageLog,
  backoffMs,
  callsForRetry,
  leavesOutcomeOpen,
} from '@onepool/simulator-domain';
import { Pool } from 'undici';

export interface ApiClientOptions {
  /** Base URLs of the replicas; calls go round them. */
  readonly urls: readonly string[];
  readonly key: string;
  /** Connections per replica. */
  readonly connections: number;
  /** A call that is not answered within this time stays unanswered. */
  readonly retryForMs: number;
  readonly attemptTimeoutMs: number;
  /** Told when calls begin to fail; they are repeated meanwhile. */
  readonly onOutage?: () => void;
}

export type CallResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The problem's stable code, when it is one. */
      readonly code: string | undefined;
      readonly body: unknown;
      readonly interval: Interval;
      /** An earlier attempt got no answer: it may have taken effect, whatever this answer says. */
      readonly earlierAttemptOpen: boolean;
    }
  | { readonly kind: 'unanswered'; readonly reason: string; readonly interval: Interval };

export type Method = 'GET' | 'POST' | 'PUT';

interface Attempt {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | undefined;
}

/** What makes a call; `ApiClient` does. */
export type Caller = Pick<ApiClient, 'call'>;

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #pools: readonly Pool[];
  readonly #log = new OutageLog();
  #turn = 0;
  /** Attempts beyond the first, over all calls. */
  retries = 0;
  /** Calls that needed more than one. */
  callsRetried = 0;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#pools = options.urls.map(
      (url) =>
        new Pool(url, {
          connections: options.connections,
          pipelining: 1,
          keepAliveTimeout: 30_000,
          headersTimeout: options.attemptTimeoutMs,
          bodyTimeout: options.attemptTimeoutMs,
          connect: { timeout: options.attemptTimeoutMs },
        }),
    );
  }

  /** When calls failed, so far. */
  get outages(): readonly Outage[] {
    return this.#log.outages;
  }

  async call(method: Method, path: string, body?: unknown): Promise<CallResult> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const fromMs = performance.now();
    const deadline = fromMs + this.#options.retryForMs;
    let open = false;
    for (let attempt = 0; ; attempt += 1) {
      const sentMs = performance.now();
      const answer = await this.#attempt(method, path, payload).catch((error: unknown) => String(error));
      const untilMs = performance.now();
      const failed = typeof answer === 'string' || answer.status >= 500;
      if (this.#log.take({ sentMs, endedMs: untilMs, failed })) this.#options.onOutage?.();
      const code = typeof answer === 'string' ? undefined : codeOf(answer.body);
      if (typeof answer !== 'string' && !callsForRetry(answer.status)) {
        const { status } = answer;
        const interval = { fromMs, untilMs };
        return { kind: 'answered', status, code, body: answer.body, interval, earlierAttemptOpen: open };
      }
      open ||= typeof answer === 'string' || leavesOutcomeOpen(answer.status, code);
      const pauseMs = backoffMs(attempt, Math.random(), typeof answer === 'string' ? undefined : answer.retryAfter);
      if (untilMs + pauseMs > deadline) {
        const reason = typeof answer === 'string' ? answer : `${answer.status} ${code ?? ''}`;
        return { kind: 'unanswered', reason, interval: { fromMs, untilMs: Infinity } };
      }
      this.retries += 1;
      if (attempt === 0) this.callsRetried += 1;
      await wait(pauseMs);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #attempt(method: Method, path: string, payload: string | undefined): Promise<Attempt> {
    const pool = this.#pools[this.#turn++ % this.#pools.length];
    if (!pool) throw new Error('No URL to send to.');
    const { statusCode, headers, body } = await pool.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${this.#options.key}`,
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await body.text();
    const retryAfter = headers['retry-after'];
    return {
      status: statusCode,
      body: parse(text),
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    };
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const codeOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : undefined;
